"""Takes out of a damaged segment what is still whole."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, TypeVar

import h5py
import numpy as np
from numpy.typing import NDArray

from featurestore.checking import DAMAGE_ERRORS, IMAGE_COLUMNS, plausible_features
from featurestore.segments import (
    CHUNK_ROWS,
    HDF5_LOCK,
    MAX_OBJECTS,
    OBJECT_COLUMNS,
    SENTENCE_DIMENSIONS,
    Edit,
    Features,
    ImageFacts,
    StoredImage,
)

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


def salvage_images(path: Path, known: KnownImages) -> SalvagedImages:
    """Images whose bytes have their SHA-256: the one beside them, or one that is known."""
    return _read(
        path, lambda file: _salvage_images(path, file["raw_images"], known), SalvagedImages()
    )


def salvage_features(path: Path) -> Features:
    """Rows that both groups of the segment agree about and that a detector can have written."""
    return _read(path, _salvage_features, Features.concatenated([]))


def salvage_deletions(path: Path, known: KnownImages) -> NDArray[np.int64]:
    """(n,) ids that can be read, except those of images that are known to be there.

    A wrong deletion would lose a photo for ever; a missing one lets a deleted photo come back,
    which a person can delete again.
    """
    ids = _read(path, lambda file: _entries(_column(file, "image_id")), np.empty(0))
    return np.array(
        sorted({i for i in map(int, ids) if i > 0 and known.of_id(i) is None}), np.int64
    )


def salvage_edits(path: Path) -> list[Edit]:
    """Edits that can be read."""
    edits: list[Edit] = _read(path, _read_edits, list[Edit]())
    return [
        edit
        for edit in edits
        if edit.image_id > 0 and np.isfinite(edit.edited_at) and _is_json(edit.value)
    ]


def _read(path: Path, read: Callable[[h5py.File], T], otherwise: T) -> T:
    """What `read` finds in a file, whatever its attributes say; else `otherwise`."""
    try:
        with HDF5_LOCK, h5py.File(path, "r", locking=False) as file:
            return read(file)
    except FileNotFoundError:
        raise
    except DAMAGE_ERRORS:
        return otherwise


def _salvage_images(path: Path, group: h5py.Group, known: KnownImages) -> SalvagedImages:
    found = SalvagedImages()
    data = _data(path, group["data"])
    columns = {name: _column(group, name) for name in IMAGE_COLUMNS}
    offsets = _column(group, "offset")
    count = max(len(_entries(offsets)) - 1, *(len(_entries(c)) for c in columns.values()))
    for row in range(count):
        facts = {name: _entry(column, row) for name, column in columns.items()}
        image_id = facts["image_id"]
        catalogued = known.of_id(image_id) if image_id else None
        places = _places(_entry(offsets, row), _entry(offsets, row + 1), catalogued)
        for start, stop in places:
            content = data[start:stop] if 0 <= start <= stop <= len(data) else b""
            image = _recognised(content, facts, catalogued, known)
            if image is not None:
                found.whole.append(image)
                break
        else:
            if image_id and image_id > 0:
                found.lost_ids.append(image_id)
    return found


def _salvage_features(file: h5py.File) -> Features:
    ssd, nlp = file["ssd_feature_group"], file["nlp_feature_group"]
    ids, ids_again = _entries(_column(ssd, "image_id")), _entries(_column(nlp, "image_id"))
    times = _entries(_column(ssd, "written_at"))
    times_again = _entries(_column(nlp, "written_at"))
    count = min(map(len, (ids, ids_again, times, times_again)))
    agreed = (ids[:count] == ids_again[:count]) & (times[:count] == times_again[:count])
    detections = _feature_rows(ssd, count, (MAX_OBJECTS, OBJECT_COLUMNS))
    sentences = _feature_rows(nlp, count, (SENTENCE_DIMENSIONS,))
    good = agreed & (ids[:count] > 0) & plausible_features(detections, sentences)
    return Features(
        image_ids=np.asarray(ids[:count][good], np.int64),
        ssd=detections[good],
        nlp=sentences[good],
        written_at=np.asarray(times[:count][good], np.int64),
    )


def _read_edits(file: h5py.File) -> list[Edit]:
    names = ("image_id", "field", "value", "edited_at")
    columns = [_entries(_column(file, name)).tolist() for name in names]
    return [Edit(*edit) for edit in zip(*columns, strict=False)]


def _column(group: h5py.Group, name: str) -> NDArray[Any] | None:
    """A dataset with one entry a row, None where it cannot be read."""
    try:
        dataset = group[name]
        return np.asarray(dataset.asstr()[:] if dataset.dtype.kind == "O" else dataset[:])
    except DAMAGE_ERRORS:
        return None


def _entries(column: NDArray[Any] | None) -> NDArray[Any]:
    return np.empty(0) if column is None else column


def _entry(column: NDArray[Any] | None, row: int) -> Any:
    return None if column is None or row >= len(column) else column[row : row + 1].tolist()[0]


def _data(path: Path, dataset: h5py.Dataset) -> bytes:
    """All bytes of the images, as many as a file that was cut short still has."""
    with path.open("rb") as file:
        file.seek(dataset.id.get_offset() or 0)
        return file.read(dataset.size)


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
