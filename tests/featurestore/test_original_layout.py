from __future__ import annotations

import json
from pathlib import Path

import h5py
import numpy as np
import pytest
from numpy.typing import NDArray

from featurestore.errors import NotOriginalLayout, SegmentDamaged
from featurestore.original_layout import export_original, import_original
from featurestore.segments import Edit, StoredImage
from featurestore.store import FeatureStore
from featurestore.view import write_view
from tests.featurestore.samples import features, random_detections, sample_image

MODEL = "model-1"
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
        for group in ("raw_images", "ssd_feature_group", "nlp_feature_group"):
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
    assert [image.name for image in import_original(path)] == ["z.jpg", "renamed", "m.jpg"]


def test_equal_and_odd_names_become_different_ones(store: FeatureStore, path: Path) -> None:
    names = ["a.jpg", "a.jpg", "a (2).jpg", ".", "x/y.jpg", "a.jpg"]
    store.append_images([picture(number + 1, name) for number, name in enumerate(names)])
    export_original(store, MODEL, path, decode)
    with h5py.File(path) as file:
        exported = list(file["raw_images"])
    assert exported == ["a.jpg", "a (2).jpg", "a (2) (2).jpg", "_", "x_y.jpg", "a (3).jpg"]


def test_an_export_without_features_or_images(store: FeatureStore, path: Path) -> None:
    assert export_original(store, MODEL, path, decode) == 0
    assert list(import_original(path)) == []
    store.append_images([picture(1)])
    export_original(store, MODEL, path, decode)
    (image,) = import_original(path)
    assert (image.ssd, image.nlp) == (None, None)


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


def test_a_round_trip_gives_the_same_pixels_and_features(store: FeatureStore, path: Path) -> None:
    store.append_images([picture(number) for number in range(1, 4)])
    found = [random_detections(number) for number in range(1, 4)]
    store.append_features(MODEL, features([1, 2, 3], found))
    export_original(store, MODEL, path, decode)
    for number, image in enumerate(import_original(path), start=1):
        assert image.name == f"photo {number}.jpg"
        assert image.pixels.dtype == np.uint8
        np.testing.assert_array_equal(image.pixels, pixels(number))
        assert image.ssd is not None
        np.testing.assert_array_equal(image.ssd, random_detections(number))
        assert image.nlp is not None
        assert image.nlp.tolist() == [number] * 50


def test_a_nearly_black_picture_stays_nearly_black(store: FeatureStore, path: Path) -> None:
    black = np.eye(HEIGHT, WIDTH, dtype=np.uint8)[:, :, None].repeat(3, axis=2)
    store.append_images([sample_image(1, black.tobytes())])
    export_original(store, MODEL, path, decode)
    (image,) = import_original(path)
    np.testing.assert_array_equal(image.pixels, black)


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
    (image,) = import_original(write_file(path, photo=values))
    assert image.pixels.dtype == np.uint8
    assert image.pixels.shape == (HEIGHT, WIDTH, 3)
    np.testing.assert_array_equal(image.pixels, expected)


def test_names_with_slashes_are_found(path: Path) -> None:
    (image,) = import_original(write_file(path, **{"2019/summer/a.jpg": COLOURS}))
    assert image.name == "2019/summer/a.jpg"


def test_it_reads_one_image_at_a_time(path: Path) -> None:
    images = import_original(write_file(path, a=COLOURS, b=np.full((2, 2), 300.0)))
    np.testing.assert_array_equal(next(images).pixels, COLOURS)
    with pytest.raises(NotOriginalLayout, match="raw_images/b: values should be in"):
        next(images)


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
        import_original(write_file(path, good=COLOURS, odd=values))
    assert "raw_images/odd" in str(failure.value)


@pytest.mark.parametrize("value", [-1.0, 256.0, np.nan, np.inf])
def test_values_out_of_range_are_refused(path: Path, value: float) -> None:
    with pytest.raises(NotOriginalLayout, match="values should be in"):
        list(import_original(write_file(path, photo=np.full((2, 2, 3), value))))


def test_other_files_are_refused(store: FeatureStore, path: Path) -> None:
    path.write_bytes(b"no HDF5")
    with pytest.raises(NotOriginalLayout, match="not an HDF5 file"):
        import_original(path)
    with h5py.File(path, "w") as file:
        file.create_group("images")
    with pytest.raises(NotOriginalLayout, match="no group raw_images"):
        import_original(path)
    store.append_images([picture(1)])
    with pytest.raises(NotOriginalLayout, match="part of a feature store"):
        import_original(write_view(store, MODEL))
    with pytest.raises(FileNotFoundError):
        import_original(path.with_name("nowhere.h5"))


def test_a_damaged_array_is_named(path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (40, 50, 3), np.uint8)
    with h5py.File(path, "w") as file:
        file.create_dataset("raw_images/photo", data=noise, chunks=noise.shape, fletcher32=True)
    content = path.read_bytes()
    place = content.index(noise.tobytes()[:64])
    path.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
    with pytest.raises(NotOriginalLayout, match="raw_images/photo cannot be read"):
        list(import_original(path))


def test_an_original_that_is_damaged_ends_the_export(store: FeatureStore, path: Path) -> None:
    store.append_images([picture(1), picture(2)])
    assert len(store.image_ids()) == 2  # Read before the damage.
    (segment,) = (store.folder / "images").iterdir()
    segment.write_bytes(segment.read_bytes()[:2000])
    with pytest.raises(SegmentDamaged):
        export_original(store, MODEL, path, decode)
    assert not path.exists()
