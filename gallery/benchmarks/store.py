"""The feature store beside plain files in a folder and the original one-file layout."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

from featurestore.compaction import compact
from featurestore.durable import fsync_file, fsync_folder
from featurestore.segments import Features, StoredImage
from featurestore.store import FeatureStore
from gallery.decoding import read_pixels

BULK_BATCH = 256
DURABLE_IMAGES = 500
READS = 3000
# The original layout takes a hundred times the bytes, so it is measured on a part.
ORIGINAL_IMAGES = 200
FEATURE_ROWS = 1_000_000
ROWS_A_SEGMENT = 50_000
OBJECTS_AN_IMAGE = 7
SEED = 20

Report = Callable[[str, str], None]
"""Takes the name of a figure and its value."""


@dataclass(frozen=True)
class _Reads:
    p50: float
    """Microseconds."""
    p99: float

    def __str__(self) -> str:
        return f"p50 {self.p50:.0f} µs, p99 {self.p99:.0f} µs"


def bench_store(photos: Sequence[Path], images: int, folder: Path, report: Report) -> None:
    """Measure on `images` images, the photos repeated, in an empty folder."""
    originals = [path.read_bytes() for path in photos]
    total = sum(len(originals[number % len(originals)]) for number in range(images))
    report("images", f"{images}, {total / 2**20:.0f} MB, {len(photos)} photos repeated")
    _bench_durable(originals, folder, report)
    store = _bench_bulk(originals, images, total, folder, report)
    _bench_reads(store, folder / "files", images, report)
    _bench_original(photos, folder, report)
    _bench_compaction(originals, folder, report)
    _bench_opening(folder, report)


def _bench_durable(originals: list[bytes], folder: Path, report: Report) -> None:
    """Each image is on the disk before the next begins, as after an upload."""
    count = min(DURABLE_IMAGES, len(originals) * 10)
    numbered = list(enumerate(itertools.islice(itertools.cycle(originals), count), start=1))
    store = FeatureStore(folder / "durable")
    files = folder / "durable-files"
    files.mkdir()

    def to_store() -> None:
        for number, data in numbered:
            store.append_images([_image(number, data)])

    def to_files() -> None:
        for number, data in numbered:
            _write_file(files / f"{number}.jpg", data, durably=True)
            fsync_folder(files)

    report("write, an fsync each: store", f"{count / _seconds(to_store):.0f} images/s")
    report("write, an fsync each: plain files", f"{count / _seconds(to_files):.0f} images/s")


def _bench_bulk(
    originals: list[bytes], images: int, total: int, folder: Path, report: Report
) -> FeatureStore:
    """Batches, each of which is on the disk before the next begins."""
    store = FeatureStore(folder / "bulk")
    files, careless = folder / "files", folder / "careless-files"
    files.mkdir()
    careless.mkdir()

    def to_store() -> None:
        for batch in _batches(originals, images):
            store.append_images([_image(number, data) for number, data in batch])

    def to_files() -> None:
        for batch in _batches(originals, images):
            for number, data in batch:
                _write_file(files / f"{number}.jpg", data, durably=True)
            fsync_folder(files)

    def to_files_carelessly() -> None:
        for batch in _batches(originals, images):
            for number, data in batch:
                _write_file(careless / f"{number}.jpg", data, durably=False)

    for name, write in (
        ("store", to_store),
        ("plain files", to_files),
        ("plain files never fsynced", to_files_carelessly),
    ):
        seconds = _seconds(write)
        report(
            f"write in bulk: {name}",
            f"{images / seconds:.0f} images/s, {total / 2**20 / seconds:.0f} MB/s",
        )
    stored = sum(path.stat().st_size for path in (folder / "bulk").rglob("*.h5"))
    report(
        "bytes on disk per byte of original: store",
        f"{stored / total:.4f} ({(stored - total) / images:.0f} bytes an image)",
    )
    taken = sum(path.stat().st_blocks * 512 for path in files.iterdir())
    report("bytes on disk per byte of original: plain files", f"{taken / total:.4f}")
    return store


def _bench_reads(store: FeatureStore, files: Path, images: int, report: Report) -> None:
    random = np.random.default_rng(SEED)
    chosen = random.integers(1, images + 1, READS).tolist()
    reads: dict[str, Callable[[int], bytes]] = {
        "store, SHA-256 checked": lambda number: store.read_image(number),
        "plain files": lambda number: (files / f"{number}.jpg").read_bytes(),
    }
    for name, read in reads.items():
        for number in chosen[:100]:
            read(number)
        report(f"random read: {name}", str(_timed_reads(read, chosen)))


def _bench_original(photos: Sequence[Path], folder: Path, report: Report) -> None:
    """One float32 array an image in one file, as the original system kept them."""
    count = min(ORIGINAL_IMAGES, len(photos))
    chosen = photos[:count]
    total = sum(path.stat().st_size for path in chosen)
    pixels = [np.asarray(read_pixels(path, 10_000), np.float32) for path in chosen]
    path = folder / "original.h5"

    def write() -> None:
        with h5py.File(path, "w") as file:
            for number, array in enumerate(pixels):
                file[f"raw_images/{number}"] = array
        fsync_file(path)

    seconds = _seconds(write)
    note = f"(measured on {count} images)"
    report("write in bulk: original layout", f"{count / seconds:.0f} images/s {note}")
    ratio = path.stat().st_size / total
    report("bytes on disk per byte of original: original layout", f"{ratio:.1f} {note}")
    with h5py.File(path) as file:
        random = np.random.default_rng(SEED).integers(0, count, 300).tolist()
        timed = _timed_reads(
            lambda number: np.asarray(file[f"raw_images/{number}"]).tobytes(), random
        )
    report("random read: original layout", f"{timed} {note}")


def _bench_compaction(originals: list[bytes], folder: Path, report: Report) -> None:
    store = FeatureStore(folder / "compaction")
    for batch in _batches(originals, 6000, size=32):
        store.append_images([_image(number, data) for number, data in batch])
    store.delete(range(1, 6001, 10))
    started = time.perf_counter()
    done = compact(store)
    seconds = time.perf_counter() - started
    report(
        "compaction, one image in ten deleted",
        f"{done.bytes_read / 2**20 / seconds:.0f} MB/s, "
        f"{done.merged} segments replaced by {done.written}",
    )


def _bench_opening(folder: Path, report: Report) -> None:
    """From nothing to the first answer, in a process of its own."""
    path = folder / "features"
    store = FeatureStore(path)
    random = np.random.default_rng(SEED)
    for start in range(0, FEATURE_ROWS, ROWS_A_SEGMENT):
        store.append_features("bench", _features(random, start + 1, ROWS_A_SEGMENT))
    seconds = _seconds(lambda: store.renew_index("bench"))
    report(f"index file of {FEATURE_ROWS:,} rows: written in", f"{seconds:.1f} s")
    script = (
        "import sys, time; from pathlib import Path; import numpy as np\n"
        "from featurestore.store import FeatureStore\n"
        "from featurestore.condition_scores import index_condition_scores\n"
        "from featurestore.conditions import Asked, Kind, ObjectQuery, Presence\n"
        "from gallery.benchmarks.machine import resident_bytes\n"
        "before, started = resident_bytes(), time.perf_counter()\n"
        "index = FeatureStore(Path(sys.argv[1])).index('bench')\n"
        "opened = time.perf_counter()\n"
        "dog = Presence(Asked(Kind(np.array([18]), np.ones(1, np.float32))))\n"
        "scores = index_condition_scores(index, ObjectQuery(((dog,),)))\n"
        "best = scores.argmax()\n"
        "answered = time.perf_counter()\n"
        "print(len(index), opened - started, answered - started,\n"
        "      (resident_bytes() - before) / 2**20)\n"
    )
    output = subprocess.run(
        [sys.executable, "-c", script, str(path)], check=True, capture_output=True, text=True
    ).stdout.split()
    rows, opened, answered, megabytes = int(output[0]), *map(float, output[1:])
    report(f"open {rows:,} rows", f"{opened:.2f} s, first answer after {answered:.2f} s")
    report("memory for it", f"{megabytes:.0f} MB, mapped pages included")


def _features(random: np.random.Generator, first_id: int, rows: int) -> Features:
    """About seven objects an image, of all classes."""
    ssd = np.zeros((rows, 20, 6), np.float32)
    counts = np.clip(random.poisson(OBJECTS_AN_IMAGE, rows), 0, 20)
    filled = np.arange(20) < counts[:, None]
    corners = np.sort(random.uniform(0, 300, (rows, 20, 2, 2)), axis=2).reshape(rows, 20, 4)
    ssd[:, :, 0] = random.integers(1, 91, (rows, 20))
    ssd[:, :, 1] = -np.sort(-random.uniform(0.03, 1, (rows, 20)), axis=1)
    ssd[:, :, 2:] = corners
    ssd[~filled] = 0
    return Features(
        image_ids=np.arange(first_id, first_id + rows),
        ssd=ssd,
        nlp=random.standard_normal((rows, 50), np.float32),
        written_at=np.full(rows, time.time_ns()),
    )


def _image(number: int, data: bytes) -> StoredImage:
    return StoredImage(number, f"{number}.jpg", "image/jpeg", 320, 240, 0.0, data)


def _batches(
    originals: list[bytes], images: int, size: int = BULK_BATCH
) -> Iterator[list[tuple[int, bytes]]]:
    for start in range(0, images, size):
        numbers = range(start, min(images, start + size))
        yield [(number + 1, originals[number % len(originals)]) for number in numbers]


def _write_file(path: Path, data: bytes, *, durably: bool) -> None:
    with path.open("wb") as file:
        file.write(data)
        if durably:
            file.flush()
            os.fsync(file.fileno())


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _timed_reads(read: Callable[[int], bytes], numbers: list[int]) -> _Reads:
    times: NDArray[np.float64] = np.empty(len(numbers))
    for place, number in enumerate(numbers):
        started = time.perf_counter()
        read(number)
        times[place] = time.perf_counter() - started
    return _Reads(*(np.percentile(times, [50, 99]) * 1e6))
