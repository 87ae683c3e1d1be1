"""`gallery.h5`: one HDF5 file that shows all segments of a store as if they were one.

Large arrays are virtual datasets, which point into the segments; the rest is copied. The view
can be made again from the segments at any time, so nothing depends on it.
`docs/featurestore-format.md` describes every dataset.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TypeVar

import h5py
import numpy as np
from numpy.typing import NDArray

from featurestore import segment_file, segments
from featurestore.columns import write_column, write_text_attribute, write_texts
from featurestore.corrections import Correction
from featurestore.durable import FileState, write_durably
from featurestore.errors import SegmentDamaged, SegmentUnavailable
from featurestore.hdf5_files import add_group, hdf5_content
from featurestore.image_columns import ImageColumns, read_image_columns
from featurestore.live_rows import NO_IDS, IdsAndTimes, contains, latest_rows, numbered_rows
from featurestore.looks import (
    EMBEDDING_DIMENSIONS,
    GROUP,
    IMAGE_TEXT_PREFIX,
    KEPT_CLASSES,
    LOOKS,
    read_look_rows,
)
from featurestore.segment_folder import read_again
from featurestore.store import FeatureStore
from featurestore.virtual_datasets import Run, runs_of, write_virtual

logger = logging.getLogger(__name__)

VIEW_NAME = "gallery.h5"
VIEW = "view"

# A store has far fewer segments of one kind, once it has been compacted.
KEPT_SEGMENTS = 16384

T = TypeVar("T")


@dataclass(frozen=True)
class _Images:
    """The n live images, by rising id."""

    columns: ImageColumns
    starts: NDArray[np.int64]
    """(n,) first byte of each image in the view's data."""
    runs: list[Run]
    """The view's data, in bytes."""


@dataclass(frozen=True)
class _FeatureRows:
    """The n live rows of one model, by rising image id."""

    image_ids: NDArray[np.int64]
    """(n,)"""
    runs: list[Run]
    """The same n rows, in the same order."""


def write_view(store: FeatureStore, model_id: str, *, leaving_out: Collection[Path] = ()) -> Path:
    """Renew `gallery.h5` in the store's folder; returns its path.

    It shows what is stored when this is called, with one model's features and, where there are
    any, the looks of the appearance model that most photos have them of. Readers that have the old
    view open keep it.

    Args:
        leaving_out: segments that other segments make superfluous. Compaction removes them after
            this has returned, so that at no moment the newest view points to a missing segment.

    Raises OSError (a full disk among them); the old view stays then.
    """
    images, rows, looks = read_again(lambda: _shown(store, model_id, leaving_out))
    path = store.folder / VIEW_NAME
    names = store.edited_names()
    corrections = store.corrections()

    def fill(file: h5py.File) -> None:
        _fill(file, model_id, images, rows, looks, names)
        stored = images.columns.image_ids.tolist()
        shown = {image_id: corrections[image_id] for image_id in stored if image_id in corrections}
        _write_corrections(add_group(file, "corrections"), shown)

    content = hdf5_content(fill)
    write_durably(path, lambda temporary: temporary.write_bytes(content))
    return path


def _shown(
    store: FeatureStore, model_id: str, leaving_out: Collection[Path]
) -> tuple[_Images, _FeatureRows, tuple[str, _FeatureRows] | None]:
    images = _live_images(store, leaving_out)
    folder = store.folder / "features" / model_id
    rows = _live_rows(store, folder, _feature_rows, images, leaving_out)
    return images, rows, _live_looks(store, images, leaving_out)


def _live_images(store: FeatureStore, leaving_out: Collection[Path]) -> _Images:
    parts = _read_segments(store.folder / "images", _image_columns, leaving_out)
    everything = ImageColumns.concatenated([part for _, part in parts])
    by_id = latest_rows(everything.image_ids, store.hidden_ids())
    # Bytes stay in the order of the segments, where few runs describe them all.
    by_place = np.sort(by_id)
    sizes = everything.sizes
    starts = np.zeros(len(sizes), np.int64)
    starts[by_place] = np.cumsum(sizes[by_place]) - sizes[by_place]
    offsets_of = {f"images/{path.name}": np.cumsum([0, *part.sizes]) for path, part in parts}
    runs = []
    for run in runs_of(list(offsets_of), [len(part.sizes) for _, part in parts], by_place):
        offsets = offsets_of[run.source]
        runs.append(
            Run(run.source, int(offsets[-1]), int(offsets[run.start]), int(offsets[run.stop]))
        )
    return _Images(everything.take(by_id), starts[by_id], runs)


def _live_looks(
    store: FeatureStore, images: _Images, leaving_out: Collection[Path]
) -> tuple[str, _FeatureRows] | None:
    """The appearance model that most images have looks of, and those; None without any."""
    of_models = [
        (model_id, _live_rows(store, folder, _look_rows, images, leaving_out))
        for model_id in store.look_model_ids()
        if not model_id.startswith(IMAGE_TEXT_PREFIX)
        for folder in [store.folder / LOOKS / model_id]
    ]
    found = [(model_id, rows) for model_id, rows in of_models if len(rows.image_ids)]
    return max(found, key=lambda looks: len(looks[1].image_ids)) if found else None


def _live_rows(
    store: FeatureStore,
    folder: Path,
    read: Callable[[Path, FileState], IdsAndTimes],
    images: _Images,
    leaving_out: Collection[Path],
) -> _FeatureRows:
    parts = _read_segments(folder, read, leaving_out)
    ids, written_at, _, _ = numbered_rows(rows for _, rows in parts)
    rows = latest_rows(ids, NO_IDS, written_at)
    rows = rows[contains(images.columns.image_ids, ids[rows])]
    sources = [str(path.relative_to(store.folder)) for path, _ in parts]
    return _FeatureRows(ids[rows], runs_of(sources, [len(ids) for _, (ids, _) in parts], rows))


def _read_segments(
    folder: Path, read: Callable[[Path, FileState], T], leaving_out: Collection[Path]
) -> list[tuple[Path, T]]:
    """Every readable segment of a folder, in order of writing."""
    parts = []
    for path in sorted(set(folder.glob("*.h5")).difference(leaving_out)):
        try:
            parts.append((path, read(path, FileState.of(path.stat()))))
        except (SegmentDamaged, SegmentUnavailable) as error:
            logger.error("Left out of %s: %s", VIEW_NAME, error)
    return parts


# Opening every segment is most of the work of a renewal, and few are new since the last one. What
# is kept is about 200 bytes an image.
@lru_cache(maxsize=KEPT_SEGMENTS)
def _image_columns(path: Path, state: FileState) -> ImageColumns:
    return read_image_columns(path)


@lru_cache(maxsize=KEPT_SEGMENTS)
def _feature_rows(path: Path, state: FileState) -> IdsAndTimes:
    return segments.read_feature_rows(path)


@lru_cache(maxsize=KEPT_SEGMENTS)
def _look_rows(path: Path, state: FileState) -> IdsAndTimes:
    return read_look_rows(path)


def _fill(
    file: h5py.File,
    model_id: str,
    images: _Images,
    rows: _FeatureRows,
    looks: tuple[str, _FeatureRows] | None,
    names: dict[int, str],
) -> None:
    segment_file.write_root_attributes(file, VIEW)
    write_text_attribute(file, "model_id", model_id)
    if looks is not None:
        _write_looks(file, *looks)
    _write_images(add_group(file, "raw_images"), images, names)
    for name, row_shape in (
        ("ssd_feature_group", (segments.MAX_OBJECTS, segments.OBJECT_COLUMNS)),
        ("nlp_feature_group", (segments.SENTENCE_DIMENSIONS,)),
    ):
        group = add_group(file, name)
        write_column(group, "image_id", rows.image_ids)
        # NaN where a segment is missing cannot be mistaken for a photo without objects.
        write_virtual(
            group, "features", f"{name}/features", rows.runs, row_shape, np.float32, np.nan
        )


def _write_looks(file: h5py.File, model_id: str, rows: _FeatureRows) -> None:
    write_text_attribute(file, "look_model_id", model_id)
    group = add_group(file, GROUP)
    write_column(group, "image_id", rows.image_ids)
    source = f"{GROUP}/features"
    shape: tuple[int, ...] = (EMBEDDING_DIMENSIONS,)
    write_virtual(group, "features", source, rows.runs, shape, np.float16, np.nan)
    for name, dtype, missing in (("class_id", np.int16, -1), ("class_score", np.float32, np.nan)):
        shape = (KEPT_CLASSES,)
        write_virtual(group, name, f"{GROUP}/{name}", rows.runs, shape, dtype, missing)


def _write_images(group: h5py.Group, images: _Images, names: dict[int, str]) -> None:
    columns = images.columns
    write_virtual(group, "data", "raw_images/data", images.runs, (), np.uint8, 0)
    write_column(group, "start", images.starts)
    write_column(group, "stop", images.starts + columns.sizes)
    write_column(group, "image_id", columns.image_ids)
    write_column(group, "sha256", columns.sha256)
    write_column(group, "width", columns.widths)
    write_column(group, "height", columns.heights)
    write_column(group, "uploaded_at", columns.uploaded_at)
    stored = zip(columns.image_ids.tolist(), columns.names, strict=True)
    write_texts(group, "name", [names.get(image_id, name) for image_id, name in stored])
    write_texts(group, "media_type", columns.media_types)


def _write_corrections(group: h5py.Group, corrections: Mapping[int, Correction]) -> None:
    """Those of some images, by rising id."""
    counts = [len(correction.objects) for correction in corrections.values()]
    objects = np.zeros((0, segments.OBJECT_COLUMNS), np.float32)
    by_person = np.zeros(0, np.bool_)
    write_column(group, "image_id", np.array(list(corrections), np.int64))
    write_column(group, "offset", np.cumsum([0, *counts], dtype=np.int64))
    write_column(
        group, "objects", np.concatenate([objects, *(one.objects for one in corrections.values())])
    )
    marks = np.concatenate([by_person, *(one.by_person for one in corrections.values())])
    write_column(group, "by_person", marks.astype(np.uint8))
