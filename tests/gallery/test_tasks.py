from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as gallery_settings
from django.utils import timezone
from django_tasks import TaskResultStatus
from django_tasks_db.models import DBTaskResult
from pytest_django import Settings

from gallery import components
from gallery.ingest import Ingestion, ingest_batch
from gallery.models import Image
from gallery.originals import delete_images
from gallery.tasks import ingest_received, schedule_tending, tend
from gallery.uploads import receive_file
from tests.photos import CAT, COFFEE

pytestmark = pytest.mark.django_db

RunWorker = Callable[[], None]
DAY = 24 * 3600.0


def due(path: str) -> list[DBTaskResult[..., object]]:
    """Tasks of a kind that are yet to run, first the next."""
    ready = DBTaskResult.objects.filter(
        status=TaskResultStatus.READY, task_path__endswith=f".{path}"
    )
    return list(ready.order_by("run_after"))


def let_tasks_be_due() -> None:
    DBTaskResult.objects.filter(status=TaskResultStatus.READY).update(run_after=timezone.now())


@pytest.fixture
def unwritable_queries(gallery_data: Path) -> Iterator[None]:
    """The folder of queries is a file, as after a slip of somebody's hand."""
    folder = gallery_settings.QUERY_DIR
    folder.rmdir()
    folder.write_text("")
    yield
    folder.unlink()


def test_a_task_that_fails_is_logged_with_its_traceback(
    unwritable_queries: None, run_worker: RunWorker, caplog: pytest.LogCaptureFixture
) -> None:
    schedule_tending(0)
    run_worker()
    [record] = [record for record in caplog.records if record.name == "gallery.tasks"]
    assert record.levelname == "ERROR"
    assert record.getMessage().startswith("The task tend failed:\nTraceback")
    assert "NotADirectoryError" in record.getMessage()


def test_tasks_that_ended_or_were_cut_off_long_ago_are_forgotten(gallery_data: Path) -> None:
    for hours, status in (
        *((30, status) for status in TaskResultStatus),
        *((1, status) for status in TaskResultStatus),
    ):
        result = DBTaskResult.objects.get(pk=tend.enqueue().id)
        result.status = status
        if status != TaskResultStatus.READY:
            result.started_at = timezone.now() - timedelta(hours=hours)
        result.save()
    tend.call()
    left = DBTaskResult.objects.order_by("enqueued_at").values_list("status", flat=True)
    assert list(left) == [TaskResultStatus.READY, *TaskResultStatus]


def test_without_photos_that_wait_no_ingestion_is_planned(run_worker: RunWorker) -> None:
    receive_file(CAT)
    run_worker()
    assert Image.objects.ready().count() == 1
    for _ in range(3):
        let_tasks_be_due()
        run_worker()
    assert due("ingest_received") == []


def test_a_batch_is_taken_over_when_its_worker_is_killed(gallery_data: Path) -> None:
    receive_file(CAT)
    DBTaskResult.objects.all().delete()

    def killed(*arguments: object) -> None:
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("gallery.ingest.Ingestion.add", killed)
        with pytest.raises(KeyboardInterrupt):
            ingest_received.call()
    [takeover] = due("ingest_received")
    held_until = Image.objects.get().due_at
    assert held_until <= takeover.run_after <= held_until + timedelta(seconds=5)


def test_other_workers_are_called_while_more_waits(
    gallery_data: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.INGEST_BATCH = 1
    for path in (CAT, COFFEE):
        receive_file(path)
    DBTaskResult.objects.all().delete()
    called = []

    class Watched(Ingestion):
        def add(self, images: Sequence[Image], prepared: Any = None) -> None:
            called.append(sum(task.run_after <= timezone.now() for task in due("ingest_received")))
            super().add(images, prepared)

    monkeypatch.setattr("gallery.ingest.Ingestion", Watched)
    assert ingest_received.call() == 2
    # With the first photo one task for whoever is free, and with the last none more.
    assert called == [1, 1]


def test_tending_follows_a_batch_that_was_deleted_meanwhile(
    gallery_data: Path, run_worker: RunWorker
) -> None:
    image = receive_file(CAT).image
    assert image is not None
    batch = Image.objects.claim_batch()
    # The row goes while the file, which the worker has open, is still there.
    Image.objects.all().delete()
    assert ingest_batch(batch) == 0
    assert list(components.store().folder.glob("images/*.h5"))
    assert due("tend")
    let_tasks_be_due()
    run_worker()
    assert not list(components.store().folder.glob("images/*.h5"))


def test_tending_sweeps_photos_that_were_searched_with(gallery_data: Path) -> None:
    old, young = gallery_settings.QUERY_DIR / "old.json", gallery_settings.QUERY_DIR / "young.json"
    for path, age in ((old, DAY + 60), (young, DAY - 60)):
        path.write_text("{}")
        os.utime(path, (time.time() - age, time.time() - age))
    tend.call()
    assert list(gallery_settings.QUERY_DIR.iterdir()) == [young]


def test_deleting_plans_its_own_end(gallery_data: Path) -> None:
    for path in (CAT, COFFEE):
        receive_file(path)
    delete_images([Image.objects.get(name=CAT.name)])
    assert len(due("tend")) == 1
