"""Weights out of a file that PyTorch wrote before its version 1.6, without PyTorch.

Such a file is a row of pickles: a magic number, a version, facts of the machine, the tensors as
views of storages, the names of the storages; then the storages themselves, each its length as
int64 and its numbers. Pickles can run any code, so this reads nothing but what tensors need.
"""

from __future__ import annotations

import pickle
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

from detector.errors import WeightsUnavailable

MAGIC = 0x1950A86A20F9469CFC6C
VERSION = 1001
DTYPES: Mapping[str, str] = {"FloatStorage": "<f4", "LongStorage": "<i8"}


@dataclass(frozen=True)
class _Storage:
    """Numbers that tensors are views of, filled in once the pickles are read."""

    dtype: str
    key: str
    size: int


@dataclass(frozen=True)
class _View:
    """A tensor: which numbers of a storage it consists of."""

    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


def read_weights(path: Path) -> dict[str, NDArray[np.float32]]:
    """Return name → array of every tensor of floating numbers in `path`.

    Raises `WeightsUnavailable` if it is not such a file, or asks for anything else.
    """
    try:
        with path.open("rb") as file:
            return _read(file)
    except (OSError, EOFError, pickle.UnpicklingError, ValueError, TypeError, LookupError) as error:
        raise WeightsUnavailable(f"{path} holds no weights of PyTorch ({error})") from error


def _read(file: BinaryIO) -> dict[str, NDArray[np.float32]]:
    magic, version, machine = (_TensorUnpickler(file).load() for _ in range(3))
    if (magic, version, machine["little_endian"]) != (MAGIC, VERSION, True):
        raise ValueError("another format")
    tensors = _TensorUnpickler(file).load()
    keys = _TensorUnpickler(file).load()
    if not isinstance(tensors, OrderedDict) or not isinstance(keys, list):
        raise TypeError("no tensors by name")
    if not all(isinstance(view, _View) for view in tensors.values()):
        raise TypeError("something else than tensors")
    storages = {view.storage.key: view.storage for view in tensors.values()}
    numbers = {key: _read_storage(file, storages[key]) for key in keys}
    return {
        name: _array(view, numbers[view.storage.key])
        for name, view in tensors.items()
        if view.storage.dtype == "<f4"
    }


def _read_storage(file: BinaryIO, storage: _Storage) -> NDArray[Any]:
    size = int(np.frombuffer(file.read(8), "<i8")[0])
    if size != storage.size:
        raise ValueError(f"a storage of {size} numbers, expected {storage.size}")
    dtype = np.dtype(storage.dtype)
    return np.frombuffer(file.read(size * dtype.itemsize), dtype, size)


def _array(view: _View, numbers: NDArray[Any]) -> NDArray[np.float32]:
    last = view.offset + sum(
        (size - 1) * stride for size, stride in zip(view.shape, view.strides, strict=True)
    )
    if view.offset < 0 or min(view.strides, default=0) < 0 or last >= len(numbers):
        raise ValueError("a tensor that leads out of its storage")
    strides = [stride * numbers.itemsize for stride in view.strides]
    found = as_strided(numbers[view.offset :], view.shape, strides, writeable=False)
    return np.ascontiguousarray(found, np.float32)


def _rebuild_tensor(
    storage: _Storage, offset: int, shape: tuple[int, ...], strides: tuple[int, ...], *_: object
) -> _View:
    return _View(storage, offset, shape, strides)


class _TensorUnpickler(pickle.Unpickler):
    """Makes views of storages, and nothing that a pickle might name besides."""

    def find_class(self, module: str, name: str) -> Any:
        known: dict[tuple[str, str], str | type | Callable[..., _View]] = {
            ("collections", "OrderedDict"): OrderedDict,
            ("torch._utils", "_rebuild_tensor_v2"): _rebuild_tensor,
            **{("torch", storage): dtype for storage, dtype in DTYPES.items()},
        }
        if (module, name) not in known:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}")
        return known[module, name]

    def persistent_load(self, persistent_id: Any) -> _Storage:
        kind, dtype, key, _, size, _ = persistent_id
        if kind != "storage":
            raise pickle.UnpicklingError(f"it asks for a {kind}")
        return _Storage(str(dtype), str(key), int(size))
