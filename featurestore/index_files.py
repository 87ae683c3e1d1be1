"""Postings in a file that processes map into memory and share.

An index file is a segment of its own kind, named by its digest, and can always be made again. It
says which feature segments it covers; rows of others are looked at one by one.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

from featurestore import posting_counts
from featurestore.columns import read_texts, write_texts
from featurestore.mapped_columns import (
    ALIGNMENT,
    Scalar,
    check_rising,
    mapped_column,
    write_columns_to_map,
)
from featurestore.posting_kernels import MAX_CLASS_ID, objects_in_place
from featurestore.postings import Objects, Postings
from featurestore.segment_file import open_segment_file, write_segment
from featurestore.segments import INDEX, SENTENCE_DIMENSIONS

# Raised when the arrays change their meaning; an index of another version is made again.
INDEX_VERSION = 2


@dataclass(frozen=True)
class IndexFile:
    """Postings and the names of the feature segments whose rows are all in them."""

    path: Path
    postings: Postings
    cooccurrence: NDArray[np.float64]
    """(91, 91) of all images, as `posting_counts.cooccurrence` gives it."""
    covers: frozenset[str]


def write_index(folder: Path, postings: Postings, covers: frozenset[str]) -> Path:
    """Write an index file into `folder`; returns its path."""
    everything = np.ones(len(postings), np.bool_)
    cooccurrence = posting_counts.cooccurrence(postings, everything)

    def fill(file: h5py.File) -> None:
        file.attrs["index_version"] = INDEX_VERSION
        objects = postings.objects
        write_columns_to_map(
            file,
            image_ids=postings.image_ids,
            written_at=postings.written_at,
            layout_weights=postings.layout_weights,
            emptiness=postings.emptiness,
            sentence_vectors=postings.sentence_vectors,
            class_starts=postings.class_starts,
            image_rows=objects.image_rows,
            scores=objects.packed_scores,
            boxes=objects.packed_boxes,
            cooccurrence=cooccurrence,
        )
        write_texts(file, "covers", sorted(covers))

    return write_segment(folder, INDEX, fill, alignment=ALIGNMENT)


def read_index(path: Path) -> IndexFile | None:
    """Map an index file; None where its version is another. Raises SegmentDamaged."""
    with open_segment_file(path, INDEX) as file:
        if int(file.attrs["index_version"]) != INDEX_VERSION:
            return None
        images, count = len(file["image_ids"]), len(file["image_rows"])

        def column(name: str, dtype: type[Scalar], *shape: int) -> NDArray[Scalar]:
            return mapped_column(path, file[name], dtype, shape)

        postings = Postings(
            image_ids=column("image_ids", np.int64, images),
            written_at=column("written_at", np.int64, images),
            layout_weights=column("layout_weights", np.float32, images),
            emptiness=column("emptiness", np.float64, images),
            sentence_vectors=column("sentence_vectors", np.float32, images, SENTENCE_DIMENSIONS),
            class_starts=column("class_starts", np.int64, MAX_CLASS_ID + 2),
            objects=Objects(
                image_rows=column("image_rows", np.int32, count),
                packed_scores=column("scores", np.uint16, count),
                packed_boxes=column("boxes", np.uint16, 4, count),
            ),
        )
        _check_places(postings)
        classes = MAX_CLASS_ID + 1
        return IndexFile(
            path=path,
            postings=postings,
            cooccurrence=column("cooccurrence", np.float64, classes, classes),
            covers=frozenset(read_texts(file["covers"])),
        )


def _check_places(postings: Postings) -> None:
    """Raises ValueError where places lead out of arrays, which compiled code never notices."""
    rows = postings.objects.image_rows
    if not objects_in_place(postings.class_starts, rows, len(postings)):
        raise ValueError("objects outside the index")
    check_rising(postings.image_ids)
