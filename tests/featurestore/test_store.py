from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest

from featurestore.durable import UNFINISHED
from featurestore.errors import ImageDamaged, ImageNotStored, SegmentDamaged
from featurestore.segments import Features
from featurestore.store import FeatureStore
from tests.featurestore.samples import detections, features, random_detections, sample_image

MODEL = "model-1"
DOG = detections((18, 0.9, 10, 10, 100, 100))


def first_class(store: FeatureStore, row: int) -> int:
    return int(store.index(MODEL).detections_of(row)[0, 0])


@pytest.fixture
def store(tmp_path: Path) -> FeatureStore:
    return FeatureStore(tmp_path / "store")


def test_it_gives_back_the_bytes_that_were_appended(store: FeatureStore) -> None:
    images = [sample_image(1), sample_image(2, b""), sample_image(3, bytes(range(256)) * 2000)]
    store.append_images(images)
    assert [store.read_image(image.image_id) for image in images] == [i.data for i in images]


def test_it_gives_back_the_facts_that_were_appended(store: FeatureStore) -> None:
    image = sample_image(7, name="Überraschung 🎉.jpg")
    store.append_images([image])
    (facts,) = store.image_facts()
    assert (facts.image_id, facts.name, facts.media_type) == (7, image.name, "image/jpeg")
    assert (facts.width, facts.height, facts.uploaded_at) == (647, 480, image.uploaded_at)
    assert facts.size == len(image.data)


def test_another_store_on_the_same_folder_sees_new_images(store: FeatureStore) -> None:
    other = FeatureStore(store.folder)
    assert 1 not in other
    store.append_images([sample_image(1)])
    assert 1 in other
    store.append_images([sample_image(2)])
    assert other.image_ids().tolist() == [1, 2]


def test_an_unknown_image_is_named_in_the_error(store: FeatureStore) -> None:
    with pytest.raises(ImageNotStored, match="no image 5"):
        store.read_image(5)


def test_a_deleted_image_is_gone_for_every_reader(store: FeatureStore) -> None:
    other = FeatureStore(store.folder)
    store.append_images([sample_image(1), sample_image(2)])
    store.append_features(MODEL, features([1, 2], [DOG, DOG]))
    assert len(other.index(MODEL)) == 2
    store.delete([1])
    assert other.image_ids().tolist() == [2]
    assert other.index(MODEL).live_ids.tolist() == [2]
    with pytest.raises(ImageNotStored):
        other.read_image(1)


def test_an_append_that_comes_after_the_deletion_brings_nothing_back(store: FeatureStore) -> None:
    store.delete([1])
    store.append_images([sample_image(1)])
    store.append_features(MODEL, features([1], [DOG]))
    assert 1 not in store
    assert len(store.index(MODEL)) == 0


def test_later_features_of_an_image_replace_earlier_ones(store: FeatureStore) -> None:
    cat = detections((17, 0.8, 0, 0, 50, 50))
    store.append_features(MODEL, features([1, 2], [DOG, DOG]))
    store.append_features(MODEL, features([2], [cat]))
    assert [first_class(store, row) for row in (0, 1)] == [18, 17]


def test_features_of_models_are_kept_apart(store: FeatureStore) -> None:
    store.append_features("a", features([1], [DOG]))
    store.append_features("b", features([1, 2], [DOG, DOG]))
    assert (len(store.index("a")), len(store.index("b"))) == (1, 2)


@pytest.mark.parametrize("model_id", ["../up", "", "a/b", "a b"])
def test_a_model_id_cannot_leave_its_folder(store: FeatureStore, model_id: str) -> None:
    with pytest.raises(ValueError, match="cannot name a model"):
        store.index(model_id)


def test_features_of_a_wrong_shape_are_refused_with_both_shapes() -> None:
    with pytest.raises(ValueError, match=r"\(2, 20, 6\), has \(2, 19, 6\)"):
        Features(
            image_ids=np.array([1, 2]),
            ssd=np.zeros((2, 19, 6), np.float32),
            nlp=np.zeros((2, 50), np.float32),
            written_at=np.zeros(2, np.int64),
        )


def test_features_that_are_not_finite_are_refused() -> None:
    with pytest.raises(ValueError, match="ssd holds values that are not finite"):
        features([1], [np.full((20, 6), np.nan, np.float32)])


def test_a_writer_that_fails_leaves_nothing_behind(store: FeatureStore) -> None:
    too_long = sample_image(1, name="a\0b")
    with pytest.raises(ValueError, match="should hold no NUL"):
        store.append_images([too_long])
    assert list((store.folder / "images").iterdir()) == []


def test_a_damaged_segment_takes_nothing_else_down(
    store: FeatureStore, caplog: pytest.LogCaptureFixture
) -> None:
    store.append_images([sample_image(1)])
    store.append_images([sample_image(2)])
    first = min((store.folder / "images").iterdir())
    first.write_bytes(b"not HDF5 any more")
    fresh = FeatureStore(store.folder)
    assert fresh.image_ids().tolist() == [2]
    (damaged,) = fresh.damaged_segments()
    assert isinstance(damaged, SegmentDamaged)
    assert damaged.path.name == first.name
    assert first.name in caplog.text


def test_changed_bytes_of_an_image_are_noticed(store: FeatureStore) -> None:
    data = bytes(range(256)) * 100
    store.append_images([sample_image(1, data)])
    (segment,) = (store.folder / "images").iterdir()
    content = segment.read_bytes()
    place = content.index(data[:64])
    segment.write_bytes(content[:place] + b"\xff" + content[place + 1 :])
    with pytest.raises((ImageDamaged, SegmentDamaged)):
        store.read_image(1)


def test_a_segment_of_a_newer_format_is_left_alone(store: FeatureStore) -> None:
    store.append_images([sample_image(1)])
    (segment,) = (store.folder / "images").iterdir()
    with h5py.File(segment, "r+") as file:
        file.attrs["format_version"] = 99
    fresh = FeatureStore(store.folder)
    assert fresh.image_ids().tolist() == []
    assert "newer Image Gallery" in str(fresh.damaged_segments()[0])


def test_a_killed_writer_leaves_only_what_the_sweep_removes(store: FeatureStore) -> None:
    script = (
        "import os, signal, sys; from pathlib import Path\n"
        "from featurestore import durable\n"
        "def write(path):\n"
        "    path.write_bytes(b'half'); os.kill(os.getpid(), signal.SIGKILL)\n"
        "durable.write_durably(Path(sys.argv[1]) / 'x.h5', write)\n"
    )
    folder = store.folder / "images"
    killed = subprocess.run([sys.executable, "-c", script, str(folder)], check=False)
    assert killed.returncode == -9
    (left,) = folder.iterdir()
    assert left.name.startswith(UNFINISHED)
    assert FeatureStore(store.folder).image_ids().tolist() == []
    assert store.sweep() == []  # Too young: it could belong to a living writer.
    os.utime(left, (0, 0))
    assert store.sweep() == [left]
    assert list(folder.iterdir()) == []


def _append_some(folder: Path, first_id: int) -> None:
    store = FeatureStore(folder)
    for image_id in range(first_id, first_id + 10):
        store.append_images([sample_image(image_id)])
        store.append_features(MODEL, features([image_id], [random_detections(image_id)]))


def test_several_processes_append_at_once(store: FeatureStore) -> None:
    context = multiprocessing.get_context("spawn")
    writers = [
        context.Process(target=_append_some, args=(store.folder, first)) for first in (1, 101, 201)
    ]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    expected = [first + place for first in (1, 101, 201) for place in range(10)]
    assert store.image_ids().tolist() == expected
    assert store.index(MODEL).image_ids.tolist() == expected
    assert store.read_image(205) == sample_image(205).data
