"""What an image segment says about its images, as columns: many images in little memory."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from featurestore.columns import read_texts
from featurestore.segment_file import open_segment_file
from featurestore.segments import IMAGES


@dataclass(frozen=True)
class ImageColumns:
    """Facts of n images (see `segments.ImageFacts`)."""

    image_ids: NDArray[np.int64]
    """(n,)"""
    sha256: NDArray[np.uint8]
    """(n, 32)"""
    sizes: NDArray[np.int64]
    """(n,) bytes."""
    widths: NDArray[np.int32]
    """(n,) pixels."""
    heights: NDArray[np.int32]
    """(n,) pixels."""
    uploaded_at: NDArray[np.float64]
    """(n,) seconds since 1970 in UTC."""
    names: list[str]
    media_types: list[str]

    @classmethod
    def concatenated(cls, parts: Sequence[ImageColumns]) -> ImageColumns:
        """All images of all parts, in their order."""
        return cls(
            np.concatenate([np.empty(0, np.int64), *(part.image_ids for part in parts)]),
            np.concatenate([np.empty((0, 32), np.uint8), *(part.sha256 for part in parts)]),
            np.concatenate([np.empty(0, np.int64), *(part.sizes for part in parts)]),
            np.concatenate([np.empty(0, np.int32), *(part.widths for part in parts)]),
            np.concatenate([np.empty(0, np.int32), *(part.heights for part in parts)]),
            np.concatenate([np.empty(0, np.float64), *(part.uploaded_at for part in parts)]),
            [name for part in parts for name in part.names],
            [media_type for part in parts for media_type in part.media_types],
        )

    def take(self, rows: NDArray[np.int64]) -> ImageColumns:
        """The facts of some rows."""
        return ImageColumns(
            self.image_ids[rows],
            self.sha256[rows],
            self.sizes[rows],
            self.widths[rows],
            self.heights[rows],
            self.uploaded_at[rows],
            [self.names[row] for row in rows.tolist()],
            [self.media_types[row] for row in rows.tolist()],
        )


def read_image_columns(path: Path) -> ImageColumns:
    """Facts of every image of a segment, in row order. Raises SegmentDamaged."""
    with open_segment_file(path, IMAGES) as file:
        group = file["raw_images"]
        offsets = np.asarray(group["offset"][:], np.int64)
        return ImageColumns(
            np.asarray(group["image_id"][:], np.int64),
            group["sha256"][:],
            offsets[1:] - offsets[:-1],
            np.asarray(group["width"][:], np.int32),
            np.asarray(group["height"][:], np.int32),
            np.asarray(group["uploaded_at"][:], np.float64),
            read_texts(group["name"]),
            # There are few, so each is kept once.
            [sys.intern(media_type) for media_type in read_texts(group["media_type"])],
        )
