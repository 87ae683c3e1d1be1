"""Background work, as tasks in the database that `manage.py worker` runs."""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Min
from django.utils import timezone
from django_tasks import TaskResultStatus, task
from django_tasks.base import Task
from django_tasks_db.models import DBTaskResult

from gallery.models import Image, ImageQuerySet

TEND_AFTER_SECONDS = 3.0
TEND_AGAIN_SECONDS = 60.0
# Tending takes at most one part in so many of a worker's time.
TEND_PAUSE = 10


@task()
def ingest_received() -> int:
    """Ingest one batch of received images; returns how many became ready."""
    # The detector and the word vectors are loaded in the worker only.
    from gallery.ingest import ingest_batch

    # Should this worker be killed, the task that comes at the lease's end takes its images over.
    schedule_ingestion(timezone.now() + timedelta(seconds=settings.INGEST_LEASE_SECONDS + 1))
    ready = ingest_batch(Image.objects.claim_batch())
    next_due = Image.objects.received().aggregate(first=Min("due_at"))["first"]
    if next_due is not None:
        schedule_ingestion(next_due)
    if ready:
        schedule_tending()
    return ready


@task()
def tend() -> None:
    """Compact the store and renew its index and view."""
    from gallery.agreement import end_deletions
    from gallery.tending import tend_store

    end_deletions()
    started = time.monotonic()
    try:
        done = tend_store()
    except OSError:
        # A full disk, as a rule; what is deleted is still to be taken off it.
        schedule_tending(TEND_AGAIN_SECONDS)
        raise
    if done is None or done.unfinished:
        # A large store takes long to tend, which should not keep new photos waiting for ever.
        schedule_tending(TEND_AFTER_SECONDS + TEND_PAUSE * (time.monotonic() - started))


def schedule_ingestion(at: datetime) -> None:
    """Have received images looked for at a time, unless that is due already."""
    _schedule(ingest_received, at)


def schedule_tending(after_seconds: float = TEND_AFTER_SECONDS) -> None:
    """Have the store tended once things have calmed down, unless that is due already."""
    _schedule(tend, timezone.now() + timedelta(seconds=after_seconds))


def _schedule(task: Task[[], Any], at: datetime) -> None:
    due = DBTaskResult.objects.filter(
        task_path=task.module_path, status=TaskResultStatus.READY, run_after__lte=at
    )
    if not due.exists():
        task.using(run_after=at).enqueue()


@transaction.atomic
def retry_failed(images: ImageQuerySet) -> int:
    """Put the failed ones among images back in the queue; returns how many."""
    count = images.retry()
    schedule_ingestion(timezone.now())
    return count
