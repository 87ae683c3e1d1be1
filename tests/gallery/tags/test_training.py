"""Taggers and looks of a gallery's own: learnt in seconds, measured, in versions, undone."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from numpy.typing import NDArray
from PIL import Image as Pillow

from detector.look_model import LOOK_MODEL_ID
from featurestore.looks import LookFeatures
from gallery import components, learnt
from gallery.decoding import look_input, read_pixels
from gallery.errors import TrainingRefused
from gallery.look_projection import current_look_space, current_projection, fit_projection
from gallery.models import PhotoTag
from gallery.tags.examples import examples_in, learning_embedder
from gallery.tags.head import HeadUnreadable, read_head, write_head
from gallery.tags.machine_tags import tag_untagged
from gallery.tags.models import SURE_TAG
from gallery.tags.photo_tags import change_tags, tags_of
from gallery.tags.taggers import SHIPPED_FOLDER, taggers
from gallery.tags.training import measure_head, train_head
from gallery.thumbnails import Size
from tests.gallery.tags.drawn_looks import drawn_looks
from tests.photos import CAT, COFFEE, HORSE

Looks = tuple[NDArray[np.float16], list[str]]
MODEL = "look-test"
CLOTHING = Path(settings.BASE_DIR).parent / "shared/data/clothing"
FIVE = ("dress", "pants", "shirt", "shoes", "t-shirt")


def command(*arguments: str) -> str:
    output = io.StringIO()
    call_command(*arguments, stdout=output, stderr=io.StringIO(), verbosity=0)
    return output.getvalue()


def test_ten_examples_a_class_are_enough_and_give_the_same_every_time() -> None:
    examples, labels = drawn_looks({"beach": 10, "forest": 10, "none": 10})
    training = train_head(examples, labels, MODEL)
    assert training.quality.accuracy > 0.9
    assert (train_head(examples, labels, MODEL).head.weights == training.head.weights).all()
    unseen, of = drawn_looks({"beach": 20, "forest": 20, "none": 20}, seed=1)
    quality = measure_head(training.head, unseen, of)
    assert quality.accuracy > 0.9
    assert quality.passed_over < 0.3
    strangers, _ = drawn_looks({"kitchen": 20}, seed=1)
    assert (training.head.probabilities(strangers).sum(axis=1) == 0).mean() > 0.9


@pytest.mark.parametrize(
    ("counts", "sentence"),
    [
        ({"beach": 20}, "two classes or more"),
        ({"beach": 20, "forest": 4}, "“forest” has 4 photos"),
        ({f"class {n}": 1 for n in range(201)}, "the limit is 200"),
    ],
)
def test_too_little_to_learn_from_is_refused(counts: dict[str, int], sentence: str) -> None:
    with pytest.raises(TrainingRefused, match=sentence):
        train_head(*drawn_looks(counts), MODEL)


def test_a_head_is_read_as_it_was_written_and_a_damaged_one_is_refused(tmp_path: Path) -> None:
    head = train_head(*drawn_looks({"beach": 10, "forest": 10}), MODEL).head
    path = tmp_path / "head.npz"
    write_head(path, head)
    examples, _ = drawn_looks({"beach": 5}, seed=2)
    same = read_head(path).probabilities(examples)
    assert (same == head.probabilities(examples)).all()
    for damage in (path.read_bytes()[:200], b"no archive"):
        path.write_bytes(damage)
        with pytest.raises(HeadUnreadable):
            read_head(path)


@pytest.mark.django_db
def test_photos_are_tagged_by_their_looks_and_again_when_taggers_change(
    packaged_photos: dict[str, int],
) -> None:
    model_id = components.look_model_id()
    assert model_id is not None
    looks, _ = drawn_looks({"beach": 3, "kitchen": 3}, seed=3)
    scores = np.full((6, 1000), 1e-3, np.float32)
    ids = sorted(packaged_photos.values())
    components.store().looks(model_id).append(
        LookFeatures.of(ids, looks.astype(np.float32), scores, 1)
    )
    folder = settings.LEARNT_DIR / "tags" / "places"
    head = train_head(*drawn_looks({"beach": 10, "forest": 10}), model_id).head
    versions = learnt.Learnt(folder)
    versions.add(lambda path: write_head(path, head), {})
    assert tag_untagged()
    assert [tag.name for tag in tags_of(ids[0])] == ["beach"]
    assert tags_of(ids[5]) == []
    change_tags([ids[0]], remove=["beach"])
    assert tags_of(ids[0]) == []
    assert tag_untagged(seconds=-1), "there is nothing left to do"
    versions.remove()
    assert tag_untagged()
    assert not PhotoTag.objects.filter(tagger="places").exists()
    assert command("train_tags", "places", "--back") == "places is version 1 again.\n"
    assert tag_untagged()
    assert [tag.name for tag in tags_of(ids[1])] == ["beach"]
    assert tags_of(ids[0]) == [], "what a person took away stays away"


@pytest.mark.django_db
def test_a_tagger_is_trained_listed_measured_and_undone(gallery_data: Path, tmp_path: Path) -> None:
    folder = tmp_path / "kinds"
    for name, source in (("cats", CAT), ("cups", COFFEE), ("horses", HORSE)):
        (folder / name).mkdir(parents=True)
        photo = Pillow.open(source).convert("RGB")
        width, height = photo.size
        for number in range(10):
            part = (number * width // 40, number * height // 40, width, height)
            photo.crop(part).save(folder / name / f"{number}.jpg")
    (folder / "cats" / "notes.txt").write_text("no photo")
    said = command("train_tags", "kinds", "--from", str(folder), "--test", str(folder))
    assert "30 photos: " in said
    assert "calibration error" in said
    assert "kinds is version 1 now" in said
    assert "kinds: version 1, " in command("train_tags", "--list")
    assert "fashion: as it came: dress, hat" in command("train_tags", "--list")
    command("train_tags", "kinds", "--from", str(folder))
    assert command("train_tags", "kinds", "--back") == "kinds is version 1 again.\n"
    packed = tmp_path / "learnt.zip"
    learnt.pack(packed)
    command("train_tags", "kinds", "--remove")
    assert "kinds: not in use" in command("train_tags", "--list")
    learnt.unpack(packed)
    assert "kinds" in {tagger.name for tagger in taggers()}
    for arguments in (["../x", "--from", str(folder)], ["kinds", "--from", "nowhere"], ["kinds"]):
        with pytest.raises(CommandError):
            command("train_tags", *arguments)
    with pytest.raises(CommandError, match="by a person"):
        command("train_tags", "kinds", "--from-tags")
    said = command("fit_look", "--from", str(folder), "--test", str(folder))
    assert "30 photos of 3 kinds" in said
    model_id = components.look_model_id()
    assert model_id is not None
    projection = current_projection(model_id)
    assert projection is not None
    assert current_look_space(model_id).name == f"fit-{projection.fingerprint}"
    assert "as they are" in command("fit_look", "--back")
    assert current_projection(model_id) is None
    with pytest.raises(CommandError, match="nothing before"):
        command("fit_look", "--back")


def test_a_fitted_look_brings_photos_of_a_kind_together() -> None:
    counts = {"beach": 30, "forest": 30, "street": 30}
    examples, labels = drawn_looks(counts, spread=0.85)
    fit = fit_projection(examples, labels, MODEL)
    assert fit.before is not None
    assert fit.after is not None
    assert fit.after.at_10 > fit.before.at_10
    without = fit_projection(examples, [""] * len(labels), MODEL)
    assert without.after is None
    assert without.projection.project(examples).shape == (90, without.projection.dimensions)
    with pytest.raises(TrainingRefused):
        fit_projection(examples[:5], labels[:5], MODEL)


@pytest.fixture(scope="session")
def validation() -> Looks:
    """The look of every validation photo of the clothing set."""
    if not CLOTHING.is_dir():
        pytest.skip("the clothing set is not at ../shared/data")
    found = examples_in(CLOTHING / "validation", learning_embedder())
    return found.embedding, list(found.labels)


def test_the_tagger_that_comes_with_the_gallery_is_as_good_as_it_says(
    validation: Looks,
) -> None:
    embedding, labels = validation
    head = read_head(SHIPPED_FOLDER / "fashion.npz")
    quality = measure_head(head, embedding, labels)
    assert quality.accuracy >= 0.87
    of_five = np.isin(labels, FIVE)
    columns = [head.names.index(name) for name in FIVE]
    taken = head.class_probabilities(embedding[of_five])[:, columns].argmax(axis=1)
    right = np.array(FIVE)[taken] == np.array(labels)[of_five]
    assert right.mean() >= 0.92


def test_the_tagger_that_comes_with_the_gallery_calls_few_other_photos_clothes() -> None:
    folder = CLOTHING.parent / "photos" / "images"
    if not folder.is_dir():
        pytest.skip("the photos of COCO are not at ../shared/data")
    embedder = learning_embedder()
    files = sorted(folder.glob("*.jpg"))[::4]
    seen = np.stack([look_input(read_pixels(file, Size.GRID)) for file in files])
    head = read_head(SHIPPED_FOLDER / "fashion.npz")
    probabilities = head.probabilities(embedder.embed(seen).embedding.astype(np.float16))
    assert (probabilities.max(axis=1) >= SURE_TAG).mean() <= 0.03


def test_the_tagger_that_comes_with_the_gallery_reads_the_model_that_does() -> None:
    head = read_head(SHIPPED_FOLDER / "fashion.npz")
    assert head.look_model_id == LOOK_MODEL_ID
    facts = json.loads((SHIPPED_FOLDER / "fashion.json").read_text(encoding="utf-8"))
    assert facts["cross_validated"]["accuracy"] >= 0.87
    assert (SHIPPED_FOLDER / "fashion.npz").stat().st_size < 150_000
