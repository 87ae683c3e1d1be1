"""How photos look as a whole, for those in the store that have no such features yet.

Each embedder says so for itself: the appearance model, and the image–text model if there is one. It
comes after a photo is ready, in the background: neither uploads nor detection wait for it, and
photos from before there was an appearance model get theirs in the same way. It is made of the
thumbnail, which is larger than what the network sees and need not be decoded from the original.
"""

from __future__ import annotations

import io
import logging
import os
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from detector import Embedder, LookInput
from featurestore.errors import ImageNotStored, StoreError
from featurestore.live_rows import alive_rows
from featurestore.looks import LookFeatures
from gallery import components
from gallery.decoding import look_input, read_photo
from gallery.errors import PhotoRefused
from gallery.models import Image
from gallery.originals import original_pixels, thumbnail_path
from gallery.thumbnails import Size, is_undamaged

logger = logging.getLogger(__name__)

BATCH = 32
#: Make what says how photos look, None where it is switched off. Raise DetectorError.
EMBEDDERS: tuple[Callable[[], Embedder | None], ...] = (
    components.embedder,
    components.image_text_model,
)

#: Pixels of photos that are being decoded, by image id.
_Batch = dict[int, Future[NDArray[np.uint8]]]

_lock = threading.Lock()
_unreadable: set[tuple[Path, int]] = set()
"""Stores and photos that could not be decoded; they are tried again by the next process."""


def images_without_looks(model_id: str) -> list[int]:
    """Ids of stored images that an appearance model has no look of, rising."""
    store = components.store()
    image_ids = store.image_ids()
    ids: list[int] = image_ids[alive_rows(image_ids, store.looks(model_id).image_ids())].tolist()
    return [image_id for image_id in ids if (store.folder, image_id) not in _unreadable]


def fill_in_looks(embedder: Embedder, *, seconds: float = float("inf")) -> bool:
    """Store looks of images that have none, the newest first; whether that is all of them.

    Killed at any moment, it goes on from where it was. Raises DetectorError, OSError (a full disk).
    """
    stop = time.monotonic() + seconds
    is_all = True
    with _lock, ThreadPoolExecutor(os.cpu_count() or 1, "look") as decoders:
        missing = images_without_looks(embedder.model_id)[::-1]
        # Decoded while the network is at work on the batch before, which leaves processors idle.
        ahead: _Batch = {}
        for start in range(0, len(missing), BATCH):
            if time.monotonic() > stop:
                is_all = False
                break
            following = _decode(missing[start : start + BATCH], embedder.input, decoders)
            _look_at(embedder, ahead)
            ahead = following
        _look_at(embedder, ahead)
    return is_all


def look_at(embedder: Embedder, photo: NDArray[np.uint8]) -> LookFeatures:
    """The look of one photo that is not in the store, as image 0.

    Args:
        photo: (side, side, 3) from `look_input`.

    Raises DetectorError.
    """
    looks = embedder.embed(photo[np.newaxis])
    return LookFeatures.of([0], looks.embedding, looks.scores, time.time_ns())


def _decode(image_ids: Sequence[int], wanted: LookInput, decoders: ThreadPoolExecutor) -> _Batch:
    rows = Image.objects.in_bulk(image_ids)
    folder = components.store().folder
    # Of no row in the catalogue, which `check_store` finds.
    _unreadable.update((folder, image_id) for image_id in image_ids if image_id not in rows)
    return {
        image_id: decoders.submit(_pixels, rows[image_id], wanted)
        for image_id in image_ids
        if image_id in rows
    }


def _look_at(embedder: Embedder, batch: _Batch) -> None:
    pixels, found = [], []
    for image_id, decoding in batch.items():
        try:
            pixels.append(decoding.result())
            found.append(image_id)
        except ImageNotStored:
            pass  # Deleted since the list was made.
        except (StoreError, PhotoRefused) as error:
            logger.warning("How photo %d looks cannot be told: %s", image_id, error)
            _unreadable.add((components.store().folder, image_id))
    if found:
        looks = embedder.embed(np.stack(pixels))
        components.store().looks(embedder.model_id).append(
            LookFeatures.of(found, looks.embedding, looks.scores, time.time_ns())
        )


def _pixels(image: Image, wanted: LookInput) -> NDArray[np.uint8]:
    """(side, side, 3); it runs in a thread. Raises StoreError, PhotoRefused or OSError."""
    try:
        content = thumbnail_path(image, Size.GRID).read_bytes()
    except FileNotFoundError:
        # A deletion or a repair has just taken it away.
        content = b""
    if is_undamaged(content):
        photo = read_photo(io.BytesIO(content), Size.GRID)[1]
    else:
        photo = original_pixels(image, Size.GRID)
    return look_input(photo, wanted)
