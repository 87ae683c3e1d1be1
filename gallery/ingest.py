"""From received to ready: decode, detect, store, thumbnail, mark."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detector import DetectorError
from featurestore.segments import StoredImage
from gallery import components
from gallery.decoding import detector_input, read_pixels, shrunken_jpeg
from gallery.errors import PhotoRefused
from gallery.features import features_of
from gallery.models import Image
from gallery.thumbnails import Size

logger = logging.getLogger(__name__)

DECODING_THREADS = 2


@dataclass(frozen=True)
class _Decoded:
    image: Image
    pixels: NDArray[np.uint8]
    """(300, 300, 3) for the detector."""
    thumbnail: bytes


def ingest_batch(images: Sequence[Image]) -> int:
    """Detect, store and mark images ready; returns how many are.

    An image that cannot be decoded is marked failed for itself; where the detector fails, all
    are tried again later. Their originals stay in the spool until the store has them.
    """
    with ThreadPoolExecutor(DECODING_THREADS) as pool:
        outcomes = list(pool.map(_decode_or_mark_failed, images))
    decoded = [outcome for outcome in outcomes if outcome is not None]
    if not decoded:
        return 0
    try:
        detections = components.detector().detect(np.stack([item.pixels for item in decoded]))
    except DetectorError as error:
        logger.warning("Detection failed for %d images: %s", len(decoded), error)
        for item in decoded:
            item.image.mark_try_failed(f"The detector failed: {error}")
        return 0
    _store([item.image for item in decoded], detections)
    ready = 0
    for item in decoded:
        components.thumbnails().keep(item.image.sha256, Size.GRID, item.thumbnail)
        ready += _finish(item.image)
    return ready


def _decode_or_mark_failed(image: Image) -> _Decoded | None:
    path = components.spool().path(image.spool_name)
    try:
        pixels = read_pixels(path, Size.GRID)
        return _Decoded(image, detector_input(pixels), shrunken_jpeg(pixels, Size.GRID))
    except PhotoRefused as error:
        reason = str(error)
    except FileNotFoundError:
        reason = "The original is missing from the spool."
    image.mark_try_failed(reason)
    return None


def _store(images: list[Image], detections: NDArray[np.float32]) -> None:
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
                data=components.spool().path(image.spool_name).read_bytes(),
            )
            for image in images
            # A worker that was killed in the middle of this may have stored some before.
            if image.pk not in store
        ]
    )
    store.append_features(
        components.model_id(),
        features_of([image.pk for image in images], detections, components.vocabulary()),
    )


def _finish(image: Image) -> bool:
    ready = image.mark_ready()
    if not ready:
        # Deleted while it was being ingested: make sure that no part of it stays.
        components.store().delete([image.pk])
        components.thumbnails().remove(image.sha256)
    components.spool().remove(image.spool_name)
    return ready
