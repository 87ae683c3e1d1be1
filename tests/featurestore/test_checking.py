from __future__ import annotations

import errno
import os
import random
from functools import partial
from pathlib import Path

import h5py
import numpy as np
import pytest

from featurestore import checking, segment_file, segments
from featurestore.checking import Remedy, check_store, segment_files
from featurestore.looks import write_looks
from featurestore.reading_process import ReadingProcess
from featurestore.segment_checking import plausible_features
from featurestore.segments import Edit
from featurestore.store import FeatureStore
from featurestore.view import write_view
from tests.featurestore.damage import flip_bit, flip_bit_of
from tests.featurestore.samples import detections, features, looks, random_detections, sample_image

MODEL = "model-1"


@pytest.fixture
def store(tmp_path: Path) -> FeatureStore:
    """Six images with features, an edit, a deletion and a view."""
    store = FeatureStore(tmp_path / "store")
    ids = list(range(1, 7))
    store.append_images([sample_image(i) for i in ids[:3]])
    store.append_images([sample_image(i) for i in ids[3:]])
    store.append_features(MODEL, features(ids, [random_detections(i) for i in ids]))
    store.looks(MODEL).append(looks(ids))
    store.append_edits([Edit(2, "name", '"renamed.jpg"', 1.0)])
    store.delete([3])
    write_view(store, MODEL)
    return store


def test_it_finds_nothing_in_a_sound_store(store: FeatureStore) -> None:
    checked: list[int] = []
    assert list(check_store(store.folder, checked.append)) == []
    assert sum(checked) > sum(path.stat().st_size for path, _ in segment_files(store.folder))


def test_it_finds_nothing_in_an_empty_store(tmp_path: Path) -> None:
    assert list(check_store(FeatureStore(tmp_path / "store").folder)) == []


@pytest.mark.parametrize("kind", ["images", "features", "looks", "deletions", "edits"])
def test_it_finds_each_flipped_bit_of_a_segment(store: FeatureStore, kind: str) -> None:
    path = next(path for path, found in segment_files(store.folder) if found == kind)
    whole = path.read_bytes()
    chance = random.Random(kind)
    for _ in range(15):
        place = flip_bit(path, chance)
        assert path in [finding.path for finding in check_store(store.folder)], place
        path.write_bytes(whole)


def test_it_names_the_image_whose_bytes_have_changed(store: FeatureStore) -> None:
    path = min((store.folder / "images").iterdir())
    flip_bit_of(path, sample_image(2).data)
    found = [f.image_id for f in check_store(store.folder) if f.path == path]
    assert found == [None, 2]


def test_it_finds_looks_that_no_model_gives(store: FeatureStore) -> None:
    wrong = looks([4, 5])
    wrong.class_ids[1, 0] = 1000
    store.looks(MODEL).append(wrong)
    write_looks(store.folder / "looks" / MODEL, "another-model", looks([1]))
    found = sorted(f"{finding.problem} {finding.image_id}" for finding in check_store(store.folder))
    assert found == [
        "has a look of image 5 that no model gives. 5",
        "holds looks of the model another-model. None",
    ]


def test_it_finds_a_segment_that_was_cut_short(store: FeatureStore) -> None:
    path = min((store.folder / "images").iterdir())
    path.write_bytes(path.read_bytes()[:1000])
    problems = [f.problem for f in check_store(store.folder) if f.path == path]
    assert any("SHA-256" in problem for problem in problems)
    assert any("cannot be read" in problem for problem in problems)


def test_it_finds_a_file_that_is_no_segment(store: FeatureStore) -> None:
    stranger = store.folder / "images" / "notes.txt"
    stranger.write_text("not a segment")
    findings = [f for f in check_store(store.folder) if f.path == stranger]
    assert "not named as a segment" in findings[0].problem


def test_it_finds_rows_that_a_writer_got_wrong(store: FeatureStore) -> None:
    two_at_once = [sample_image(8), sample_image(8)]
    path = segments.write_images(store.folder / "images", two_at_once)
    (finding,) = [f for f in check_store(store.folder) if f.path == path]
    assert "come twice" in finding.problem
    assert finding.remedy == Remedy.SALVAGE


def test_it_finds_features_that_no_detector_gives(store: FeatureStore) -> None:
    wrong = features([5], [detections((18, 0.9, 10, 10, 400, 100))])
    path = segments.write_features(store.folder / "features" / MODEL, MODEL, wrong)
    (finding,) = [f for f in check_store(store.folder) if f.path == path]
    assert finding.image_id == 5


@pytest.mark.parametrize(
    "row",
    [
        (91, 0.9, 10, 10, 20, 20),
        (1.5, 0.9, 10, 10, 20, 20),
        (1, 1.1, 10, 10, 20, 20),
        (1, -0.1, 10, 10, 20, 20),
        (1, 0.9, 30, 10, 20, 20),
        (1, 0.9, -5, 10, 20, 20),
        (np.nan, 0.9, 10, 10, 20, 20),
    ],
)
def test_a_row_outside_its_bounds_is_not_plausible(row: tuple[float, ...]) -> None:
    good = detections((1, 0.9, 10, 10, 20, 20), (2, 0.8, 0, 0, 300, 300))
    found = np.array([good, detections(row)], np.float32)
    assert plausible_features(found, np.zeros((2, 50), np.float32)).tolist() == [True, False]


def test_scores_that_rise_are_not_plausible() -> None:
    rising = detections((1, 0.5, 10, 10, 20, 20), (1, 0.9, 10, 10, 20, 20))
    assert not plausible_features(rising[None], np.zeros((1, 50), np.float32))[0]


def test_what_a_killed_writer_left_is_rubbish_after_an_hour(store: FeatureStore) -> None:
    left = store.folder / "images" / ".unfinished-0123456789abcdef"
    left.write_bytes(b"half")
    assert list(check_store(store.folder)) == []
    os.utime(left, (0, 0))
    (finding,) = check_store(store.folder)
    assert (finding.path, finding.remedy) == (left, Remedy.REMOVE)


def test_it_finds_a_view_that_shows_other_bytes(store: FeatureStore) -> None:
    view = store.folder / "gallery.h5"
    with h5py.File(view, "r+") as file:
        file["raw_images/start"][0] += 1
    (finding,) = check_store(store.folder)
    assert (finding.path, finding.image_id, finding.remedy) == (view, 1, Remedy.REMOVE)


def test_it_ends_where_hdf5_does_not(store: FeatureStore, monkeypatch: pytest.MonkeyPatch) -> None:
    view = store.folder / "gallery.h5"
    content = bytearray(view.read_bytes())
    # The size of the first object in HDF5's global heap: added to that of its header, it gives 0,
    # so that reading the heap never gets on.
    size = content.index(b"GCOL") + 24
    content[size : size + 8] = (2**64 - 16).to_bytes(8, "little")
    view.write_bytes(content)
    monkeypatch.setattr(checking, "ReadingProcess", partial(ReadingProcess, seconds=1))
    (finding,) = check_store(store.folder)
    assert (finding.path, finding.remedy) == (view, Remedy.REMOVE)
    assert "does not end" in finding.problem


def test_trouble_of_the_machine_is_no_finding(
    store: FeatureStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(path: Path) -> str:
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr(segment_file, "digest_of", fail)
    with pytest.raises(OSError, match="Too many open files"):
        list(check_store(store.folder))


def test_what_a_failing_disk_cannot_read_is_damaged(
    store: FeatureStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = min((store.folder / "images").iterdir())
    whole = segment_file.digest_of

    def fail(of: Path) -> str:
        if of == path:
            raise OSError(errno.EIO, "Input/output error")
        return whole(of)

    monkeypatch.setattr(segment_file, "digest_of", fail)
    (finding,) = check_store(store.folder)
    assert (finding.path, finding.remedy) == (path, Remedy.SALVAGE)


def test_a_view_older_than_a_deletion_is_sound(store: FeatureStore) -> None:
    store.delete([5])
    assert list(check_store(store.folder)) == []


def test_it_finds_a_pointer_to_the_model_that_cannot_be_read(store: FeatureStore) -> None:
    (store.folder / "models.json").write_text('{"current": ')
    (finding,) = check_store(store.folder)
    assert finding.path.name == "models.json"
