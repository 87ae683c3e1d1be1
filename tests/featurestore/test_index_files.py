from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from featurestore import index_files, posting_counts
from featurestore.errors import SegmentDamaged
from featurestore.index_files import read_index, write_index
from featurestore.mapped_columns import replace_index_file
from featurestore.postings import Objects, Postings
from tests.featurestore.samples import detections, postings, random_detections

SEGMENTS = frozenset(["0000000000000001-ab.h5", "0000000000000002-cd.h5"])


@pytest.fixture
def made() -> Postings:
    return postings(*(random_detections(seed, objects=seed % 8) for seed in range(20)))


def columns_of(of: Postings) -> list[NDArray[np.generic]]:
    objects = of.objects
    return [
        *(of.image_ids, of.written_at, of.layout_weights, of.emptiness, of.sentence_vectors),
        *(of.class_starts, objects.image_rows, objects.packed_scores, objects.packed_boxes),
    ]


def test_an_index_file_gives_back_what_was_written(tmp_path: Path, made: Postings) -> None:
    file = read_index(write_index(tmp_path, made, SEGMENTS))
    assert file is not None
    assert file.covers == SEGMENTS
    for read, written in zip(columns_of(file.postings), columns_of(made), strict=True):
        assert read.dtype == written.dtype
        assert read.tolist() == written.tolist()
    everything = np.ones(len(made), np.bool_)
    assert file.cooccurrence.tolist() == posting_counts.cooccurrence(made, everything).tolist()


def test_its_arrays_lie_in_the_file_and_cannot_be_changed(tmp_path: Path, made: Postings) -> None:
    file = read_index(write_index(tmp_path, made, SEGMENTS))
    assert file is not None
    for column in columns_of(file.postings):
        assert not column.flags.owndata
        assert column.flags.aligned
        assert not column.flags.writeable


@pytest.mark.parametrize("found", [[], [detections()]])
def test_an_index_file_of_nothing(tmp_path: Path, found: list[NDArray[np.float32]]) -> None:
    file = read_index(write_index(tmp_path, postings(*found), frozenset()))
    assert file is not None
    assert len(file.postings) == len(found)
    assert file.covers == frozenset()
    assert [len(file.postings.detections_of(row)) for row in range(len(found))] == [0] * len(found)


def test_a_file_of_another_version_is_passed_by(
    tmp_path: Path, made: Postings, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_index(tmp_path, made, SEGMENTS)
    monkeypatch.setattr(index_files, "INDEX_VERSION", index_files.INDEX_VERSION + 1)
    assert read_index(path) is None


def test_of_two_that_replace_an_index_file_at_once_one_stays(tmp_path: Path) -> None:
    def add(folder: Path, name: str) -> Path:
        path = folder / f"{name}.h5"
        path.write_bytes(b"")
        return path

    def add_while_another_does(folder: Path) -> Path:
        written = add(folder, "2")
        replace_index_file(folder, lambda folder: add(folder, "3"))
        return written

    add(tmp_path, "1")
    replace_index_file(tmp_path, add_while_another_does)
    assert [path.name for path in tmp_path.iterdir()] == ["3.h5"]


def test_an_index_file_that_ends_early_is_not_mapped(tmp_path: Path, made: Postings) -> None:
    path = write_index(tmp_path, made, SEGMENTS)
    content = path.read_bytes()
    ends = np.linspace(0, len(content) - 1, 60, dtype=int).tolist()
    for end in ends:
        path.write_bytes(content[:end])
        with pytest.raises(SegmentDamaged):
            read_index(path)
    path.write_bytes(content)
    assert read_index(path) is not None


def with_rows(made: Postings, image_rows: list[int]) -> Postings:
    objects = made.objects
    rows = np.array(image_rows, np.int32)
    return replace(made, objects=Objects(rows, objects.packed_scores, objects.packed_boxes))


def damaged(made: Postings) -> dict[str, Postings]:
    rows = made.objects.image_rows.tolist()
    start = int(made.class_starts[1])
    starts = made.class_starts.tolist()
    return {
        "a row past the end": with_rows(made, [*rows[:-1], len(made)]),
        "a row before the start": with_rows(made, [*rows[:start], -1, *rows[start + 1 :]]),
        "rows that fall": with_rows(made, rows[::-1]),
        "class starts that fall": replace(
            made, class_starts=np.array([*starts[:2], starts[-1], *starts[3:]], np.int64)
        ),
        "class starts past the end": replace(
            made, class_starts=np.array([*starts[:-1], starts[-1] + 1], np.int64)
        ),
        "objects before the first class": replace(
            made, class_starts=np.array([1, *starts[1:]], np.int64)
        ),
        "image ids that fall": replace(made, image_ids=made.image_ids[::-1].copy()),
        "a column that is too short": replace(made, emptiness=made.emptiness[1:].copy()),
        "a column of another dtype": replace(
            made,
            written_at=made.written_at.astype(np.float64),
        ),
    }


@pytest.mark.parametrize("kind", list(damaged(postings(detections((1, 0.9, 0, 0, 9, 9))))))
def test_places_that_lead_out_of_the_arrays_are_found(
    tmp_path: Path, made: Postings, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Compiled code would follow the places out of the arrays.
    monkeypatch.setattr(posting_counts, "cooccurrence", lambda *_: np.zeros((91, 91)))
    path = write_index(tmp_path, damaged(made)[kind], SEGMENTS)
    with pytest.raises(SegmentDamaged):
        read_index(path)
