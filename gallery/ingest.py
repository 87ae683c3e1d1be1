"""From received to ready: decode, detect, store, thumbnail, mark."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detector import DetectorError
from featurestore.current_model import ModelChoice, read_model_choice, write_model_choice
from featurestore.errors import ImageNotStored, StoreError
from featurestore.segments import StoredImage
from gallery import components
from gallery.decoding import detector_input, read_pixels, shrunken_jpeg
from gallery.errors import PhotoRefused, is_disk_full
from gallery.features import features_of
from gallery.models import Image
from gallery.originals import original_file
from gallery.thumbnails import Size

logger = logging.getLogger(__name__)

DECODING_THREADS = 2


@dataclass(frozen=True)
class _Decoded:
    image: Image
    original: bytes
    pixels: NDArray[np.uint8]
    """(300, 300, 3) for the detector."""
    thumbnail: bytes


def ingest_batch(images: Sequence[Image]) -> int:
    """Detect, store and mark images ready; returns how many are.

    An image that cannot be decoded fails by itself; where the detector or the disk fails, all
    are tried again later. Their originals stay in the spool until the store has them.
    """
    with ThreadPoolExecutor(DECODING_THREADS) as pool:
        outcomes = list(pool.map(_decode, images))
    decoded = []
    for image, outcome in zip(images, outcomes, strict=True):
        if isinstance(outcome, _Decoded):
            decoded.append(outcome)
        else:
            image.mark_try_failed(outcome)
    if not decoded:
        return 0
    try:
        detections = components.detector().detect(np.stack([item.pixels for item in decoded]))
    except DetectorError as error:
        logger.warning("Detection failed for %d images: %s", len(decoded), error)
        for item in decoded:
            item.image.mark_try_failed(f"The detector failed: {error}")
        return 0
    try:
        _store(decoded, detections)
    except OSError as error:
        logger.warning("Storing %d images failed: %s", len(decoded), error)
        for item in decoded:
            if is_disk_full(error):
                item.image.mark_waiting("The disk is full.")
            else:
                item.image.mark_try_failed(f"Storing failed: {error}")
        return 0
    return _finish([item.image for item in decoded])


def _decode(image: Image) -> _Decoded | str:
    """The decoded photo, or the reason why there is none.

    It runs in a thread, which has no business with the database.
    """
    try:
        with original_file(image) as path:
            # Read once, because a deletion may take the file away at any time.
            original = path.read_bytes()
            pixels = read_pixels(path, Size.GRID)
        if hashlib.sha256(original).hexdigest() != image.sha256:
            return "The original has changed on disk since it was uploaded."
        return _Decoded(image, original, detector_input(pixels), shrunken_jpeg(pixels, Size.GRID))
    except PhotoRefused as error:
        return str(error)
    except (FileNotFoundError, ImageNotStored):
        return "The original is missing from the spool."
    except StoreError as error:
        return str(error)


def _store(decoded: list[_Decoded], detections: NDArray[np.float32]) -> None:
    """Keep originals, features and thumbnails. Raises OSError."""
    store = components.store()
    store.append_images(
        [
            StoredImage(
                image_id=item.image.pk,
                name=item.image.name,
                media_type=item.image.media_type,
                width=item.image.width,
                height=item.image.height,
                uploaded_at=item.image.uploaded_at.timestamp(),
                data=item.original,
            )
            for item in decoded
            # A worker that was killed in the middle of this may have stored some before.
            if item.image.pk not in store
        ]
    )
    model_id = components.detector().model_id
    store.append_features(
        model_id,
        features_of([item.image.pk for item in decoded], detections, components.vocabulary()),
    )
    if read_model_choice(store.folder) is None:
        # From now on another detector does not change what is searched until it is asked to.
        write_model_choice(store.folder, ModelChoice(model_id))
    for item in decoded:
        components.thumbnails().keep(item.image.sha256, Size.GRID, item.thumbnail)


def _finish(images: list[Image]) -> int:
    """Mark images ready and give up their spool files; returns how many are ready."""
    ready = Image.objects.filter(pk__in=[image.pk for image in images]).mark_ready()
    # Deleted while they were being ingested: make sure that no part of them stays.
    deleted = [image for image in images if image.pk not in ready]
    components.store().delete(image.pk for image in deleted)
    for image in deleted:
        components.thumbnails().remove(image.sha256)
    for image in images:
        components.spool().remove(image.spool_name)
    # Only now, so that a file in the spool is always some row's until it is gone.
    Image.objects.filter(pk__in=ready).update(spool_name="")
    return len(ready)
