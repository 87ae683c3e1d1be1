"""From received to ready: decode, detect, store, thumbnail, mark; several batches at a time.

Decoding and detection need processors, storing and marking wait for the disk. So while one batch
is stored the next is in the detector and one more is decoded. The database is the business of the
calling thread alone, which also renews the leases of what is under way.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

from detector import Detector, DetectorError
from featurestore.current_model import write_first_choice
from featurestore.segments import StoredImage
from gallery import components
from gallery.decoding import tiny_webp
from gallery.errors import is_disk_full
from gallery.features import features_of
from gallery.models import LEASE_RENEWALS, WAIT_SECONDS, Image
from gallery.preparing import Prepared, prepare_image
from gallery.tasks import schedule_looking, schedule_tending
from gallery.thumbnails import Size
from gallery.vocabulary import Vocabulary

logger = logging.getLogger(__name__)

# One that is decoded, one in the detector, one that is stored. Each holds its originals in memory.
BATCHES_AT_ONCE = 3
# Of all their originals together; a larger batch is worked on alone.
BYTES_AT_ONCE = 96 * 1024 * 1024
DISK_FULL = "The disk is full."

_loading = threading.Lock()
# The file of a batch is put together in memory, so one at a time.
_storing = threading.Lock()


@dataclass
class _Outcome:
    """What became of a batch, for the database."""

    stored: list[Image] = field(default_factory=list)
    failed: list[tuple[Image, str]] = field(default_factory=list)
    """With the reason; each was a try."""
    waiting: list[tuple[Image, str]] = field(default_factory=list)
    """With the reason, which is no fault of the photo."""
    held_up_by: str = ""
    """Why nothing can be done just now for any photo: no detector answers, or the disk is full."""

    def all_failed(self, images: Sequence[Image], reason: str, error: Exception) -> None:
        logger.warning("%d photos failed: %s", len(images), error)
        self.failed += [(image, reason) for image in images]

    def all_wait(self, images: Sequence[Image], reason: str, error: Exception) -> None:
        logger.warning("%d photos wait: %s", len(images), error)
        self.held_up_by = reason
        self.waiting += [(image, reason) for image in images]


@dataclass(frozen=True)
class HoldUp:
    """A time without a detector, or without room on the disk."""

    reason: str
    since: float
    """When it began, by `time.monotonic`."""
    tried_again: float
    """Until then nothing is tried."""

    @property
    def seconds(self) -> float:
        """How long it has lasted."""
        return time.monotonic() - self.since


class Ingestion:
    """Batches of images on their way to be ready; use it with `with`.

    An image that cannot be read or decoded fails by itself; where the detector or the disk fails,
    all of its batch are tried again later. What is no fault of the photos, such as a server that is
    down, costs them no try. Originals stay in the spool until the store has them.
    """

    def __init__(self) -> None:
        # Before anything is claimed, because on a busy machine loading takes as long as a lease.
        # Where there is no detector each batch fails and says why.
        with suppress(DetectorError):
            _models()
        # Beyond that, reading and decoding would only take the detector's processors away.
        self._decoders = ThreadPoolExecutor(os.cpu_count() or 1, "decode")
        self._batches = ThreadPoolExecutor(BATCHES_AT_ONCE, "batch")
        self._running: dict[Future[_Outcome], Sequence[Image]] = {}
        self._renewed = time.monotonic()
        self.ready = 0
        """How many images this has made ready."""
        self.hold_up: HoldUp | None = None
        """Set as long as no detector answers, or the disk is full."""

    def __enter__(self) -> Ingestion:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._batches.shutdown(cancel_futures=True)
        self._decoders.shutdown(cancel_futures=True)

    @property
    def decoders(self) -> ThreadPoolExecutor:
        """The threads that read and decode, for what comes before a batch."""
        return self._decoders

    def add(self, images: Sequence[Image], prepared: Mapping[int, Prepared] | None = None) -> None:
        """Start with a claimed batch as soon as there is room, which bounds the memory.

        Args:
            prepared: what is already decoded, by image id.
        """
        while self._running and not self._has_room(images):
            self._conclude_next()
        if images:
            future = self._batches.submit(self._work, images, prepared or {})
            self._running[future] = images

    def finish(self) -> None:
        """Wait for the end of every batch."""
        while self._running:
            self._conclude_next()

    def renew_leases(self) -> None:
        """Say that this process is at work on its batches, if that was said long ago."""
        now = time.monotonic()
        if now - self._renewed >= Image.lease_seconds() / LEASE_RENEWALS:
            Image.objects.renew_leases(
                [image.pk for images in self._running.values() for image in images]
            )
            self._renewed = now

    def _has_room(self, images: Sequence[Image]) -> bool:
        batches = [images, *self._running.values()]
        size = sum(image.size for batch in batches for image in batch)
        return len(batches) <= BATCHES_AT_ONCE and size <= BYTES_AT_ONCE

    def _conclude_next(self) -> None:
        done, _ = wait(
            self._running, Image.lease_seconds() / LEASE_RENEWALS, return_when=FIRST_COMPLETED
        )
        for future in done:
            del self._running[future]
            outcome = future.result()
            if outcome.held_up_by:
                since = self.hold_up.since if self.hold_up else time.monotonic()
                self.hold_up = HoldUp(outcome.held_up_by, since, time.monotonic() + WAIT_SECONDS)
            elif outcome.stored:
                self.hold_up = None
            self.ready += _conclude(outcome)
        self.renew_leases()

    def _work(self, images: Sequence[Image], prepared: Mapping[int, Prepared]) -> _Outcome:
        """Everything but the database."""
        outcome = _Outcome()
        hold_up = self.hold_up
        if hold_up and time.monotonic() < hold_up.tried_again:
            outcome.waiting = [(image, hold_up.reason) for image in images]
            return outcome
        decoding = [
            None if image.pk in prepared else self._decoders.submit(prepare_image, image)
            for image in images
        ]
        photos: list[tuple[Image, Prepared]] = []
        for image, future in zip(images, decoding, strict=True):
            photo = prepared[image.pk] if future is None else future.result()
            if isinstance(photo, Prepared):
                photos.append((image, photo))
            else:
                outcome.failed.append((image, photo.reason))
        if photos:
            _detect_and_store(photos, outcome)
        return outcome


def ingest_batch(images: Sequence[Image]) -> int:
    """Detect, store and mark images ready; returns how many are."""
    with Ingestion() as ingestion:
        ingestion.add(images)
        ingestion.finish()
    return ingestion.ready


def _detect_and_store(photos: list[tuple[Image, Prepared]], outcome: _Outcome) -> None:
    images = [image for image, _ in photos]
    try:
        detector, vocabulary = _models()
        model_id = detector.model_id
        detections = detector.detect(np.stack([photo.pixels for _, photo in photos]))
    except DetectorError as error:
        reason = f"The detector failed: {error.brief}."
        if error.retryable:
            outcome.all_wait(images, reason, error)
        else:
            outcome.all_failed(images, reason, error)
        return
    try:
        with _storing:
            _store(photos, model_id, detections, vocabulary)
    except OSError as error:
        if is_disk_full(error):
            outcome.all_wait(images, DISK_FULL, error)
        else:
            outcome.all_failed(images, f"Storing failed: {error}", error)
        return
    outcome.stored = images
    for image, photo in photos:
        image.preview = tiny_webp(Pillow.fromarray(photo.pixels), image.width, image.height)


def _models() -> tuple[Detector, Vocabulary]:
    """Loaded once, whichever of several threads needs them first."""
    with _loading:
        return components.detector(), components.vocabulary()


def _store(
    photos: list[tuple[Image, Prepared]],
    model_id: str,
    detections: NDArray[np.float32],
    vocabulary: Vocabulary,
) -> None:
    """Keep originals, features and thumbnails. Raises OSError."""
    store = components.store()
    store.append_images(
        [
            StoredImage(
                image_id=image.pk,
                name=image.name,
                media_type=image.media_type,
                width=image.width,
                height=image.height,
                uploaded_at=image.uploaded_at.timestamp(),
                data=photo.original,
            )
            for image, photo in photos
            # An earlier try, cut off in the middle of this, may have stored it before. To ask
            # for each photo would read the ids of every segment that came meanwhile.
            if not image.was_tried_before or image.pk not in store
        ]
    )
    store.append_features(
        model_id, features_of([image.pk for image, _ in photos], detections, vocabulary)
    )
    # From now on another detector does not change what is searched until it is asked to.
    write_first_choice(store.folder, model_id)
    for image, photo in photos:
        if photo.thumbnail is not None:
            components.thumbnails().keep(image.sha256, Size.GRID, photo.thumbnail)


def _conclude(outcome: _Outcome) -> int:
    """Bring an outcome to the database; returns how many images are ready."""
    for image, reason in outcome.waiting:
        image.mark_waiting(reason)
    for image, reason in outcome.failed:
        image.mark_try_failed(reason)
    return _finish(outcome.stored) if outcome.stored else 0


def _finish(images: list[Image]) -> int:
    """Mark images ready and give up their spool files; returns how many are ready."""
    # First, because it also takes off the disk what was deleted meanwhile.
    schedule_tending()
    schedule_looking()
    ready = Image.objects.filter(pk__in=[image.pk for image in images]).mark_ready()
    Image.objects.bulk_update(images, ["preview"])
    # Deleted while they were being ingested: make sure that no part of them stays.
    deleted = [image for image in images if image.pk not in ready]
    components.store().delete(image.pk for image in deleted)
    for image in deleted:
        components.thumbnails().remove(image.sha256)
    for image in images:
        components.spool().remove(image.spool_name)
        components.thumbnails().remove_pixels(image.sha256)
    # Only now, so that a file in the spool is always some row's until it is gone.
    Image.objects.filter(pk__in=ready).update(spool_name="")
    return len(ready)
