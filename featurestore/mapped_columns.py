"""Arrays in index files, which processes map and share; such a file can always be made again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import h5py
import numpy as np
from numpy.typing import NDArray

from featurestore.durable import fsync_folder
from featurestore.segment_folder import segment_names

Scalar = TypeVar("Scalar", bound=np.generic)

# Bytes, those of a cache line: compiled functions are made for numbers that lie at whole places.
ALIGNMENT = 64


def write_columns_to_map(file: h5py.File, **columns: NDArray[Any]) -> None:
    """Add each in one piece, so that its bytes lie in the file as they do in memory."""
    for name, array in columns.items():
        file.create_dataset(name, data=array, chunks=None)


def mapped_column(
    path: Path, dataset: h5py.Dataset, dtype: type[Scalar], shape: tuple[int, ...]
) -> NDArray[Scalar]:
    """A dataset in one piece, mapped. Raises ValueError where its dtype or shape is another."""
    if (dataset.dtype, dataset.shape) != (np.dtype(dtype), shape):
        raise ValueError(
            f"{dataset.name} should be {np.dtype(dtype)} {shape}, "
            f"is {dataset.dtype} {dataset.shape}"
        )
    offset = dataset.id.get_offset()
    if offset is None or dataset.size == 0:
        copy: NDArray[Scalar] = dataset[:]
        return copy
    if offset % ALIGNMENT:
        raise ValueError(f"{dataset.name} should lie at a multiple of {ALIGNMENT}, is at {offset}")
    # Compiled functions take plain arrays only.
    return np.asarray(np.memmap(path, dtype, "r", offset, shape))


def check_rising(image_ids: NDArray[np.int64]) -> None:
    """Raises ValueError where ids are not in order, by which everything is looked up.

    The SHA-256 would show any change of a file, but is slow to compute at each start.
    """
    if (image_ids[1:] <= image_ids[:-1]).any():
        raise ValueError("image ids that do not rise")


def replace_index_file(folder: Path, write: Callable[[Path], Path]) -> None:
    """Have `write(folder)` add an index file, and remove those that it takes the place of.

    Damaged and left-over ones are among them. What another process adds meanwhile stays, or two
    that write at once would remove each other's. Raises OSError (a full disk).
    """
    folder.mkdir(parents=True, exist_ok=True)
    older = segment_names(folder)
    written = write(folder)
    for name in older:
        if name != written.name:
            (folder / name).unlink(missing_ok=True)
    fsync_folder(folder)
