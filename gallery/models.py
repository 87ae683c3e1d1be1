"""The SQL catalogue: an index of the feature store plus the state of ingestion."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import ClassVar

from django.conf import settings
from django.db import connection, models, transaction
from django.db.models import F, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

# Models of this app that have a package of their own.
from gallery.access.models import ApiToken, SignInTries
from gallery.duplicates.models import AlikePair, ComparedPhoto
from gallery.groups.models import GroupedPhoto, PhotoGroup
from gallery.saved.models import SavedSearch
from gallery.tags.models import PhotoTag

__all__ = [
    "AlikePair",
    "ApiToken",
    "ComparedPhoto",
    "GroupedPhoto",
    "Image",
    "ImageQuerySet",
    "PhotoGroup",
    "PhotoTag",
    "SavedSearch",
    "SignInTries",
]

# How much of an original's SHA-256 is in the addresses of its pictures.
VERSION_LENGTH = 12
# Until a photo is tried again that had to wait, such as for the detector or for room on the disk.
WAIT_SECONDS = 20
# How often a worker renews its leases before one would end.
LEASE_RENEWALS = 4


class ImageQuerySet(models.QuerySet["Image"]):
    def shown(self) -> ImageQuerySet:
        """Images that people see: all but those in the trash."""
        return self.filter(trashed_at=None)

    def trashed(self) -> ImageQuerySet:
        """Images in the trash."""
        return self.exclude(trashed_at=None)

    def without_preview(self) -> ImageQuerySet:
        """Images whose tiny preview nobody has tried to make yet."""
        return self.filter(preview=None)

    def received(self) -> ImageQuerySet:
        """Images that wait for their features."""
        return self.filter(state=Image.State.RECEIVED)

    def ready(self) -> ImageQuerySet:
        """Images that can be searched."""
        return self.filter(state=Image.State.READY)

    def failed(self) -> ImageQuerySet:
        """Images that do not become ready by themselves: tried often enough, or lost."""
        return self.filter(state__in=[Image.State.FAILED, Image.State.LOST])

    def lost(self) -> ImageQuerySet:
        """Images that no original is left of."""
        return self.filter(state=Image.State.LOST)

    def claimable(self, now: datetime) -> ImageQuerySet:
        """Received images that no worker holds and that are due."""
        return self.received().filter(due_at__lte=now)

    def in_turn(self) -> ImageQuerySet:
        """First what a person waits for, and last what was tried before."""
        return self.order_by("priority", "tries", "id")

    def newest_first(self) -> ImageQuerySet:
        return self.order_by("-uploaded_at", "-id")

    def newer_than(self, image: Image) -> Image | None:
        """The neighbour before an image in the order of `newest_first`, of those that are shown."""
        newer = Q(uploaded_at__gt=image.uploaded_at) | Q(
            uploaded_at=image.uploaded_at, pk__gt=image.pk
        )
        return self.shown().filter(newer).newest_first().last()

    def older_than(self, image: Image) -> Image | None:
        """The neighbour after an image in the order of `newest_first`, of those that are shown."""
        older = Q(uploaded_at__lt=image.uploaded_at) | Q(
            uploaded_at=image.uploaded_at, pk__lt=image.pk
        )
        return self.shown().filter(older).newest_first().first()

    def claim_batch(self) -> list[Image]:
        """Take some due images for this worker until their lease ends.

        Each claim counts as a try, so that a photo that kills its worker is given up in the end;
        one that was tried before is taken alone, so that it harms no other.
        """
        now = timezone.now()
        with transaction.atomic():
            due = self.claimable(now).in_turn()
            if connection.features.has_select_for_update_skip_locked:
                due = due.select_for_update(skip_locked=True)
            found = list(due[: settings.INGEST_BATCH])
            given_up = [image.pk for image in found if image.tries >= settings.INGEST_TRIES]
            if given_up:
                self.filter(pk__in=given_up).update(
                    state=Image.State.FAILED,
                    failure=f"Each of {settings.INGEST_TRIES} tries was cut off; "
                    "the log may say why.",
                )
            batch = _first_batch([image for image in found if image.pk not in given_up])
            for image in batch:
                image.tries += 1
            # All of a batch have the same tries: one statement, however many they are.
            self.filter(pk__in=[image.pk for image in batch]).update(
                tries=F("tries") + 1, due_at=Image.lease_end()
            )
        return batch

    def renew_leases(self, image_ids: Iterable[int]) -> None:
        """Say that a worker is still at work on images."""
        self.received().filter(pk__in=list(image_ids)).update(due_at=Image.lease_end())

    def hold_up(self, reason: str) -> None:
        """Have all that are due wait a while for what none of them can do without."""
        self.claimable(timezone.now()).update(failure=reason, due_at=_wait_end())

    def mark_ready(self) -> set[int]:
        """Record that the store holds everything; returns ids of those that were not deleted.

        Whatever their state: a try that was given up on may still succeed.
        """
        self.update(state=Image.State.READY, failure="")
        return set(self.values_list("pk", flat=True))

    def lock(self) -> set[int]:
        """Ids of those that there are; nobody else changes or deletes them until this ends."""
        return set(self.order_by("pk").select_for_update().values_list("pk", flat=True))

    def retry(self) -> int:
        """Put failed images back in the queue, but for lost ones; returns how many."""
        return self.filter(state=Image.State.FAILED).update(
            state=Image.State.RECEIVED, tries=0, failure="", due_at=timezone.now()
        )


def _wait_end() -> datetime:
    return timezone.now() + timedelta(seconds=WAIT_SECONDS)


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
        RECEIVED = "received", _("waiting")
        READY = "ready", _("ready")
        FAILED = "failed", _("failed")
        LOST = "lost", _("lost")

    class Priority(models.IntegerChoices):
        UPLOAD = 0, "upload"
        """Somebody has just uploaded it and looks for it."""
        IMPORT = 1, "import"

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
    priority = models.PositiveSmallIntegerField(
        choices=Priority.choices,
        default=Priority.UPLOAD,
        help_text="Which photos are ingested first.",
    )

    trashed_at = models.DateTimeField(
        null=True, blank=True, help_text="Since when it is in the trash; empty if it is not."
    )
    preview = models.BinaryField(
        null=True,
        help_text="A WebP of some 16 pixels, shown until its picture comes; empty if none can be "
        "made.",
    )

    tagged_by = models.CharField(
        max_length=16, blank=True, help_text="The taggers, all together, that have seen it."
    )

    objects = ImageQuerySet.as_manager()

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["state", "due_at"]),
            models.Index(fields=["state", "priority", "tries", "id"]),
            # The grid from any place on, its months, and what is in the trash.
            models.Index(fields=["trashed_at", "-uploaded_at", "-id"], name="image_shown_newest"),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("photo", args=[self.pk])

    @staticmethod
    def lease_seconds() -> float:
        """For how long a worker that says nothing keeps its images."""
        return float(settings.INGEST_LEASE_SECONDS)

    @classmethod
    def lease_end(cls) -> datetime:
        """Until when an image is held that is claimed now."""
        return timezone.now() + timedelta(seconds=cls.lease_seconds())

    @property
    def was_tried_before(self) -> bool:
        """Whether parts of it may be in the store from a try that did not succeed."""
        return self.tries > 1 or bool(self.failure)

    @property
    def is_ready(self) -> bool:
        return self.state == self.State.READY

    @property
    def is_trashed(self) -> bool:
        return self.trashed_at is not None

    @property
    def has_failed(self) -> bool:
        """Whether it does not become ready by itself."""
        return self.state in (self.State.FAILED, self.State.LOST)

    @property
    def is_lost(self) -> bool:
        """Whether no original of it is left; `check_store --repair` says so."""
        return self.state == self.State.LOST

    @property
    def version(self) -> str:
        """What in the addresses of its pictures says which photo they are of.

        A restored backup may give an id to another photo than a browser has seen by it.
        """
        return self.sha256[:VERSION_LENGTH]

    @property
    def grid_url(self) -> str:
        """The address of its small picture, which may be kept for good."""
        return self._picture_url("thumbnail")

    @property
    def view_url(self) -> str:
        """The address of its large picture, likewise."""
        return self._picture_url("view")

    def _picture_url(self, name: str) -> str:
        return f"{reverse(name, args=[self.pk])}?v={self.version}"

    def mark_waiting(self, reason: str) -> None:
        """Have it tried again soon for as long as it takes: it is no fault of the photo."""
        Image.objects.received().filter(pk=self.pk).update(
            tries=self.tries - 1,
            failure=reason,
            due_at=_wait_end(),
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
