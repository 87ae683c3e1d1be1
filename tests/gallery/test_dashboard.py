"""The dashboard: what it shows of the collection, of failures, and of the gallery's health."""

from __future__ import annotations

import html
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from featurestore.posting_kernels import SURE_SCORE
from gallery import collection, components
from gallery.collection import count_objects, object_figures, timeline
from gallery.disk_use import disk_use
from gallery.doctor import Verdict
from gallery.import_command import import_command
from gallery.lately import Lately
from gallery.models import Image
from gallery.tasks import schedule_ingestion
from gallery.vitals import lately_detector_problem, lately_disk_use, signs
from tests.gallery.made_gallery import LEFT, MIDDLE, RIGHT, add_photo
from tests.gallery.served_gallery import free_port

pytestmark = pytest.mark.django_db


@pytest.fixture
def walks(gallery_data: Path) -> None:
    """Three walks with a dog, one of them with a cat and one with a dog that nobody is sure of."""
    add_photo("a", [("person", 0.9, LEFT), ("dog", 0.8, RIGHT)])
    add_photo("b", [("person", 0.9, LEFT), ("person", 0.7, MIDDLE), ("dog", 0.8, RIGHT)])
    add_photo("c", [("person", 0.9, LEFT), ("cat", 0.6, RIGHT), ("dog", SURE_SCORE / 2, MIDDLE)])


def text_of(client: Client, path: str = "/") -> str:
    response = client.get(path)
    assert response.status_code == 200
    return html.unescape(response.content.decode())


def failures_of(client: Client, path: str = "/") -> str:
    """What a page says of the photos that failed; its tray of uploads has tries of its own."""
    return text_of(client, path).split('<section class="failures"')[1].split("</section>")[0]


def test_objects_are_counted_by_photo_and_only_where_they_are_sure(walks: None) -> None:
    figures = count_objects(components.index())
    assert [(one.name, one.images, one.share) for one in figures.objects] == [
        ("person", 3, 100),
        ("dog", 2, 67),
        ("cat", 1, 33),
    ]
    assert {(pair.column_name, pair.row_name): pair.count for pair in figures.together.pairs} == {
        ("person", "dog"): 2,
        ("person", "cat"): 1,
    }


def test_they_are_counted_anew_when_the_photos_change(walks: None) -> None:
    before = object_figures(components.index())
    assert object_figures(components.index()) is before
    add_photo("d", [("dog", 0.9, LEFT)])
    assert object_figures(components.index()).objects[1].images == 3


def test_bars_and_cells_lead_to_their_searches(walks: None, client: Client) -> None:
    dashboard = client.get("/").content.decode()
    assert 'href="/search?q=dog"' in dashboard
    assert 'href="/search?q=person%20and%20dog" aria-label="person and dog: 2 photos"' in dashboard
    assert b"photos for" in client.get("/search?q=person%20and%20dog").content


def test_time_is_counted_in_the_zone_of_the_pages(gallery_data: Path, settings: Settings) -> None:
    settings.TIME_ZONE = "Pacific/Auckland"
    # Already the first of March there.
    add_photo("late", [], uploaded_at=datetime(2026, 2, 28, 20, tzinfo=UTC))
    shown = timeline(1)
    assert shown is not None
    [march] = shown.latest_first
    assert march.photos == 1
    assert march.period.filters == "after:2026-03-01 before:2026-03-02"


def test_the_timeline_follows_what_comes_and_goes(gallery_data: Path) -> None:
    assert timeline(0) is None
    for day in (1, 2, 2):
        add_photo(f"{Image.objects.count()}", [], uploaded_at=datetime(2026, 5, day, tzinfo=UTC))
    shown = timeline(3)
    assert shown is not None
    assert [one.photos for one in shown.latest_first] == [2, 1]
    Image.objects.latest("pk").delete()
    shown = timeline(2)
    assert shown is not None
    assert [one.photos for one in shown.latest_first] == [1, 1]


def test_the_same_photos_are_not_counted_twice(
    walks: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = timeline(3)
    monkeypatch.setattr(collection, "count_arrivals", None)
    assert timeline(3) is shown


def fail(name: str, reason: str, state: Image.State = Image.State.FAILED) -> Image:
    image = add_photo(name, None, state=state)
    Image.objects.filter(pk=image.pk).update(failure=reason)
    return image


def test_failures_are_told_by_reason_and_tried_again_by_reason(
    gallery_data: Path, client: Client
) -> None:
    for number in range(9):
        fail(f"rainy-{number}", "It rained on the detector.")
    windy = fail("windy", "It was too windy.")
    shown = text_of(client, reverse("ingest_progress"))
    assert "10 photos failed" in shown
    assert shown.count("It rained on the detector.</p>") == 1
    assert "rainy-8" in shown
    assert "rainy-0" not in shown
    assert "and 5 more" in shown
    assert "Try these 9 again" in shown
    assert "Try all again" in shown

    client.post(reverse("retry"), {"reason": "It rained on the detector."})
    assert list(Image.objects.failed()) == [windy]
    assert Image.objects.received().count() == 9


def test_what_is_lost_is_not_offered_to_be_tried_again(gallery_data: Path, client: Client) -> None:
    for number in range(3):
        fail(f"gone-{number}", "Its original is lost.", Image.State.LOST)
    shown = text_of(client)
    assert "3 photos failed" in shown
    assert "Upload the original again" in shown
    assert reverse("retry") not in shown
    fail("rainy", "It rained.")
    assert "Try all again" not in failures_of(client)


def test_health_names_what_is_wrong(gallery_data: Path, settings: Settings, client: Client) -> None:
    lately_detector_problem.forget()
    assert {sign.verdict for sign in signs()} <= {Verdict.GOOD, Verdict.NOTE}
    settings.DETECTOR_URL = f"grpc://127.0.0.1:{free_port()}"
    components.detector.cache_clear()
    lately_detector_problem.forget()
    try:
        while (found := lately_detector_problem()) is None:
            pass
        assert found
        add_photo("any", [])
        assert "It does not answer. Uploads are kept" in text_of(client)
    finally:
        components.detector.cache_clear()
        lately_detector_problem.forget()


def test_uploads_under_way_count_as_kept(
    gallery_data: Path, settings: Settings, client: Client
) -> None:
    add_photo("any", [])
    before = disk_use()
    folder = settings.UNFINISHED_DIR / "anybody"
    folder.mkdir(parents=True)
    (folder / "half.part").write_bytes(bytes(3_000_000))
    assert disk_use().total == before.total + 3_000_000
    lately_disk_use.forget()
    while lately_disk_use() is None:
        pass
    shown = " ".join(text_of(client).replace("\xa0", " ").split())
    lately_disk_use.forget()
    assert "<dt>Uploads under way</dt><dd>2.9 MB</dd>" in shown


def test_work_that_nobody_takes_up_is_told(gallery_data: Path) -> None:
    schedule_ingestion(datetime(2026, 1, 1, tzinfo=UTC))
    image = add_photo("waiting", None, state=Image.State.RECEIVED)
    Image.objects.filter(pk=image.pk).update(due_at=datetime(2026, 1, 1, tzinfo=UTC))
    [worker] = [sign for sign in signs() if sign.name == "Worker"]
    assert worker.verdict == Verdict.BAD


def test_nobody_waits_for_a_slow_answer_and_it_is_asked_for_once() -> None:
    go_on = threading.Event()
    asked = []

    def ask() -> str:
        asked.append(1)
        assert go_on.wait(10)
        return "well"

    lately = Lately(ask, keep_seconds=60, patience_seconds=0.01)
    assert lately() is None
    assert lately() is None
    go_on.set()
    while lately() is None:
        pass
    assert lately() == "well"
    assert len(asked) == 1


def test_the_import_command_is_that_of_this_gallery(
    settings: Settings, gallery_data: Path, client: Client
) -> None:
    settings.GALLERY_DATA = Path("/somewhere else")
    command = import_command(with_folders=True)
    assert command.startswith(f"cd {settings.BASE_DIR}")
    assert "GALLERY_DATA='/somewhere else' " in command
    assert command.endswith("manage.py ingest ~/Pictures")
    assert str(settings.BASE_DIR) not in import_command(with_folders=False)
    settings.IMPORT_COMMAND = "docker compose run photos"
    assert import_command(with_folders=True) == "docker compose run photos"
    assert "docker compose run photos" in text_of(client)
