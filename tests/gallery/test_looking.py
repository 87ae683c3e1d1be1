"""Looks of photos: made in the background, for new photos and old ones, and never in the way."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from django.core.management import call_command
from django.utils import timezone
from django_tasks import TaskResultStatus
from django_tasks_db.models import DBTaskResult
from numpy.typing import NDArray
from pytest_django import Settings

from detector.look_model import LOOK_MODEL_ID
from featurestore.checking import check_store
from featurestore.looks import LookFeatures
from gallery import components
from gallery.decoding import look_input, read_pixels
from gallery.ingest import ingest_batch
from gallery.looking import fill_in_looks, images_without_looks, look_at
from gallery.models import Image
from gallery.originals import delete_images, thumbnail_path
from gallery.search import search_text
from gallery.tags.photo_tags import change_tags
from gallery.tags.tag_index import tag_index
from gallery.tasks import schedule_looking
from gallery.text_query import read_query
from gallery.thumbnails import Size
from gallery.uploads import receive_file
from tests.photos import CAT, COFFEE, MOTORCYCLE, MOTORCYCLE_AGAIN

pytestmark = pytest.mark.django_db

#: Numbers of ImageNet's classes.
CATS, ESPRESSO = range(281, 286), 967


@pytest.fixture
def look_url(settings: Settings) -> Iterator[Settings]:
    """Settings whose LOOK_URL may be changed."""
    yield settings
    components.embedder.cache_clear()


def ready(*paths: Path) -> list[int]:
    """Ids of photos that were received and ingested."""
    for path in paths:
        receive_file(path)
    ingest_batch(Image.objects.claim_batch())
    return list(Image.objects.ready().order_by("pk").values_list("pk", flat=True))


def looks() -> LookFeatures:
    return components.store().looks(LOOK_MODEL_ID).read()


def cosine(first: NDArray[np.float16], second: NDArray[np.float16]) -> float:
    one, other = first.astype(np.float32), second.astype(np.float32)
    return float(one @ other / np.linalg.norm(one) / np.linalg.norm(other))


def test_words_find_what_photos_look_like_and_hits_say_so(gallery_data: Path) -> None:
    cat, coffee, motorcycle = ready(CAT, COFFEE, MOTORCYCLE)
    assert search_text("espresso").hits == []
    embedder = components.embedder()
    assert embedder is not None
    fill_in_looks(embedder)

    answer = search_text("espresso")
    [hit] = answer.hits
    assert hit.image.pk == coffee
    [reason] = hit.why
    assert reason.sentence.startswith("espresso: looks like espresso (")
    [seen] = reason.looks
    assert sum(one.part for one in reason.objects) + seen.part == pytest.approx(hit.score)

    [hit] = search_text("egyptian cat").hits
    assert hit.image.pk == cat
    assert "looks like Egyptian cat" in hit.why[0].sentence
    assert [one.image.pk for one in search_text("cappuccino").hits] == [coffee]
    assert coffee not in [one.image.pk for one in search_text("-espresso").hits[:2]]
    [hit] = search_text("moped > 30%").hits
    assert hit.image.pk == motorcycle
    unknown = search_text("love")
    assert (unknown.hits, unknown.text and unknown.text.unknown_words) == ([], ["love"])

    # A word may be a look and a tag at once, and objects besides.
    change_tags([cat, coffee], add=["espresso", "dog"])
    first, second = search_text("espresso").hits
    assert {first.image.pk, second.image.pk} == {cat, coffee}
    for each in search_text("espresso").hits + search_text("cat espresso dog").hits:
        assert sum(reason.part for reason in each.why) == pytest.approx(each.score)
    of_coffee = next(hit for hit in (first, second) if hit.image.pk == coffee)
    assert of_coffee.score == pytest.approx(1)
    [reason] = of_coffee.why
    assert reason.sentence.startswith("espresso: tagged espresso; looks like espresso (")
    shown = sum(one.part for one in reason.objects) + sum(one.part for one in reason.looks)
    assert 0 < shown < reason.part
    [_, reading] = read_query("dog, 2 espressos", components.vocabulary(), tag_index).readings
    assert reading.tag == "espresso"
    assert "number" in reading.note


def test_what_has_no_place_is_found_without_one_and_the_search_says_so(gallery_data: Path) -> None:
    _, coffee = ready(CAT, COFFEE)
    embedder = components.embedder()
    assert embedder is not None
    fill_in_looks(embedder)
    answer = search_text("2 big castles, espresso left of cup")
    assert answer.text is not None
    castle, espresso, cup = answer.text.readings
    assert "number, size and place are not known" in castle.note
    assert espresso.note
    assert not cup.note
    assert answer.hits[0].image.pk == coffee
    labrador = read_query("labrador left of cup", components.vocabulary()).readings[0]
    assert "it stands for dog" in labrador.note


def test_photos_are_ready_first_and_looked_at_later(
    gallery_data: Path, run_worker: Callable[[], None]
) -> None:
    ids = ready(CAT, COFFEE, MOTORCYCLE, MOTORCYCLE_AGAIN)
    assert images_without_looks(LOOK_MODEL_ID) == ids
    due = DBTaskResult.objects.filter(status=TaskResultStatus.READY)
    assert due.filter(task_path="gallery.tasks.look_at_photos").count() == 1
    due.update(run_after=timezone.now())
    run_worker()
    found = looks()
    assert found.image_ids.tolist() == ids
    assert found.class_ids[0, 0] in CATS
    assert found.class_ids[1, 0] == ESPRESSO
    alike, unlike = cosine(*found.embedding[2:]), cosine(*found.embedding[:2])
    assert alike > 0.8 > 0.4 > unlike
    assert list(check_store(components.store().folder)) == []
    assert images_without_looks(LOOK_MODEL_ID) == []


def test_a_thumbnail_that_is_lost_or_damaged_is_made_up_for(gallery_data: Path) -> None:
    ids = ready(CAT, COFFEE)
    first, second = (thumbnail_path(image, Size.GRID) for image in Image.objects.order_by("pk"))
    first.unlink()
    second.write_bytes(first.parent.name.encode())
    embedder = components.embedder()
    assert embedder is not None
    assert fill_in_looks(embedder)
    assert looks().image_ids.tolist() == ids
    of_file = look_at(embedder, look_input(read_pixels(COFFEE, Size.GRID)))
    assert cosine(of_file.embedding[0], looks().embedding[1]) > 0.99


def test_a_photo_that_cannot_be_read_keeps_no_other_waiting(
    gallery_data: Path, caplog: pytest.LogCaptureFixture
) -> None:
    ids = ready(CAT, COFFEE)
    image = Image.objects.get(pk=ids[0])
    components.thumbnails().remove(image.sha256)
    [segment] = (components.store().folder / "images").iterdir()
    content = segment.read_bytes()
    place = content.index(CAT.read_bytes()[:100])
    segment.write_bytes(content[:place] + bytes(100) + content[place + 100 :])
    embedder = components.embedder()
    assert embedder is not None
    for _ in range(2):
        assert fill_in_looks(embedder)
    assert looks().image_ids.tolist() == ids[1:]
    assert caplog.text.count(f"How photo {ids[0]} looks cannot be told") == 1


def test_a_server_that_is_down_is_asked_again_and_nobody_waits(
    gallery_data: Path, run_worker: Callable[[], None], look_url: Settings
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        look_url.LOOK_URL = f"grpc://127.0.0.1:{taken.getsockname()[1]}"
    components.embedder.cache_clear()
    [image_id] = ready(CAT)
    schedule_looking(0)
    run_worker()
    again = DBTaskResult.objects.filter(task_path="gallery.tasks.look_at_photos")
    assert again.filter(status=TaskResultStatus.READY, run_after__gt=timezone.now()).exists()
    assert not again.filter(status=TaskResultStatus.FAILED).exists()
    assert Image.objects.get(pk=image_id).is_ready
    look_url.LOOK_URL = "local:"
    components.embedder.cache_clear()
    schedule_looking(0)
    run_worker()
    assert looks().image_ids.tolist() == [image_id]


def test_looks_may_be_switched_off(
    gallery_data: Path, run_worker: Callable[[], None], look_url: Settings
) -> None:
    look_url.LOOK_URL = "off:"
    components.embedder.cache_clear()
    ready(CAT)
    schedule_looking(0)
    run_worker()
    assert components.store().look_model_ids() == []
    assert components.look_model_id() is None


def test_looks_of_deleted_photos_go_and_those_of_others_stay_through_compaction(
    gallery_data: Path,
) -> None:
    embedder = components.embedder()
    assert embedder is not None
    ids = ready(CAT)
    fill_in_looks(embedder)
    ids = ready(COFFEE)
    fill_in_looks(embedder)
    delete_images(Image.objects.filter(pk=ids[0]))
    call_command("compact", verbosity=0)
    assert looks().image_ids.tolist() == ids[1:]
    folder = components.store().folder / "looks" / LOOK_MODEL_ID
    assert len(list(folder.glob("*.h5"))) == 1
    assert list(check_store(components.store().folder)) == []
