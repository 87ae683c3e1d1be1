"""Look postings in a file that processes map and share; it can always be made again."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np

from featurestore.look_postings import LookPostings
from featurestore.looks import CLASSES
from featurestore.mapped_columns import (
    ALIGNMENT,
    check_rising,
    mapped_column,
    write_columns_to_map,
)
from featurestore.posting_kernels import objects_in_place
from featurestore.segment_file import open_segment_file, write_segment

LOOK_POSTINGS = "look_postings"

# Raised when the arrays change their meaning; a file of another version is made again.
LOOK_POSTINGS_VERSION = 1


def write_look_postings(folder: Path, postings: LookPostings) -> Path:
    """Write an index file into `folder`; returns its path. Raises OSError (a full disk).

    Args:
        postings: all of whose rows count.
    """

    def fill(file: h5py.File) -> None:
        file.attrs["look_postings_version"] = LOOK_POSTINGS_VERSION
        write_columns_to_map(
            file,
            image_ids=postings.image_ids,
            written_at=postings.written_at,
            class_starts=postings.class_starts,
            rows=postings.rows,
            scores=postings.packed_scores,
        )

    return write_segment(folder, LOOK_POSTINGS, fill, alignment=ALIGNMENT)


def read_look_postings(path: Path) -> LookPostings | None:
    """Map an index file; None where its version is another. Raises SegmentDamaged."""
    with open_segment_file(path, LOOK_POSTINGS) as file:
        if int(file.attrs["look_postings_version"]) != LOOK_POSTINGS_VERSION:
            return None
        images, entries = len(file["image_ids"]), len(file["rows"])
        postings = LookPostings(
            image_ids=mapped_column(path, file["image_ids"], np.int64, (images,)),
            written_at=mapped_column(path, file["written_at"], np.int64, (images,)),
            class_starts=mapped_column(path, file["class_starts"], np.int64, (CLASSES + 1,)),
            rows=mapped_column(path, file["rows"], np.int32, (entries,)),
            packed_scores=mapped_column(path, file["scores"], np.uint16, (entries,)),
            alive=np.ones(images, np.bool_),
        )
        # Compiled code would follow rows out of their arrays.
        if not objects_in_place(postings.class_starts, postings.rows, images):
            raise ValueError("looks outside the index")
        check_rising(postings.image_ids)
        return postings
