"""The SQL catalogue: an index of the feature store plus the state of ingestion."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import ClassVar

from django.conf import settings
from django.db import connection, models, transaction
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

# How a failure begins that tells of a lost original.
LOST = "lost: "
# Until a photo is tried again that had to wait, such as for room on the disk.
WAIT_SECONDS = 20


class ImageQuerySet(models.QuerySet["Image"]):
    def received(self) -> ImageQuerySet:
        """Images that wait for their features."""
        return self.filter(state=Image.State.RECEIVED)

    def ready(self) -> ImageQuerySet:
        """Images that can be searched."""
        return self.filter(state=Image.State.READY)

    def failed(self) -> ImageQuerySet:
        """Images that were tried often enough; a person may have them tried again."""
        return self.filter(state=Image.State.FAILED)

    def claimable(self, now: datetime) -> ImageQuerySet:
        """Received images that no worker holds and that are due."""
        return self.received().filter(due_at__lte=now)

    def newest_first(self) -> ImageQuerySet:
        return self.order_by("-uploaded_at", "-id")

    def newer_than(self, image: Image) -> Image | None:
        """The neighbour before an image in the order of `newest_first`."""
        newer = Q(uploaded_at__gt=image.uploaded_at) | Q(
            uploaded_at=image.uploaded_at, pk__gt=image.pk
        )
        return self.filter(newer).newest_first().last()

    def older_than(self, image: Image) -> Image | None:
        """The neighbour after an image in the order of `newest_first`."""
        older = Q(uploaded_at__lt=image.uploaded_at) | Q(
            uploaded_at=image.uploaded_at, pk__lt=image.pk
        )
        return self.filter(older).newest_first().first()

    def claim_batch(self) -> list[Image]:
        """Take some due images for this worker until their lease ends.

        Each claim counts as a try, so that a photo that kills its worker is given up in the end;
        one that was tried before is taken alone, so that it harms no other.
        """
        now = timezone.now()
        with transaction.atomic():
            self.claimable(now).filter(tries__gte=settings.INGEST_TRIES).update(
                state=Image.State.FAILED,
                failure=f"Each of {settings.INGEST_TRIES} tries was cut off; the log may say why.",
            )
            due = self.claimable(now).order_by("tries", "id")
            if connection.features.has_select_for_update_skip_locked:
                due = due.select_for_update(skip_locked=True)
            batch = _first_batch(list(due[: settings.INGEST_BATCH]))
            for image in batch:
                image.tries += 1
                image.due_at = now + timedelta(seconds=settings.INGEST_LEASE_SECONDS)
            self.bulk_update(batch, ["tries", "due_at"])
        return batch

    def mark_ready(self) -> set[int]:
        """Record that the store holds everything; returns ids of those that were not deleted.

        Whatever their state: a try that was given up on may still succeed.
        """
        self.update(state=Image.State.READY, failure="")
        return set(self.values_list("pk", flat=True))

    def retry(self) -> int:
        """Put failed images back in the queue; returns how many."""
        return self.failed().update(
            state=Image.State.RECEIVED, tries=0, failure="", due_at=timezone.now()
        )


def _first_batch(due: list[Image]) -> list[Image]:
    """The images to take together: few enough for the memory, and none that may do harm."""
    if due and due[0].tries > 0:
        return due[:1]
    batch: list[Image] = []
    for image in due:
        total = sum(other.size for other in batch) + image.size
        if image.tries > 0 or (batch and total > settings.INGEST_BATCH_BYTES):
            break
        batch.append(image)
    return batch


class Image(models.Model):
    """One photo of the gallery."""

    class State(models.TextChoices):
        RECEIVED = "received", "waiting"
        READY = "ready", "ready"
        FAILED = "failed", "failed"

    sha256 = models.CharField(max_length=64, unique=True)
    name = models.CharField(max_length=255)
    media_type = models.CharField(max_length=40)
    size = models.PositiveBigIntegerField(help_text="Bytes of the original.")
    width = models.PositiveIntegerField(help_text="Pixels, as seen upright.")
    height = models.PositiveIntegerField(help_text="Pixels, as seen upright.")
    uploaded_at = models.DateTimeField(default=timezone.now, db_index=True)
    state = models.CharField(
        max_length=10, choices=State.choices, default=State.RECEIVED, db_index=True
    )
    spool_name = models.CharField(
        max_length=255, blank=True, help_text="The original's file until it is in the store."
    )
    tries = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField(
        default=timezone.now, help_text="When a worker may take it: later while one holds it."
    )
    failure = models.TextField(blank=True)

    objects = ImageQuerySet.as_manager()

    class Meta:
        indexes: ClassVar[list[models.Index]] = [models.Index(fields=["state", "due_at"])]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("photo", args=[self.pk])

    @property
    def is_ready(self) -> bool:
        return self.state == self.State.READY

    @property
    def has_failed(self) -> bool:
        return self.state == self.State.FAILED

    @property
    def is_lost(self) -> bool:
        """Whether no original of it is left; `check_store --repair` says so."""
        return self.has_failed and self.failure.startswith(LOST)

    def mark_waiting(self, reason: str) -> None:
        """Have it tried again soon for as long as it takes: it is no fault of the photo."""
        Image.objects.received().filter(pk=self.pk).update(
            tries=self.tries - 1,
            failure=reason,
            due_at=timezone.now() + timedelta(seconds=WAIT_SECONDS),
        )

    def mark_try_failed(self, reason: str) -> None:
        """Have it tried again after a growing pause, or mark it failed after the last try.

        Where its lease had ended and another worker made it ready meanwhile, it stays ready.
        """
        if self.tries >= settings.INGEST_TRIES:
            self.state = self.State.FAILED
        pause = timedelta(seconds=5 * 4 ** (self.tries - 1))
        Image.objects.received().filter(pk=self.pk).update(
            state=self.state, failure=reason, due_at=timezone.now() + pause
        )
