"""Takes out of a damaged segment what is still whole."""

from __future__ import annotations

import errno
import hashlib
import json
import logging
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, TypeVar

import h5py
import numpy as np
from numpy.typing import NDArray

from featurestore.errors import DAMAGE_ERRORS, SegmentDamaged
from featurestore.hdf5_files import HDF5_LOCK
from featurestore.reading_process import ReadingProcess
from featurestore.segment_checking import IMAGE_COLUMNS, plausible_features
from featurestore.segment_file import CHUNK_ROWS
from featurestore.segments import (
    MAX_OBJECTS,
    OBJECT_COLUMNS,
    SENTENCE_DIMENSIONS,
    Edit,
    Features,
    ImageFacts,
    StoredImage,
)

logger = logging.getLogger(__name__)

# The NumPy kind of each dataset that is read by `_entries`.
COLUMN_KINDS = {name: kind for name, (_, kind) in IMAGE_COLUMNS.items()} | {
    "offset": "i",
    "written_at": "i",
    "field": "S",
    "value": "S",
    "edited_at": "f",
}

T = TypeVar("T")


class KnownImages(Protocol):
    """What is known about images apart from the store: the catalogue.

    Only the bytes of an image carry a checksum in a segment. Its id and the rest are believed
    to a catalogue before they are believed to a damaged file.
    """

    def of_sha256(self, sha256: str) -> ImageFacts | None: ...

    def of_id(self, image_id: int) -> ImageFacts | None: ...


class NothingKnown:
    """Stands in where there is no catalogue."""

    def of_sha256(self, sha256: str) -> ImageFacts | None:
        return None

    def of_id(self, image_id: int) -> ImageFacts | None:
        return None


@dataclass(frozen=True)
class SalvagedImages:
    whole: list[StoredImage] = field(default_factory=list)
    lost_ids: list[int] = field(default_factory=list)
    """Ids, as far as they can be read, of images whose bytes have changed."""


def salvage_images(path: Path, known: KnownImages, process: ReadingProcess) -> SalvagedImages:
    """Images whose bytes have their SHA-256: the one beside them, or one that is known."""
    columns = dict(read_parts(path, process, _image_columns))
    found = SalvagedImages()
    offsets = columns.get("offset", [])
    count = max([len(offsets) - 1, *(len(columns.get(name, [])) for name in IMAGE_COLUMNS)])
    data_start, size = columns.get("data", (0, 0))
    for row in range(count):
        facts = {name: _entry(columns.get(name, []), row) for name in IMAGE_COLUMNS}
        image_id = facts["image_id"]
        catalogued = known.of_id(image_id) if image_id else None
        places = _places(_entry(offsets, row), _entry(offsets, row + 1), catalogued)
        for start, stop in places:
            within = 0 <= start <= stop <= size
            content = _bytes(path, data_start + start, stop - start) if within else b""
            image = _recognised(content, facts, catalogued, known)
            if image is not None:
                found.whole.append(image)
                break
        else:
            if image_id and image_id > 0:
                found.lost_ids.append(image_id)
    return found


def salvage_features(path: Path, process: ReadingProcess) -> Features:
    """Rows that both groups of the segment agree about and that a detector can have written."""
    return Features.concatenated(list(read_parts(path, process, _whole_features)))


def salvage_deletions(path: Path, known: KnownImages, process: ReadingProcess) -> NDArray[np.int64]:
    """(n,) ids that can be read, except those of images that are known to be there.

    A wrong deletion would lose a photo for ever; a missing one lets a deleted photo come back,
    which a person can delete again.
    """
    ids = dict(read_parts(path, process, _columns, "image_id")).get("image_id", [])
    return np.array(sorted({i for i in ids if i > 0 and known.of_id(i) is None}), np.int64)


def salvage_edits(path: Path, process: ReadingProcess) -> list[Edit]:
    """Edits that can be read."""
    names = ("image_id", "field", "value", "edited_at")
    columns = dict(read_parts(path, process, _columns, *names))
    edits = [Edit(*edit) for edit in zip(*(columns.get(name, []) for name in names), strict=False)]
    return [
        edit
        for edit in edits
        if edit.image_id > 0 and np.isfinite(edit.edited_at) and _is_json(edit.value)
    ]


def read_parts(
    path: Path,
    process: ReadingProcess,
    parts: Callable[..., Iterable[T]],
    *args: str,
) -> Iterator[T]:
    """What a function finds in a file, whatever its attributes say, as far as that gets."""
    try:
        yield from process.read(path, _parts, path, parts, *args)
    except SegmentDamaged as error:
        logger.warning("No more is salvaged of it: %s", error)


def _parts(path: Path, parts: Callable[..., Iterable[T]], *args: str) -> Iterator[T]:
    with HDF5_LOCK, h5py.File(path, "r", locking=False) as file:
        yield from parts(file, *args)


def _image_columns(file: h5py.File) -> Iterator[tuple[str, Any]]:
    group = file["raw_images"]
    data = group["data"]
    yield "data", (data.id.get_offset() or 0, int(data.size))
    yield from _columns(group, *IMAGE_COLUMNS, "offset")


def _columns(group: h5py.Group, *names: str) -> Iterator[tuple[str, list[Any]]]:
    """(name, entries) of each dataset that can be read."""
    for name in names:
        try:
            yield name, _entries(group, name)
        except DAMAGE_ERRORS:
            continue


def _whole_features(file: h5py.File) -> Iterator[Features]:
    ssd, nlp = file["ssd_feature_group"], file["nlp_feature_group"]
    columns = [
        np.array(_entries(group, name), np.int64)
        for name in ("image_id", "written_at")
        for group in (ssd, nlp)
    ]
    count = min(map(len, columns))
    ids, ids_again, times, times_again = (column[:count] for column in columns)
    detections = _feature_rows(ssd, count, (MAX_OBJECTS, OBJECT_COLUMNS))
    sentences = _feature_rows(nlp, count, (SENTENCE_DIMENSIONS,))
    agreed = (ids == ids_again) & (times == times_again)
    good = agreed & (ids > 0) & plausible_features(detections, sentences)
    yield Features(ids[good], detections[good], sentences[good], times[good])


def _entries(group: h5py.Group, name: str) -> list[Any]:
    """One entry a row, as Python has it. Raises one of DAMAGE_ERRORS."""
    dataset = group[name]
    if dataset.dtype.kind != COLUMN_KINDS[name]:
        raise TypeError(f"{dataset.name} holds {dataset.dtype}")
    try:
        values = dataset[:].tolist()
    except OSError:
        values = _unchecked(dataset).tolist()
    if COLUMN_KINDS[name] != "S":
        return list(values)
    return [text.decode(errors="replace").replace("\0", "\ufffd") for text in values]


def _unchecked(dataset: h5py.Dataset) -> NDArray[Any]:
    """A column whose checksum is wrong: most of its entries are right."""
    if dataset.chunks != dataset.shape or dataset.compression is not None:
        raise OSError(f"{dataset.name} does not lie in one piece")
    _, stored = dataset.id.read_direct_chunk((0,) * dataset.ndim)
    return np.frombuffer(stored, dataset.dtype, dataset.size).reshape(dataset.shape)


def _entry(column: list[Any], row: int) -> Any:
    return column[row] if row < len(column) else None


def _bytes(path: Path, start: int, length: int) -> bytes:
    """A part of a file, empty where the disk cannot read it."""
    with path.open("rb", buffering=0) as file:
        try:
            # A file that was cut short has fewer.
            return os.pread(file.fileno(), min(length, path.stat().st_size), start)
        except OSError as error:
            if error.errno != errno.EIO:
                raise
            return b""


def _recognised(
    content: bytes, facts: dict[str, Any], catalogued: ImageFacts | None, known: KnownImages
) -> StoredImage | None:
    """The image that bytes are, None where they are not whole.

    Args:
        catalogued: what is known of the row's id; bytes that are other than its are not whole.
    """
    sha256 = hashlib.sha256(content).hexdigest()
    image = known.of_sha256(sha256)
    if image is not None:
        return image.with_data(content)
    digest = facts["sha256"]
    if digest is None or bytes(digest).hex() != sha256 or catalogued is not None:
        return None
    return _with_own_facts(facts, content)


def _places(
    start: int | None, following: int | None, catalogued: ImageFacts | None
) -> Iterator[tuple[int, int]]:
    """Where an image's bytes may lie: between its offsets, or its known size from either."""
    if start is not None and following is not None:
        yield start, following
    if catalogued is not None and start is not None:
        yield start, start + catalogued.size
    if catalogued is not None and following is not None:
        yield following - catalogued.size, following


def _with_own_facts(facts: dict[str, Any], data: bytes) -> StoredImage | None:
    image_id = facts["image_id"]
    if image_id is None or image_id < 1:
        return None
    uploaded_at = facts["uploaded_at"]
    return StoredImage(
        image_id=image_id,
        name=facts["name"] or f"photo {image_id}",
        media_type=facts["media_type"] or "application/octet-stream",
        width=max(1, facts["width"] or 1),
        height=max(1, facts["height"] or 1),
        uploaded_at=uploaded_at if uploaded_at and np.isfinite(uploaded_at) else 0.0,
        data=data,
    )


def _feature_rows(group: h5py.Group, count: int, shape: tuple[int, ...]) -> NDArray[np.float32]:
    """(count, *shape) features, NaN in the chunks that cannot be read."""
    rows = np.full((count, *shape), np.nan, np.float32)
    for start in range(0, count, CHUNK_ROWS):
        try:
            part = group["features"][start : min(start + CHUNK_ROWS, count)]
            rows[start : start + len(part)] = part
        except DAMAGE_ERRORS:
            continue
    return rows


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True
