from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest

from featurestore import segments
from featurestore.errors import ImageDamaged, SegmentDamaged
from featurestore.originals import read_image_bytes
from tests.featurestore.damage import flip_bit_of
from tests.featurestore.samples import sample_image


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A segment of three images."""
    return segments.write_images(tmp_path, [sample_image(i) for i in (1, 2, 3)])


def test_originals_are_read_byte_for_byte(path: Path) -> None:
    assert [read_image_bytes(path, row) for row in range(3)] == [
        sample_image(i).data for i in (1, 2, 3)
    ]


def test_a_changed_byte_of_an_original_is_told(path: Path) -> None:
    flip_bit_of(path, sample_image(2).data)
    with pytest.raises(ImageDamaged) as raised:
        read_image_bytes(path, 1)
    assert raised.value.image_id == 2
    assert read_image_bytes(path, 2) == sample_image(3).data


@pytest.mark.parametrize(
    ("place", "offset"), [(1, 2**62), (3, 2**62), (3, 10**9), (0, -8), (2, 0), (1, -(2**63))]
)
def test_offsets_that_lead_out_of_the_file_are_damage(path: Path, place: int, offset: int) -> None:
    with h5py.File(path, "r+") as file:
        file["raw_images/offset"][place] = offset
    for row in range(3):
        with pytest.raises(SegmentDamaged):
            read_image_bytes(path, row)


def test_a_segment_without_one_sha256_an_image_is_damaged(path: Path) -> None:
    with h5py.File(path, "r+") as file:
        del file["raw_images/sha256"]
        file["raw_images/sha256"] = np.zeros((2, 32), np.uint8)
    with pytest.raises(SegmentDamaged):
        read_image_bytes(path, 2)


def test_a_file_that_is_gone_is_no_damage(path: Path) -> None:
    path.unlink()
    with pytest.raises(FileNotFoundError):
        read_image_bytes(path, 0)
