from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from featurestore.errors import SegmentDamaged
from featurestore.reading_process import ReadingProcess


def lengths(path: Path) -> Iterator[int]:
    for line in path.read_text().splitlines():
        yield len(line)


def hangs_at_second_value(path: Path) -> Iterator[int]:
    yield 1
    # Like HDF5 in a loop, this is not interrupted by Python's own handlers.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    time.sleep(60)


def crashes(path: Path) -> Iterator[int]:
    os.abort()


def process_id(path: Path) -> Iterator[int]:
    yield os.getpid()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "file.txt"
    path.write_text("a\nbc\n")
    return path


def test_it_gives_what_the_function_gives(path: Path) -> None:
    with ReadingProcess() as process:
        assert list(process.read(path, lengths, path)) == [1, 2]


def test_one_process_reads_many_files(path: Path) -> None:
    with ReadingProcess() as process:
        first, second = ([*process.read(path, process_id, path)] for _ in range(2))
    assert first == second != [os.getpid()]


def test_a_function_that_hangs_is_ended_and_what_came_before_is_kept(path: Path) -> None:
    with ReadingProcess(seconds=1) as process:
        values = process.read(path, hangs_at_second_value, path)
        assert next(values) == 1
        with pytest.raises(SegmentDamaged, match="does not end"):
            next(values)
        assert list(process.read(path, lengths, path)) == [1, 2]


def test_a_crash_is_damage_and_the_next_file_is_read(path: Path) -> None:
    with ReadingProcess() as process:
        with pytest.raises(SegmentDamaged, match="crashes"):
            list(process.read(path, crashes, path))
        assert list(process.read(path, lengths, path)) == [1, 2]


def test_an_error_of_the_function_is_damage(path: Path) -> None:
    path.write_bytes(b"\xff")
    with ReadingProcess() as process, pytest.raises(SegmentDamaged, match="utf-8"):
        list(process.read(path, lengths, path))


def test_a_file_that_is_gone_is_no_damage(path: Path) -> None:
    with ReadingProcess() as process, pytest.raises(FileNotFoundError):
        list(process.read(path, lengths, path.with_name("gone")))


def test_reading_may_be_broken_off(path: Path) -> None:
    with ReadingProcess() as process:
        for _ in process.read(path, lengths, path):
            break
        assert list(process.read(path, lengths, path)) == [1, 2]
