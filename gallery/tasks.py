"""Background work, as tasks in the database that `manage.py worker` runs."""

from __future__ import annotations

import logging
import time
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import Min
from django.dispatch import receiver
from django.utils import timezone
from django_tasks import TaskResult, TaskResultStatus, task
from django_tasks.base import Task
from django_tasks.signals import task_finished
from django_tasks_db.models import DBTaskResult

from gallery.models import Image, ImageQuerySet

if TYPE_CHECKING:
    from gallery.ingest import Ingestion

logger = logging.getLogger(__name__)

# An ingestion ends in between, so that a worker can be stopped and the store tended.
INGEST_SECONDS = 5.0
# Likewise, since nobody waits for a preview.
PREVIEW_SECONDS = 3.0
PREVIEW_AGAIN_SECONDS = 60.0
TEND_AFTER_SECONDS = 3.0
# Likewise; photos that arrive are ready first.
LOOK_SECONDS = 5.0
LOOK_AFTER_SECONDS = 1.0
LOOK_AGAIN_SECONDS = 60.0
TAG_SECONDS = 5.0
TAG_AFTER_SECONDS = 2.0
# Tags come one after the other.
CALL_AFTER_SECONDS = 10.0
# Groups and duplicates come after all looks there are.
COMPARE_SECONDS = 5.0
COMPARE_AFTER_SECONDS = 2.0
COMPARE_AGAIN_SECONDS = 60.0
TEND_AGAIN_SECONDS = 60.0
# Tending takes at most one part in so many of a worker's time.
TEND_PAUSE = 10
# For looking into what went wrong.
KEPT_DAYS = 1


@task()
def ingest_received() -> int:
    """Ingest received images for a while, batch after batch; returns how many became ready."""
    # The detector and the word vectors are loaded in the worker only.
    from gallery.ingest import Ingestion

    ready = 0
    if Image.objects.claimable(timezone.now()).exists():
        with Ingestion() as ingestion:
            stop = time.monotonic() + INGEST_SECONDS
            while not _is_over(ingestion, stop) and (batch := _claim_batch()):
                ingestion.add(batch)
            ingestion.finish()
            ready = ingestion.ready
            if ingestion.hold_up:
                # To claim one batch after the other would only keep the machine busy.
                Image.objects.hold_up(ingestion.hold_up.reason)
    next_due = Image.objects.received().aggregate(first=Min("due_at"))["first"]
    if next_due is not None:
        schedule_ingestion(next_due)
    return ready


def _is_over(ingestion: Ingestion, stop: float) -> bool:
    return ingestion.hold_up is not None or time.monotonic() >= stop


@transaction.atomic
def _claim_batch() -> list[Image]:
    batch = Image.objects.claim_batch()
    if batch:
        # Should this worker be killed, the task that comes then takes its images over.
        schedule_ingestion(Image.lease_end())
        if Image.objects.claimable(timezone.now()).exists():
            # Another worker, if there is one, need not wait for the end of this one's task.
            schedule_ingestion(timezone.now())
    return batch


@task()
def tend() -> None:
    """End what was left undone, compact the store, renew its index and view, and clear away."""
    from gallery.agreement import end_deletions, end_renames
    from gallery.photo_queries import sweep_photo_queries
    from gallery.tags.photo_tags import agree_tags
    from gallery.tending import tend_store
    from gallery.trash import end_moves
    from gallery.tus import taking

    end_deletions()
    end_renames()
    end_moves()
    agree_tags()
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
    forget_old_tasks()
    sweep_photo_queries()
    taking.sweep()


@task()
def empty_trash() -> int:
    """Delete for good what was long enough in the trash; returns how many photos."""
    from gallery.trash import delete_expired, kept_for

    count = delete_expired(timezone.now())
    next_moved = Image.objects.trashed().aggregate(first=Min("trashed_at"))["first"]
    if next_moved is not None:
        schedule_emptying(next_moved + kept_for())
    return count


@task()
def make_previews() -> int:
    """Make the tiny previews that photos lack, for a while; returns how many were made."""
    from gallery.errors import DiskFull
    from gallery.previews import make_missing_previews

    try:
        made = make_missing_previews(PREVIEW_SECONDS)
    except DiskFull:
        _schedule(make_previews, timezone.now() + timedelta(seconds=PREVIEW_AGAIN_SECONDS))
        raise
    if made and Image.objects.ready().without_preview().exists():
        schedule_previews()
    return made


def schedule_emptying(at: datetime) -> None:
    """Have the trash looked at for what is old enough, unless that is due already."""
    _schedule(empty_trash, at)


def schedule_previews() -> None:
    """Have missing previews made, unless that is due already."""
    _schedule(make_previews, timezone.now())


@task()
def look_at_photos() -> None:
    """Say for a while how photos look that are ready; goes on later where there are more."""
    try:
        _look_for_a_while()
    finally:
        schedule_tagging()


def _look_for_a_while() -> None:
    from detector import DetectorError
    from gallery.looking import EMBEDDERS, fill_in_looks

    stop = time.monotonic() + LOOK_SECONDS
    finished, failed = True, False
    for make in EMBEDDERS:
        try:
            embedder = make()
            if embedder is not None:
                left = max(0.0, stop - time.monotonic())
                finished &= fill_in_looks(embedder, seconds=left)
        except DetectorError as error:
            # One of them does not keep the others waiting.
            logger.warning("How photos look is told later: %s", error)
            failed = True
        except OSError:
            # A full disk, as a rule.
            schedule_looking(LOOK_AGAIN_SECONDS)
            raise
    if not finished:
        # Behind the photos that came meanwhile, whose turn in the queue is earlier.
        schedule_looking(0)
    elif failed:
        schedule_looking(LOOK_AGAIN_SECONDS)
    else:
        schedule_comparing()


@task()
def tag_photos() -> None:
    """Say for a while what photos are called that were looked at; goes on later with the rest."""
    from gallery.tags.machine_tags import tag_untagged

    if tag_untagged(seconds=TAG_SECONDS):
        schedule_calling()
    else:
        schedule_tagging(0)


@task()
def call_groups() -> None:
    """Call groups of photos after what is known of these by now."""
    from gallery.groups.names import call_groups_anew

    call_groups_anew()


def schedule_calling() -> None:
    """Have groups called anew once tags have changed, unless that is due already."""
    _schedule(call_groups, timezone.now() + timedelta(seconds=CALL_AFTER_SECONDS))


def schedule_tagging(after_seconds: float = TAG_AFTER_SECONDS) -> None:
    """Have photos tagged that were looked at, unless that is due already."""
    _schedule(tag_photos, timezone.now() + timedelta(seconds=after_seconds))


def schedule_looking(after_seconds: float = LOOK_AFTER_SECONDS) -> None:
    """Have photos without a look looked at, unless that is due already."""
    _schedule(look_at_photos, timezone.now() + timedelta(seconds=after_seconds))


@task()
def compare_looks() -> None:
    """Group photos that look alike, and find duplicates for a while; goes on later."""
    from featurestore.errors import StoreError
    from gallery.duplicates.comparing import compare_photos
    from gallery.groups.grouping import group_photos

    try:
        group_photos()
        if not compare_photos(COMPARE_SECONDS):
            # Behind the photos that came meanwhile, whose turn in the queue is earlier.
            schedule_comparing(0)
    except FileNotFoundError:
        # Compaction has put other segments in the place of those that were to be read.
        schedule_comparing(COMPARE_AGAIN_SECONDS)
    except (StoreError, OSError):
        # A full disk, as a rule.
        schedule_comparing(COMPARE_AGAIN_SECONDS)
        raise


def schedule_comparing(after_seconds: float = COMPARE_AFTER_SECONDS) -> None:
    """Have new photos grouped and compared, unless that is due already."""
    _schedule(compare_looks, timezone.now() + timedelta(seconds=after_seconds))


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


def forget_old_tasks() -> None:
    """Remove tasks that ended, or were cut off, more than a day ago."""
    long_ago = timezone.now() - timedelta(days=KEPT_DAYS)
    started = DBTaskResult.objects.exclude(status=TaskResultStatus.READY)
    started.filter(started_at__lt=long_ago).delete()


@receiver(task_finished)
def log_failure(task_result: TaskResult[object], **kwargs: object) -> None:
    """Say in the log why a task failed, which else only its row in the database would."""
    if task_result.status == TaskResultStatus.FAILED:
        for error in task_result.errors:
            logger.error("The task %s failed:\n%s", task_result.task.name, error.traceback)


@transaction.atomic
def retry_failed(images: ImageQuerySet) -> int:
    """Put the failed ones among images back in the queue; returns how many."""
    count = images.retry()
    schedule_ingestion(timezone.now())
    return count
