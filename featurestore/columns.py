"""Datasets with one entry a row, such that HDF5 itself notices each changed byte of them.

Text has a fixed width. HDF5 keeps text of any length in a "global heap", the one thing in a file
of version 1.10 that has no checksum: a flipped bit there can make HDF5 1.14 read for ever.
"""

from __future__ import annotations

from collections.abc import Sequence

import h5py
import numpy as np
from numpy.typing import NDArray

# A column of text that takes more is compressed, because one long text makes the others as wide.
PLAIN_BYTES = 1024 * 1024


def write_column(group: h5py.Group, name: str, values: NDArray[np.generic]) -> None:
    """Add a dataset in one piece with a checksum; without one where it has no rows."""
    if len(values):
        group.create_dataset(name, data=values, chunks=values.shape, fletcher32=True)
    else:
        group.create_dataset(name, data=values)


def write_texts(group: h5py.Group, name: str, values: Sequence[str]) -> None:
    """Add a dataset of n texts, as UTF-8 as wide as the longest, with a checksum.

    Raises ValueError for a text that holds NUL, which the others are filled up with, or half of a
    surrogate pair.
    """
    encoded = [_encoded(value) for value in values]
    dtype = h5py.string_dtype("utf-8", max([1, *map(len, encoded)]))
    if len(encoded) * dtype.itemsize <= PLAIN_BYTES:
        write_column(group, name, np.array(encoded, dtype))
        return
    rows = min(len(encoded), _rows_at_once(dtype))
    dataset = group.create_dataset(
        name, (len(encoded),), dtype, chunks=(rows,), compression=1, fletcher32=True
    )
    for start in range(0, len(encoded), rows):
        dataset[start : start + rows] = np.array(encoded[start : start + rows], dtype)


def read_texts(dataset: h5py.Dataset) -> list[str]:
    """The n texts of a dataset that `write_texts` has written.

    Raises ValueError where it is of another type, or is no UTF-8; OSError where it has changed.
    """
    if dataset.dtype.kind != "S" or dataset.ndim != 1:
        raise ValueError(f"{dataset.name} should hold text of a fixed width, holds {dataset.dtype}")
    rows = _rows_at_once(dataset.dtype)
    return [
        text.decode()
        for start in range(0, len(dataset), rows)
        for text in dataset[start : start + rows].tolist()
    ]


def write_text_attribute(file: h5py.File, name: str, value: str) -> None:
    """Set a root attribute to a text. Raises ValueError as `write_texts` does."""
    encoded = _encoded(value)
    dtype = h5py.string_dtype("utf-8", max(1, len(encoded)))
    file.attrs.create(name, np.array(encoded, dtype), dtype=dtype)


def read_text_attribute(file: h5py.File, name: str) -> str:
    """A root attribute that `write_text_attribute` has set.

    Raises KeyError where it is missing, ValueError where it is of another type.
    """
    # By the low-level interface, because this is done twice for each file that is opened.
    attribute = h5py.h5a.open(file.id, name.encode())
    if attribute.dtype.kind != "S" or attribute.shape != ():
        raise ValueError(f"the attribute {name} should be text of a fixed width")
    value = np.empty((), attribute.dtype)
    attribute.read(value)
    return bytes(value.item()).decode()


def _encoded(text: str) -> bytes:
    if "\0" in text:
        raise ValueError(f"text should hold no NUL, is {text!r}")
    return text.encode()


def _rows_at_once(dtype: np.dtype[np.generic]) -> int:
    return max(1, PLAIN_BYTES // dtype.itemsize)
