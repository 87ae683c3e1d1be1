from __future__ import annotations

import json
from pathlib import Path

import h5py
import numpy as np
import pytest
from numpy.typing import NDArray

from featurestore.errors import NotOriginalLayout, SegmentDamaged
from featurestore.original_layout import OriginalFile, export_original
from featurestore.segments import Edit, StoredImage
from featurestore.store import FeatureStore
from featurestore.view import write_view
from tests.featurestore.samples import features, random_detections, sample_image

MODEL = "model-1"
GROUPS = ("raw_images", "ssd_feature_group", "nlp_feature_group")
HEIGHT, WIDTH = 4, 5


@pytest.fixture
def store(tmp_path: Path) -> FeatureStore:
    return FeatureStore(tmp_path / "store")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "original.h5"


def pixels(seed: int) -> NDArray[np.uint8]:
    """(4, 5, 3) of any values."""
    return np.random.default_rng(seed).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)


def picture(image_id: int, name: str = "") -> StoredImage:
    """An image whose bytes are its pixels."""
    return sample_image(image_id, pixels(image_id).tobytes(), name)


def decode(data: bytes) -> NDArray[np.uint8]:
    return np.frombuffer(data, np.uint8).reshape(HEIGHT, WIDTH, 3)


def write_file(path: Path, **images: object) -> Path:
    """A file with the group of images only."""
    with h5py.File(path, "w") as file:
        group = file.create_group("raw_images")
        for name, values in images.items():
            group[name] = values
    return path


def test_an_export_has_one_array_of_each_kind_for_each_image(
    store: FeatureStore, path: Path
) -> None:
    store.append_images([picture(2, "b.jpg"), picture(1, "a.jpg")])
    store.append_features(MODEL, features([1, 2], [random_detections(1), random_detections(2)]))
    assert export_original(store, MODEL, path, decode) == 2
    with h5py.File(path) as file:
        for group in GROUPS:
            assert list(file[group]) == ["a.jpg", "b.jpg"]
        assert file["raw_images/b.jpg"].dtype == np.float32
        np.testing.assert_array_equal(file["raw_images/b.jpg"][:], pixels(2))
        np.testing.assert_array_equal(file["ssd_feature_group/b.jpg"][:], random_detections(2))
        assert file["nlp_feature_group/b.jpg"][:].tolist() == [2.0] * 50


def test_an_export_keeps_the_order_of_upload_and_the_edited_names(
    store: FeatureStore, path: Path
) -> None:
    names = ["z.jpg", "a.jpg", "m.jpg"]
    store.append_images([picture(number + 1, name) for number, name in enumerate(names)])
    store.append_edits([Edit(2, "name", json.dumps("renamed"), 1.0)])
    export_original(store, MODEL, path, decode)
    assert OriginalFile(path).names == ["z.jpg", "renamed", "m.jpg"]


def test_equal_and_odd_names_become_different_ones(store: FeatureStore, path: Path) -> None:
    names = ["a.jpg", "a.jpg", "a (2).jpg", ".", "x/y.jpg", "a.jpg"]
    store.append_images([picture(number + 1, name) for number, name in enumerate(names)])
    export_original(store, MODEL, path, decode)
    with h5py.File(path) as file:
        exported = list(file["raw_images"])
    assert exported == ["a.jpg", "a (2).jpg", "a (2) (2).jpg", "_", "x_y.jpg", "a (3).jpg"]


def test_an_export_without_features_or_images(store: FeatureStore, path: Path) -> None:
    assert export_original(store, MODEL, path, decode) == 0
    assert OriginalFile(path).names == []
    store.append_images([picture(1)])
    export_original(store, MODEL, path, decode)
    with h5py.File(path) as file:
        assert [len(file[group]) for group in GROUPS] == [1, 0, 0]


def test_deleted_images_are_not_exported(store: FeatureStore, path: Path) -> None:
    store.append_images([picture(1), picture(2)])
    store.delete([1])
    assert export_original(store, MODEL, path, decode) == 1


def test_an_export_that_fails_leaves_the_old_file(store: FeatureStore, path: Path) -> None:
    store.append_images([picture(1)])
    path.write_bytes(b"old")

    def fail(data: bytes) -> NDArray[np.uint8]:
        raise ValueError("no pixels")

    with pytest.raises(ValueError, match="no pixels"):
        export_original(store, MODEL, path, fail)
    assert path.read_bytes() == b"old"
    assert list(path.parent.glob(".unfinished-*")) == []


def test_a_round_trip_gives_the_same_pixels(store: FeatureStore, path: Path) -> None:
    store.append_images([picture(number) for number in range(1, 4)])
    export_original(store, MODEL, path, decode)
    assert OriginalFile(path).names == ["photo 1.jpg", "photo 2.jpg", "photo 3.jpg"]
    for number in range(1, 4):
        found = OriginalFile(path).pixels(f"photo {number}.jpg")
        assert found.dtype == np.uint8
        np.testing.assert_array_equal(found, pixels(number))


def test_a_nearly_black_picture_stays_nearly_black(store: FeatureStore, path: Path) -> None:
    black = np.eye(HEIGHT, WIDTH, dtype=np.uint8)[:, :, None].repeat(3, axis=2)
    store.append_images([sample_image(1, black.tobytes())])
    export_original(store, MODEL, path, decode)
    np.testing.assert_array_equal(OriginalFile(path).pixels("photo 1.jpg"), black)


COLOURS = pixels(1)
GREY = COLOURS[:, :, :1].repeat(3, axis=2)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (COLOURS, COLOURS),
        (COLOURS.astype(np.int64), COLOURS),
        (COLOURS.astype(np.float32), COLOURS),
        (COLOURS.astype(np.float64) / 255, COLOURS),
        ((COLOURS / 255).astype(np.float16), COLOURS),
        (COLOURS[:, :, 0], GREY),
        (COLOURS[:, :, :1] / 255, GREY),
        (COLOURS[:, :, 0] > 127, np.where(GREY > 127, 255, 0)),
    ],
)
def test_it_takes_arrays_of_many_kinds(
    path: Path, values: NDArray[np.generic], expected: NDArray[np.uint8]
) -> None:
    found = OriginalFile(write_file(path, photo=values)).pixels("photo")
    assert found.dtype == np.uint8
    assert found.shape == (HEIGHT, WIDTH, 3)
    np.testing.assert_array_equal(found, expected)


def test_names_with_slashes_are_found(path: Path) -> None:
    file = OriginalFile(write_file(path, **{"2019/summer/a.jpg": COLOURS}))
    assert file.names == ["2019/summer/a.jpg"]
    np.testing.assert_array_equal(file.pixels("2019/summer/a.jpg"), COLOURS)


def test_it_reads_one_image_at_a_time(path: Path) -> None:
    file = OriginalFile(write_file(path, a=COLOURS, b=np.full((2, 2), 300.0)))
    np.testing.assert_array_equal(file.pixels("a"), COLOURS)
    with pytest.raises(NotOriginalLayout, match="raw_images/b: values should be in"):
        file.pixels("b")
    with pytest.raises(NotOriginalLayout, match="raw_images/c is missing"):
        file.pixels("c")


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        (
            np.zeros(7),
            r"of shape \(H, W\), \(H, W, 1\) or \(H, W, 3\), holds float64 of shape \(7,",
        ),
        (np.zeros((2, 2, 4)), r"shape \(2, 2, 4\)"),
        (np.zeros((0, 2, 3)), "has no pixels"),
        (b"text", "holds"),
    ],
)
def test_an_array_that_is_no_picture_is_named_before_anything_is_read(
    path: Path, values: object, reason: str
) -> None:
    with pytest.raises(NotOriginalLayout, match=reason) as failure:
        OriginalFile(write_file(path, good=COLOURS, odd=values))
    assert "raw_images/odd" in str(failure.value)


@pytest.mark.parametrize("value", [-1.0, 256.0, np.nan, np.inf])
def test_values_out_of_range_are_refused(path: Path, value: float) -> None:
    with pytest.raises(NotOriginalLayout, match="values should be in"):
        OriginalFile(write_file(path, photo=np.full((2, 2, 3), value))).pixels("photo")


def test_other_files_are_refused(store: FeatureStore, path: Path) -> None:
    path.write_bytes(b"no HDF5")
    with pytest.raises(NotOriginalLayout, match="not an HDF5 file"):
        OriginalFile(path)
    with h5py.File(path, "w") as file:
        file.create_group("images")
    with pytest.raises(NotOriginalLayout, match="no group raw_images"):
        OriginalFile(path)
    store.append_images([picture(1)])
    with pytest.raises(NotOriginalLayout, match="part of a feature store"):
        OriginalFile(write_view(store, MODEL))
    with pytest.raises(FileNotFoundError):
        OriginalFile(path.with_name("nowhere.h5"))


def test_a_damaged_array_is_named(path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (40, 50, 3), np.uint8)
    with h5py.File(path, "w") as file:
        file.create_dataset("raw_images/photo", data=noise, chunks=noise.shape, fletcher32=True)
    content = path.read_bytes()
    place = content.index(noise.tobytes()[:64])
    path.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
    with pytest.raises(NotOriginalLayout, match="raw_images/photo cannot be read"):
        OriginalFile(path).pixels("photo")


def test_an_original_that_is_damaged_ends_the_export(store: FeatureStore, path: Path) -> None:
    store.append_images([picture(1), picture(2)])
    assert len(store.image_ids()) == 2  # Read before the damage.
    (segment,) = (store.folder / "images").iterdir()
    segment.write_bytes(segment.read_bytes()[:2000])
    with pytest.raises(SegmentDamaged):
        export_original(store, MODEL, path, decode)
    assert not path.exists()
