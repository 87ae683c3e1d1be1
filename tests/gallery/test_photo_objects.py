"""Boxes that people correct: they count at once, survive models and catalogues, and go back."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path
from typing import Any

import h5py
import pytest
from django.core.management import call_command
from django.test import Client

from detector.model_files import MODEL_ID
from featurestore.corrections import OBJECTS, Correction
from featurestore.posting_kernels import MOST_OBJECTS
from featurestore.segments import Edit
from featurestore.store import FeatureStore
from featurestore.view import VIEW_NAME
from gallery import components
from gallery.drawing import COLOURS, class_colours
from gallery.errors import EditConflict
from gallery.layouts import parse_layout
from gallery.models import Image
from gallery.photo_objects import DraftObject, correct_objects, objects_of
from gallery.search import search_layout, search_text
from tests.conftest import empty_data_folder
from tests.gallery.made_gallery import LEFT, RIGHT, add_photo

pytestmark = pytest.mark.django_db

BF16 = f"{MODEL_ID}-bf16"
DOG, CAT, CUP = 18, 17, 47


def run(command: str, *arguments: object) -> str:
    output = io.StringIO()
    call_command(command, *map(str, arguments), verbosity=0, stdout=output)
    return output.getvalue()


def asked(client: Client, image_id: int) -> dict[str, Any]:
    found: dict[str, Any] = client.get(f"/api/v1/images/{image_id}/objects").json()
    return found


def put(client: Client, image_id: int, objects: object, version: str | None = None) -> Any:
    return client.put(
        f"/api/v1/images/{image_id}/objects",
        json.dumps({"objects": objects}),
        content_type="application/json",
        headers={"If-Match": f'"{version or asked(client, image_id)["version"]}"'},
    )


def names(client: Client, image_id: int) -> list[tuple[str, str]]:
    return [(thing["name"], thing["source"]) for thing in asked(client, image_id)["objects"]]


def found(query: str) -> dict[str, float]:
    return {hit.image.name: hit.score for hit in search_text(query).hits}


@pytest.fixture
def photo(gallery_data: Path) -> Image:
    """A dog that is none, a cup, and a faint chair."""
    add_photo("other.jpg", [("dog", 0.6, LEFT)])
    return add_photo("mine.jpg", [("dog", 0.8, LEFT), ("cup", 0.7, RIGHT), ("chair", 0.1, LEFT)])


def without_dog(client: Client, photo: Image) -> list[dict[str, Any]]:
    """What the photo shows after a person has deleted the dog and drawn a cat."""
    kept = [thing for thing in asked(client, photo.pk)["objects"] if thing["name"] == "cup"]
    return [*kept, {"name": "cat", "box": [0.1, 0.2, 0.5, 0.9]}]


def test_a_correction_counts_in_all_searches_at_once(client: Client, photo: Image) -> None:
    assert list(found("dog")) == ["mine.jpg", "other.jpg"]
    answer = put(client, photo.pk, without_dog(client, photo))
    assert answer.status_code == 200
    assert answer.json()["corrected"]
    assert [(t["name"], t["score"], t["source"]) for t in answer.json()["objects"]] == [
        ("cat", 1.0, "person"),
        ("cup", 0.7, "detector"),
    ]
    assert list(found("dog")) == ["other.jpg"]
    assert found("cat")["mine.jpg"] == 1.0
    assert list(found("cat left of cup")) == ["mine.jpg"]
    assert "mine.jpg" not in found("chair")
    drawn = parse_layout('[{"object": "cat", "box": [0.1, 0.2, 0.5, 0.9]}]')
    assert [hit.image.name for hit in search_layout(drawn).hits] == ["mine.jpg"]
    original = search_text("cat cup", score_name="original").hits
    assert original[0].image.name == "mine.jpg"
    page = client.get(f"/photos/{photo.pk}/").content.decode()
    assert re.search('alt="A cat[^"]* a cup', page)
    assert page.count("corrected by a person") == 1


def test_a_correction_survives_another_model_and_a_lost_catalogue(
    client: Client, packaged_photos: dict[str, int]
) -> None:
    coffee = packaged_photos["coffee"]
    corrected = [{"class_id": CAT, "box": [0.1, 0.1, 0.6, 0.6]}]
    assert put(client, coffee, corrected).status_code == 200
    run("reindex", "--model", BF16)
    run("compact")
    Image.objects.all().delete()
    run("rebuild_catalogue")
    assert names(client, coffee) == [("cat", "person")]
    assert "coffee.png" in found("cat")
    assert "coffee.png" not in found("cup")
    call_command("check_store", verbosity=0, stdout=io.StringIO())


def test_what_was_detected_comes_back_as_it_was(client: Client, photo: Image) -> None:
    before = asked(client, photo.pk)
    put(client, photo.pk, without_dog(client, photo))
    address = f"/api/v1/images/{photo.pk}/objects"
    version = asked(client, photo.pk)["version"]
    assert client.delete(address, headers={"If-Match": version}).json() == before
    assert list(found("dog")) == ["mine.jpg", "other.jpg"]
    # Whatever the clock said meanwhile, the latest change counts.
    future = Edit(photo.pk, OBJECTS, "[]", 4e9)
    components.store().append_edits([future])
    assert names(client, photo.pk) == []
    client.delete(address, headers={"If-Match": "*"})
    assert asked(client, photo.pk) == before


def test_only_what_a_person_changed_is_a_persons(client: Client, photo: Image) -> None:
    objects = asked(client, photo.pk)["objects"]
    assert put(client, photo.pk, objects).json()["corrected"] is False
    objects[1]["box"] = [round(side, 4) for side in objects[1]["box"]]
    objects[0]["box"][0] += 0.02
    put(client, photo.pk, objects)
    assert names(client, photo.pk) == [
        ("dog", "person"), ("cup", "detector"), ("chair", "detector")
    ]  # fmt: skip
    # And stays a person's when others are changed later.
    put(client, photo.pk, asked(client, photo.pk)["objects"][:2])
    assert names(client, photo.pk) == [("dog", "person"), ("cup", "detector")]


def test_of_two_editors_the_second_is_told(client: Client, photo: Image) -> None:
    seen = asked(client, photo.pk)["version"]
    assert put(client, photo.pk, [], seen).status_code == 200
    late = put(client, photo.pk, [{"name": "cat", "box": LEFT}], seen)
    assert late.status_code == 409
    assert "changed meanwhile" in late.json()["detail"]
    assert names(client, photo.pk) == []
    again = client.delete(f"/api/v1/images/{photo.pk}/objects", headers={"If-Match": seen})
    assert again.status_code == 409
    address = f"/api/v1/images/{photo.pk}/objects"
    blind = client.put(address, '{"objects": []}', content_type="application/json")
    assert blind.status_code == 428
    assert "If-Match" in blind.json()["detail"]


@pytest.mark.parametrize(
    ("objects", "sentence"),
    [
        ([{"class_id": 12, "box": LEFT}], "no object of class 12"),
        ([{"name": "unicorn", "box": LEFT}], "no object “unicorn”"),
        ([{"class_id": CAT, "name": "dog", "box": LEFT}], "Class 17 is not called “dog”"),
        ([{"box": LEFT}], "class_id or a name"),
        ([{"class_id": CAT, "box": [0.5, 0.1, 0.4, 0.9]}], "left before right"),
        ([{"class_id": CAT, "box": [0, 0, 1, 1.01]}], "from 0 to 1"),
        ([{"class_id": CAT, "box": [0, 0, "NaN", 1]}], "from 0 to 1"),
        ([{"class_id": CAT, "box": [0, 0, 1e-4, 1]}], "too small"),
        ([{"class_id": CAT, "box": LEFT}] * (MOST_OBJECTS + 1), "can have 100 objects"),
        ([{"class_id": CAT, "box": LEFT}] * 1001, "at most 1000"),
        ("cat", "list"),
    ],
)
def test_what_cannot_be_is_refused_with_a_sentence(
    client: Client, photo: Image, objects: object, sentence: str
) -> None:
    answer = put(client, photo.pk, objects)
    assert (answer.status_code, sentence in answer.json()["detail"]) == (400, True), answer.json()
    assert not asked(client, photo.pk)["corrected"]


def test_photos_that_are_not_ready_or_not_there_are_refused(
    client: Client, gallery_data: Path
) -> None:
    waiting = add_photo("waiting.jpg", None, state=Image.State.RECEIVED)
    answer = put(client, waiting.pk, [])
    assert (answer.status_code, "not looked at yet" in answer.json()["detail"]) == (400, True)
    assert client.get("/api/v1/images/999/objects").status_code == 404
    photo = add_photo("gone.jpg", [("dog", 0.8, LEFT)])
    Image.objects.filter(pk=photo.pk).delete()
    with pytest.raises(EditConflict, match="deleted meanwhile"):
        correct_objects(photo, [DraftObject(DOG, LEFT)], "*")


def test_a_photo_may_show_a_crowd(client: Client, photo: Image) -> None:
    crowd = [
        {"name": "person", "box": [column / 20, row / 5, (column + 0.9) / 20, (row + 0.9) / 5]}
        for column in range(20)
        for row in range(5)
    ]
    assert len(put(client, photo.pk, crowd).json()["objects"]) == MOST_OBJECTS
    assert len(components.index().detections_of(components.index().row_of(photo.pk) or 0)) == 100
    assert found("at least 99 people")["mine.jpg"] > 0.99
    assert "mine.jpg" not in found("21 people")
    similar = client.get(f"/photos/{photo.pk}/similar")
    assert similar.status_code == 200
    assert components.index().cooccurrence[1, 1] == pytest.approx(1, abs=0.01)


def test_a_correction_that_cannot_be_read_is_left_out(
    client: Client, photo: Image, caplog: pytest.LogCaptureFixture
) -> None:
    before = asked(client, photo.pk)
    too_sure = '[{"class_id":17,"score":2,"box":[0,0,1,1],"source":"person"}]'
    for value in ('{"a": 1}', '[{"class_id": 400}]', too_sure, "[1]"):
        components.store().append_edits([Edit(photo.pk, OBJECTS, value, 4e9)])
        assert asked(client, photo.pk) == before
    assert f"The correction of image {photo.pk} is left out" in caplog.text


def test_backups_and_the_view_have_corrections(
    client: Client, packaged_photos: dict[str, int], tmp_path: Path
) -> None:
    coffee = packaged_photos["coffee"]
    put(client, coffee, [{"class_id": CAT, "box": [0.1, 0.2, 0.5, 0.6]}])
    run("compact")
    with h5py.File(components.store().folder / VIEW_NAME) as file:
        corrections = file["corrections"]
        assert corrections["image_id"][:].tolist() == [coffee]
        assert corrections["offset"][:].tolist() == [0, 1]
        row = corrections["objects"][0].tolist()
        assert row == pytest.approx([CAT, 1, 30, 60, 150, 180])
        assert corrections["by_person"][:].tolist() == [1]
    run("backup", tmp_path / "backup")
    restored = FeatureStore(tmp_path / "backup" / "store")
    assert restored.corrections()[coffee].objects[:, 0].tolist() == [CAT]


def test_an_export_takes_corrections_to_another_gallery(
    client: Client, packaged_photos: dict[str, int], tmp_path: Path
) -> None:
    put(client, packaged_photos["coffee"], [{"class_id": CAT, "box": [0.1, 0.2, 0.5, 0.6]}])
    file = tmp_path / "gallery.h5"
    run("export_h5", file)
    Image.objects.all().delete()
    with empty_data_folder(tmp_path / "elsewhere"):
        run("import_h5", file)
        coffee = Image.objects.get(name="coffee.png")
        assert names(client, coffee.pk) == [("cat", "person")]
        assert not objects_of(Image.objects.get(name="rocket.jpg").pk).is_corrected
        # What was corrected there meanwhile stays.
        put(client, coffee.pk, [])
        run("import_h5", file)
        assert names(client, coffee.pk) == []


def test_json_brings_a_correction_back() -> None:
    text = '[{"class_id":17,"score":1.0,"box":[0.1,0.2,0.5,0.6],"source":"person"}]'
    correction = Correction.of_json(text)
    assert correction is not None
    assert correction.as_json() == text
    assert Correction.of_json("null") is None


def test_classes_of_one_photo_have_colours_of_their_own() -> None:
    frisbee, bowl = 34, 51
    assert class_colours([DOG, frisbee, DOG]) == {DOG: DOG % COLOURS, frisbee: DOG % COLOURS + 1}
    assert class_colours([bowl, CUP]) == {bowl: bowl % COLOURS, CUP: CUP % COLOURS}
    assert set(class_colours(range(1, COLOURS + 1)).values()) == set(range(COLOURS))
    assert class_colours(range(1, 91))[90] == 90 % COLOURS
