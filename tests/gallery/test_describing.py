"""Searches by descriptions, with a tiny image–text model from the files to the pages."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from django.core.management import call_command
from django.test import Client
from django.utils import timezone
from django_tasks_db.models import DBTaskResult
from PIL import Image as Pillow
from pytest_django import Settings

from featurestore.checking import check_store
from featurestore.looks import LookFeatures
from gallery import components, describing
from gallery.description_check import describe_photos
from gallery.errors import QueryRefused
from gallery.hits import Answer
from gallery.ingest import ingest_batch
from gallery.looking import fill_in_looks
from gallery.models import Image
from gallery.search import search_text
from gallery.trash import move_to_trash
from gallery.uploads import receive_file
from tests.image_text_models import OPTIONS, make_model
from tests.photos import CAT

pytestmark = pytest.mark.django_db

COLOURS = {"rose": (220, 30, 40), "brick": (210, 70, 60), "meadow": (30, 190, 50)}


@pytest.fixture
def clip_models(tmp_path: Path, settings: Settings) -> Iterator[Path]:
    """The folder of a tiny model, plugged in."""
    settings.CLIP_MODELS = make_model(tmp_path / "clip")
    components.image_text_model.cache_clear()
    yield settings.CLIP_MODELS
    components.image_text_model.cache_clear()


@pytest.fixture
def ids(gallery_data: Path, tmp_path: Path) -> dict[str, int]:
    """A red photo, one less so, a green one and a cat, received and ingested; ids by name."""
    paths = [CAT]
    for name, colour in COLOURS.items():
        paths.append(tmp_path / f"{name}.png")
        Pillow.new("RGB", (320, 200), colour).save(paths[-1])
    for path in paths:
        receive_file(path)
    ingest_batch(Image.objects.claim_batch())
    return {Path(image.name).stem: image.pk for image in Image.objects.ready()}


def found(answer: Answer) -> list[str]:
    return [Path(hit.image.name).stem for hit in answer.hits]


def look() -> None:
    model = components.image_text_model()
    assert model is not None
    assert fill_in_looks(model)


def test_photos_are_found_by_what_is_said_of_them(
    ids: dict[str, int], clip_models: Path, run_worker: Callable[[], None], client: Client
) -> None:
    before = search_text('like:"something red"')
    assert (before.total, before.undescribed) == (0, 4)
    DBTaskResult.objects.update(run_after=timezone.now())
    run_worker()
    answer = search_text('like:"something red"')
    assert found(answer)[:2] == ["rose", "brick"]
    assert answer.undescribed == 0
    assert "meadow" not in found(answer)
    [reason] = answer.hits[0].why
    assert reason.sentence == f"matches “something red”: {100 * answer.hits[0].score:.0f}%"
    assert reason.part == pytest.approx(answer.hits[0].score)
    assert list(check_store(components.store().folder)) == []

    move_to_trash([ids["rose"]])
    assert found(search_text('like:"something red"'))[0] == "brick"

    page = client.get("/search", {"q": 'like:"green"'})
    assert "matches “green”" in page.content.decode()
    told = client.get("/api/v1/search", {"q": 'like:"green"'}).json()
    assert told["results"][0]["name"] == "meadow.png"
    assert told["results"][0]["why"][0]["asked"] == 'like:"green"'
    printed = StringIO()
    call_command("search", 'like:"green"', stdout=printed)
    assert "meadow.png  matches “green”: " in printed.getvalue()


def test_objects_and_descriptions_are_asked_for_together(
    ids: dict[str, int], clip_models: Path
) -> None:
    look()
    alone, both = search_text("cat"), search_text('cat like:"red"')
    assert found(alone) == found(both) == ["chelsea"]
    by_words = search_text('like:"red"', weak=True)
    of_cat = next(hit for hit in by_words.hits if hit.image.pk == ids["chelsea"])
    assert both.hits[0].score == pytest.approx(alone.hits[0].score * of_cat.score, rel=1e-4)
    assert sum(reason.part for reason in both.hits[0].why) == pytest.approx(both.hits[0].score)
    assert [reason.asked for reason in both.hits[0].why] == ["cat", 'like:"red"']
    assert "rose" not in found(search_text('-like:"red"'))
    assert found(search_text('like:"red" name:brick')) == ["brick"]


def test_words_that_mean_no_object_are_a_description(
    ids: dict[str, int], clip_models: Path, client: Client
) -> None:
    look()
    page = client.get("/search", {"q": "cat qqxqqzzvv"}).content.decode()
    assert "?q=cat%20like%3A%22qqxqqzzvv%22" in page
    assert "?q=like%3A%22cat%20qqxqqzzvv%22" in page
    answer = search_text("qqxqqzzvv name:rose")
    assert answer.read_as_description
    assert answer.text is not None
    assert answer.text.printed == 'name:rose like:"qqxqqzzvv"'
    page = client.get("/search", {"q": "qqxqqzzvv"}).content.decode()
    assert "all of them were compared with the pictures as a whole" in page


def test_without_a_model_all_else_is_as_it_was(ids: dict[str, int], client: Client) -> None:
    with pytest.raises(QueryRefused, match="no image–text model is plugged in"):
        search_text("like:red")
    page = client.get("/search", {"q": "cat qqxqqzzvv"}).content.decode()
    assert "like%3A" not in page
    assert not search_text("qqxqqzzvv").read_as_description
    assert not describing.is_on()


def test_a_model_that_does_not_fit_breaks_nothing_else(
    ids: dict[str, int], clip_models: Path, run_worker: Callable[[], None], client: Client
) -> None:
    (clip_models / "text.onnx").write_bytes(b"?")
    refused = client.get("/search", {"q": "like:red"})
    assert refused.status_code == 400
    assert "does not work" in refused.content.decode()
    (clip_models / "image.onnx").unlink()
    components.image_text_model.cache_clear()
    DBTaskResult.objects.update(run_after=timezone.now())
    run_worker()
    assert client.get("/api/v1/search", {"q": "like:red"}).status_code == 400
    assert found(search_text("cat")) == ["chelsea"]
    look_id = components.look_model_id()
    assert look_id is not None
    assert len(components.store().looks(look_id).image_ids()) == 4
    printed = StringIO()
    with pytest.raises(SystemExit):
        call_command("doctor", "--json", "--only", "clip", stdout=printed)
    [finding] = json.loads(printed.getvalue())["findings"]
    assert "there is neither image.onnx nor a SavedModel image/" in finding["finding"]


def test_what_a_model_says_of_many_photos_shows_whether_its_settings_fit(
    gallery_data: Path, clip_models: Path
) -> None:
    model = components.image_text_model()
    assert model is not None
    assert describe_photos(model) is None
    colours = np.random.default_rng(7).uniform(0, 1, (80, 3)).astype(np.float32)
    vectors = colours / np.linalg.norm(colours, axis=1, keepdims=True)
    looks = LookFeatures.of(range(1, 81), vectors, np.empty((80, 0), np.float32), 1)
    components.store().looks(model.model_id).append(looks)
    found = describe_photos(model, ["red", "blue"])
    assert found is not None
    assert found.photos == 80
    assert 0 < min(found.matching) < 0.5
    assert found.doubt == ""
    assert found.cosines[0] < found.cosines[1] < found.cosines[2] <= 1
    # All that these words say is that of the neutral phrase.
    every = describe_photos(model)
    assert every is not None
    assert every.matching == (1, 1, 1, 1, 1)
    assert "most photos match" in every.doubt
    for cut_off, doubt in ((0.999, "no photo matches"), (0.5, "most photos match")):
        (clip_models / "clip.json").write_text(json.dumps(OPTIONS | {"cut_off": cut_off}))
        components.image_text_model.cache_clear()
        printed = StringIO()
        call_command("doctor", "--only", "clip", stdout=printed)
        assert "Of 80 photos cosines with 5 everyday descriptions" in printed.getvalue()
        assert doubt in printed.getvalue()
