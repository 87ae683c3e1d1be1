from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from gallery import components
from tests.photos import CAT, drawn_photo, encoded

WriteCoco = Callable[..., Path]

CAT_CLASS = 17


def evaluate(images: Path | None = None, annotations: Path | None = None, **options: object) -> str:
    output = io.StringIO()
    call_command("evaluate", images=images, annotations=annotations, stdout=output, **options)
    return output.getvalue()


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """The two photos of `write_coco`: b.jpg is drawn, a.jpg is a real cat."""
    folder = tmp_path / "photos"
    folder.mkdir()
    (folder / "b.jpg").write_bytes(encoded(drawn_photo(size=(200, 100)), "JPEG"))
    (folder / "a.jpg").write_bytes(CAT.read_bytes())
    return folder


def test_it_finds_the_cat_and_leaves_the_gallery_alone(
    photos: Path, write_coco: WriteCoco, gallery_data: Path
) -> None:
    annotations = write_coco((2, CAT_CLASS, [0, 0, 100, 100]))
    report = json.loads(evaluate(photos, annotations, json=True))
    assert report["images"] == 2
    assert report["model_id"] == components.detector().model_id
    # The cat is the second image, so only a score can put it first.
    assert report["text"]["names"]["objects"] == 1
    assert report["text"]["synonyms"] == {
        "objects": 1,
        "original": 1,
        "without looks": 1,
        "terms": 1,
    }
    assert report["as_shown"]["text"]["names"]["objects"] == 1
    assert not list(gallery_data.rglob("*.h5"))


def test_it_prints_a_table(photos: Path, write_coco: WriteCoco, gallery_data: Path) -> None:
    table = evaluate(photos, write_coco((2, CAT_CLASS, [0, 0, 100, 100])))
    assert "2 images, model" in table
    assert "original, as shown" in table


def test_it_searches_photos_in_folders_for_the_names_of_these(
    photos: Path, tmp_path: Path, gallery_data: Path
) -> None:
    folder = tmp_path / "labels"
    for label, name in (("cat", "a.jpg"), ("drawing", "b.jpg")):
        (folder / label).mkdir(parents=True)
        (photos / name).rename(folder / label / name)
    figures = json.loads(evaluate(labels=folder, json=True))
    assert figures["images"] == 2
    assert figures["labels"]["cat"] == {"objects": 1, "without looks": 1}
    assert figures["mean"].keys() == {"objects", "without looks"}
    assert not list(gallery_data.rglob("*.h5"))
    for wrong in (photos, tmp_path / "nowhere"):
        with pytest.raises(CommandError, match=r"no photos in sub-folders|is not a folder"):
            evaluate(labels=wrong)
    with pytest.raises(CommandError, match="Give --images and --annotations, or --labels alone"):
        evaluate(labels=folder, images=photos)


def test_it_names_a_missing_folder(tmp_path: Path, write_coco: WriteCoco) -> None:
    with pytest.raises(CommandError, match="nowhere is not a folder"):
        evaluate(tmp_path / "nowhere", write_coco())


def test_it_names_a_missing_photo(photos: Path, write_coco: WriteCoco) -> None:
    (photos / "a.jpg").unlink()
    with pytest.raises(CommandError, match=r"1 of 2 photos are missing in .*, a\.jpg first"):
        evaluate(photos, write_coco())


def test_it_names_a_photo_that_cannot_be_read(photos: Path, write_coco: WriteCoco) -> None:
    (photos / "a.jpg").write_bytes(b"no photo")
    with pytest.raises(CommandError, match=r"a\.jpg cannot be read\. This is not a photo"):
        evaluate(photos, write_coco())


def test_it_refuses_annotations_that_are_none(photos: Path, tmp_path: Path) -> None:
    path = tmp_path / "annotations.json"
    path.write_text("{")
    with pytest.raises(CommandError, match=r"annotations\.json is not a COCO annotation file"):
        evaluate(photos, path)


def test_it_refuses_annotations_without_an_image(photos: Path, tmp_path: Path) -> None:
    path = tmp_path / "annotations.json"
    path.write_text('{"images": [], "annotations": [], "categories": []}')
    with pytest.raises(CommandError, match="lists no image"):
        evaluate(photos, path)
