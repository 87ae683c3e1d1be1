"""`gallery.h5`: one HDF5 file that shows all segments of a store as if they were one.

Large arrays are virtual datasets, which point into the segments; the rest is copied. The view
can be made again from the segments at any time, so nothing depends on it.
`docs/featurestore-format.md` describes every dataset.
"""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import h5py
import numpy as np
from numpy.typing import NDArray

from featurestore import segments
from featurestore.durable import write_durably
from featurestore.errors import SegmentDamaged
from featurestore.live_rows import contains, latest_rows
from featurestore.segments import FORMAT, FORMAT_VERSION, HDF5_LOCK, ImageFacts
from featurestore.store import FeatureStore

logger = logging.getLogger(__name__)

VIEW_NAME = "gallery.h5"
VIEW = "view"

# Compaction may remove a segment while the view is made, but hardly several times in a row.
TRIES = 5

T = TypeVar("T")


@dataclass(frozen=True)
class _Run:
    """Neighbouring rows of a segment's dataset that are neighbours in the view as well."""

    source: str
    """Path of the segment, relative to the view."""
    length: int
    """Rows of the segment's dataset."""
    start: int
    stop: int


@dataclass(frozen=True)
class _Images:
    """The n live images, by rising id."""

    facts: list[ImageFacts]
    starts: NDArray[np.int64]
    """(n,) first byte of each image in the view's data."""
    runs: list[_Run]
    """The view's data, in bytes."""


@dataclass(frozen=True)
class _FeatureRows:
    """The n live rows of one model, by rising image id."""

    image_ids: NDArray[np.int64]
    """(n,)"""
    runs: list[_Run]
    """The same n rows, in the same order."""


def write_view(store: FeatureStore, model_id: str, *, leaving_out: Collection[Path] = ()) -> Path:
    """Renew `gallery.h5` in the store's folder; returns its path.

    It shows what is stored when this is called, with one model's features. Readers that have the
    old view open keep it.

    Args:
        leaving_out: segments that other segments make superfluous. Compaction removes them after
            this has returned, so that at no moment the newest view points to a missing segment.

    Raises OSError (a full disk among them); the old view stays then.
    """
    for tries_left in reversed(range(TRIES)):
        try:
            images = _live_images(store, leaving_out)
            rows = _live_feature_rows(store, model_id, images, leaving_out)
            break
        except FileNotFoundError:
            if not tries_left:
                raise
    names = {
        image_id: str(json.loads(edit.value))
        for (image_id, field), edit in store.edits().items()
        if field == "name"
    }
    path = store.folder / VIEW_NAME
    content = _content(model_id, images, rows, names)
    write_durably(path, lambda temporary: temporary.write_bytes(content.getbuffer()))
    return path


def _live_images(store: FeatureStore, leaving_out: Collection[Path]) -> _Images:
    parts = _read_segments(store.folder / "images", segments.read_image_facts, leaving_out)
    everything = [facts for _, part in parts for facts in part]
    ids = np.array([facts.image_id for facts in everything], np.int64)
    by_id = latest_rows(ids, store.deleted_ids())
    # Bytes stay in the order of the segments, where few runs describe them all.
    by_place = np.sort(by_id)
    sizes = np.array([facts.size for facts in everything], np.int64)
    starts = np.zeros(len(everything), np.int64)
    starts[by_place] = np.cumsum(sizes[by_place]) - sizes[by_place]
    facts_of = {f"images/{path.name}": part for path, part in parts}
    runs = []
    for run in _runs(list(facts_of), [len(part) for part in facts_of.values()], by_place):
        offsets = np.cumsum([0] + [facts.size for facts in facts_of[run.source]]).tolist()
        runs.append(_Run(run.source, offsets[-1], offsets[run.start], offsets[run.stop]))
    return _Images([everything[row] for row in by_id.tolist()], starts[by_id], runs)


def _live_feature_rows(
    store: FeatureStore, model_id: str, images: _Images, leaving_out: Collection[Path]
) -> _FeatureRows:
    folder = store.folder / "features" / model_id
    parts = _read_segments(folder, segments.read_feature_rows, leaving_out)
    nothing = np.empty(0, np.int64)
    ids = np.concatenate([nothing, *(ids for _, (ids, _) in parts)])
    written_at = np.concatenate([nothing, *(times for _, (_, times) in parts)])
    rows = latest_rows(ids, nothing, written_at)
    shown = np.array([facts.image_id for facts in images.facts], np.int64)
    rows = rows[contains(shown, ids[rows])]
    sources = [f"features/{model_id}/{path.name}" for path, _ in parts]
    return _FeatureRows(ids[rows], _runs(sources, [len(ids) for _, (ids, _) in parts], rows))


def _read_segments(
    folder: Path, read: Callable[[Path], T], leaving_out: Collection[Path]
) -> list[tuple[Path, T]]:
    """Every readable segment of a folder, in order of writing."""
    parts = []
    for path in sorted(set(folder.glob("*.h5")).difference(leaving_out)):
        try:
            parts.append((path, read(path)))
        except SegmentDamaged as error:
            logger.error("Left out of %s: %s", VIEW_NAME, error)
    return parts


def _runs(sources: Sequence[str], counts: Sequence[int], rows: NDArray[np.int64]) -> list[_Run]:
    """Rows, counted over all sources one after the other, as runs within the sources."""
    if len(rows) == 0:
        return []
    ends = np.cumsum(counts)
    numbers = np.searchsorted(ends, rows, side="right")
    breaks = np.flatnonzero((np.diff(rows) != 1) | (np.diff(numbers) != 0)) + 1
    runs = []
    for part in np.split(rows, breaks):
        number = int(np.searchsorted(ends, part[0], side="right"))
        start = int(part[0] - ends[number]) + counts[number]
        runs.append(_Run(sources[number], counts[number], start, start + len(part)))
    return runs


def _content(
    model_id: str, images: _Images, rows: _FeatureRows, names: dict[int, str]
) -> io.BytesIO:
    # In memory, as a segment is (see `segments.write_segment`).
    content = io.BytesIO()
    with HDF5_LOCK, h5py.File(content, "w", libver=("v110", "v110")) as file:
        file.attrs["format"] = FORMAT
        file.attrs["format_version"] = FORMAT_VERSION
        file.attrs["kind"] = VIEW
        file.attrs["model_id"] = model_id
        _write_images(file.create_group("raw_images"), images, names)
        for name, row_shape in (
            ("ssd_feature_group", (segments.MAX_OBJECTS, segments.OBJECT_COLUMNS)),
            ("nlp_feature_group", (segments.SENTENCE_DIMENSIONS,)),
        ):
            group = file.create_group(name)
            group["image_id"] = rows.image_ids
            # NaN where a segment is missing cannot be mistaken for a photo without objects.
            _write_virtual(
                group, "features", f"{name}/features", rows.runs, row_shape, np.float32, np.nan
            )
    return content


def _write_images(group: h5py.Group, images: _Images, names: dict[int, str]) -> None:
    facts = images.facts
    sizes = np.array([image.size for image in facts], np.int64)
    digests = b"".join(bytes.fromhex(image.sha256) for image in facts)
    text = h5py.string_dtype("utf-8")
    _write_virtual(group, "data", "raw_images/data", images.runs, (), np.uint8, 0)
    group["start"] = images.starts
    group["stop"] = images.starts + sizes
    group["image_id"] = np.array([image.image_id for image in facts], np.int64)
    group["sha256"] = np.frombuffer(digests, np.uint8).reshape(-1, 32)
    group["width"] = np.array([image.width for image in facts], np.int32)
    group["height"] = np.array([image.height for image in facts], np.int32)
    group["uploaded_at"] = np.array([image.uploaded_at for image in facts], np.float64)
    group.create_dataset(
        "name", data=[names.get(image.image_id, image.name) for image in facts], dtype=text
    )
    group.create_dataset("media_type", data=[image.media_type for image in facts], dtype=text)


def _write_virtual(
    group: h5py.Group,
    name: str,
    source_name: str,
    runs: Sequence[_Run],
    row_shape: tuple[int, ...],
    dtype: type[np.uint8] | type[np.float32],
    missing: float,
) -> None:
    """A dataset of all runs one after the other; `missing` shows where a source is gone."""
    length = sum(run.stop - run.start for run in runs)
    if not length:
        # HDF5 makes no virtual dataset without a source.
        group.create_dataset(name, shape=(0, *row_shape), dtype=dtype)
        return
    layout = h5py.VirtualLayout((length, *row_shape), dtype)
    at = 0
    for run in runs:
        count = run.stop - run.start
        if count:
            source = h5py.VirtualSource(
                run.source, source_name, shape=(run.length, *row_shape), dtype=dtype
            )
            layout[at : at + count] = source[run.start : run.stop]
            at += count
    group.create_virtual_dataset(name, layout, fillvalue=missing)
