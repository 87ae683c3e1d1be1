"""Codes of looks in a file that processes map and share; it can always be made again."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

from featurestore.columns import read_text_attribute, write_text_attribute
from featurestore.live_rows import held_rows
from featurestore.look_codes import LookCoder
from featurestore.mapped_columns import (
    ALIGNMENT,
    check_rising,
    mapped_column,
    write_columns_to_map,
)
from featurestore.segment_file import open_segment_file, write_segment

LOOK_INDEX = "look_index"

# Raised when the arrays change their meaning; an index of another version is made again.
LOOK_INDEX_VERSION = 1


@dataclass(frozen=True)
class LookIndexFile:
    """Looks of n images as codes."""

    space: str
    """The name of the `LookSpace` that they were compared in."""
    fitted_rows: int
    """How many images there were when the coder was made for them."""
    coder: LookCoder
    image_ids: NDArray[np.int64]
    """(n,) rising."""
    written_at: NDArray[np.int64]
    """(n,) of the rows that these codes are of."""
    codes: NDArray[np.int8]
    """(n, k)"""

    def holds(self, ids: NDArray[np.int64], written_at: NDArray[np.int64]) -> NDArray[np.bool_]:
        """(n,) of which of n rows the codes are here, or those of a newer one."""
        return held_rows((self.image_ids, self.written_at), (ids, written_at))


def write_look_index(folder: Path, index: LookIndexFile) -> Path:
    """Write an index file into `folder`; returns its path. Raises OSError (a full disk)."""

    def fill(file: h5py.File) -> None:
        file.attrs["look_index_version"] = LOOK_INDEX_VERSION
        file.attrs["fitted_rows"] = index.fitted_rows
        write_text_attribute(file, "space", index.space)
        write_columns_to_map(
            file,
            basis=index.coder.basis,
            steps=index.coder.steps,
            image_ids=index.image_ids,
            written_at=index.written_at,
            codes=index.codes,
        )

    return write_segment(folder, LOOK_INDEX, fill, alignment=ALIGNMENT)


def read_look_index(path: Path) -> LookIndexFile | None:
    """Map an index file; None where its version is another. Raises SegmentDamaged."""
    with open_segment_file(path, LOOK_INDEX) as file:
        if int(file.attrs["look_index_version"]) != LOOK_INDEX_VERSION:
            return None
        images, (width, dimensions) = len(file["image_ids"]), file["basis"].shape
        index = LookIndexFile(
            space=read_text_attribute(file, "space"),
            fitted_rows=int(file.attrs["fitted_rows"]),
            coder=LookCoder(
                basis=np.asarray(file["basis"][:], np.float32).reshape(width, dimensions),
                steps=np.asarray(file["steps"][:], np.float32).reshape(dimensions),
            ),
            image_ids=mapped_column(path, file["image_ids"], np.int64, (images,)),
            written_at=mapped_column(path, file["written_at"], np.int64, (images,)),
            codes=mapped_column(path, file["codes"], np.int8, (images, dimensions)),
        )
        check_rising(index.image_ids)
        return index
