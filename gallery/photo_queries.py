"""Photos that were searched with: their objects and a small picture, kept for a day.

So the results of a search by photo have an address, and the photo itself is not added.
"""

from __future__ import annotations

import hashlib
import json
import re
import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil
from pathlib import Path

import numpy as np
from django.conf import settings
from numpy.typing import NDArray
from PIL import Image as Pillow

from detector.detections import check_detections
from detector.labels import NAME_BY_ID
from featurestore.packing import FRAME_SIDE
from gallery import components
from gallery.decoding import detector_input, read_pixels, shrunken_jpeg
from gallery.errors import refusing_full_disk
from gallery.layouts import Box, Layout
from gallery.thumbnails import Size

KEPT_SECONDS = 24 * 3600.0
# More than these, or more bytes in all, are not kept; the oldest go.
MOST_KEPT = 1000
MOST_KEPT_BYTES = 200_000_000
TOKEN = re.compile(r"[A-Za-z0-9_-]{22}")


@dataclass(frozen=True)
class PhotoQuery:
    """A photo to search with."""

    token: str
    name: str
    width: int
    """Pixels of the small picture."""
    height: int
    layout: Layout

    @property
    def picture_path(self) -> Path:
        return _path(self.token, ".jpg")


def layout_of_photo(path: Path) -> Layout:
    """The objects of a photo file. Raises PhotoRefused or DetectorError."""
    return Layout(_detect(detector_input(read_pixels(path, Size.GRID))))


def layout_of_part(layout: Layout, part: Box, picture: Path, *, kept_as: str = "") -> Layout:
    """What of a photo lies in a part of it, in the place where it is.

    Where nothing that is halfway sure does, the part is looked at again by itself: what is small in
    the photo is large in it. There may still be nothing.

    Args:
        picture: the photo, of any size.
        kept_as: a name of the photo by which what is seen in its part is kept as long as photo
            queries are, so that further pages of results need not look again.

    Raises PhotoRefused or DetectorError.
    """
    within = layout.within(part)
    if not within.is_faint:
        return within
    kept = _part_path(kept_as, part) if kept_as else None
    objects = _kept_part(kept)
    if objects is None:
        objects = _objects_of_part(part, picture)
        if kept is not None:
            sweep_photo_queries()
            with refusing_full_disk():
                kept.write_text(json.dumps(objects.tolist()))
    seen = Layout(objects)
    return Layout(objects[:0]) if seen.is_faint else seen


def _objects_of_part(part: Box, picture: Path) -> NDArray[np.float32]:
    """(k, 6) what the detector sees in a part of a photo, in the frame of the whole photo."""
    pixels = read_pixels(picture, Size.VIEW)
    left, top, right, bottom = box_in_pixels(part, pixels)
    objects = _detect(detector_input(pixels.crop((left, top, right, bottom))))
    sides = np.array([pixels.width, pixels.height] * 2, np.float32)
    scale = np.array([right - left, bottom - top] * 2, np.float32) / sides
    start = np.array([left, top] * 2, np.float32) / sides * FRAME_SIDE
    objects[:, 2:] = np.clip(objects[:, 2:] * scale + start, 0, FRAME_SIDE)
    return objects


def box_in_pixels(part: Box, pixels: Pillow.Image) -> tuple[int, int, int, int]:
    """Whole pixels, one at least, that hold a part of a photo."""
    left, top = int(part[0] * pixels.width), int(part[1] * pixels.height)
    left, top = min(left, pixels.width - 1), min(top, pixels.height - 1)
    right = max(left + 1, ceil(part[2] * pixels.width))
    bottom = max(top + 1, ceil(part[3] * pixels.height))
    return left, top, right, bottom


def _part_path(name: str, part: Box) -> Path:
    facts = json.dumps([name, components.model_id(), part])
    folder: Path = settings.QUERY_DIR
    return folder / f"part-{hashlib.sha256(facts.encode()).hexdigest()[:32]}.json"


def _kept_part(path: Path | None) -> NDArray[np.float32] | None:
    """(k, 6) what was seen in a part; None where it was not looked at, or its file is damaged."""
    try:
        if path is None:
            return None
        objects = np.array(json.loads(path.read_bytes()), np.float32).reshape(-1, 6)
        check_detections(objects[None], rows=len(objects))
    except (FileNotFoundError, ValueError, TypeError):
        return None
    return objects if set(objects[:, 0].tolist()) <= NAME_BY_ID.keys() else None


def keep_photo_query(path: Path, name: str) -> PhotoQuery:
    """Detect a photo's objects and keep them. Raises PhotoRefused, DiskFull or DetectorError."""
    sweep_photo_queries()
    pixels = read_pixels(path, Size.GRID)
    layout = _detect(detector_input(pixels))
    picture = shrunken_jpeg(pixels, Size.GRID)
    token = secrets.token_urlsafe(16)
    facts = {
        "name": name,
        "width": pixels.width,
        "height": pixels.height,
        "layout": layout.tolist(),
    }
    with refusing_full_disk():
        _path(token, ".jpg").write_bytes(picture)
        _path(token, ".json").write_text(json.dumps(facts))
    return load_photo_query(token)


def load_photo_query(token: str) -> PhotoQuery:
    """Raises KeyError where the query was never kept, or no longer is."""
    if not TOKEN.fullmatch(token):
        raise KeyError(token)
    try:
        facts = json.loads(_path(token, ".json").read_bytes())
        query = PhotoQuery(
            token=token,
            name=str(facts["name"]),
            width=int(facts["width"]),
            height=int(facts["height"]),
            layout=Layout(np.array(facts["layout"], np.float32).reshape(-1, 6)),
        )
        _check(query)
    except (FileNotFoundError, ValueError, TypeError, LookupError, OverflowError):
        # A damaged query is as good as none: it is asked again in a moment.
        raise KeyError(token) from None
    return query


def _check(query: PhotoQuery) -> None:
    """Raises ValueError or FileNotFoundError where a damaged file gave what cannot be shown."""
    objects = query.layout.objects
    check_detections(objects[None], rows=len(objects))
    if not set(objects[:, 0].tolist()) <= NAME_BY_ID.keys():
        raise ValueError("An object of no class.")
    if min(query.width, query.height) < 1:
        raise ValueError("A picture without pixels.")
    query.picture_path.stat()


def _detect(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    detections: NDArray[np.float32] = components.detector().detect(pixels[None])[0]
    return detections[detections[:, 0] > 0]


def _path(token: str, suffix: str) -> Path:
    folder: Path = settings.QUERY_DIR
    return folder / f"{token}{suffix}"


def sweep_photo_queries() -> None:
    """Remove those that were kept for a day, and the oldest of too many."""
    oldest = time.time() - KEPT_SECONDS
    count, size = 0, 0
    for written_at, length, path in sorted(_kept_files(), reverse=True):
        # A picture and its facts, of one time, go together or one after the other.
        count, size = count + 1, size + length
        if written_at < oldest or count > 2 * MOST_KEPT or size > MOST_KEPT_BYTES:
            path.unlink(missing_ok=True)


def _kept_files() -> Iterator[tuple[float, int, Path]]:
    """When each was written, its bytes, and where it is."""
    for path in settings.QUERY_DIR.iterdir():
        try:
            facts = path.stat()
        except FileNotFoundError:
            continue
        yield facts.st_mtime, facts.st_size, path
