"""The process in which `bench ingest` measures; it prints a JSON pair for each figure.

Arguments: the folder that `gallery.benchmarks.ingest` has prepared, the number of rounds, of images
for the bare detector, and the megapixels of large photos.
"""

from __future__ import annotations

import hashlib
import io
import json
import resource
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import django
import numpy as np

# The bare detector's images are detected so many times over.
DETECTIONS = 4
ACCOUNT_PHOTOS = 96


@dataclass(frozen=True)
class Run:
    """What one measured run took for each photo."""

    seconds: float
    cpu_seconds: float
    """Of all threads."""

    def then(self, other: Run) -> Run:
        """Both, one after the other."""
        return Run(self.seconds + other.seconds, self.cpu_seconds + other.cpu_seconds)


@dataclass
class Account:
    """Seconds by stage."""

    stages: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        started = time.perf_counter()
        yield
        self.stages[name] = self.stages.get(name, 0.0) + time.perf_counter() - started

    def text(self, photos: int) -> str:
        """Milliseconds a photo, the longest first."""
        total = sum(self.stages.values())
        parts = [
            f"{name} {seconds / photos * 1000:.2f} ({seconds / total:.0%})"
            for name, seconds in sorted(self.stages.items(), key=lambda item: -item[1])
        ]
        return f"{total / photos * 1000:.2f} ms a photo one by one: {', '.join(parts)}"


def main() -> None:
    django.setup()
    from gallery import components
    from gallery.catalogue import prepare_catalogue
    from gallery.memory import give_memory_back

    # As the worker does.
    give_memory_back()
    folder = Path(sys.argv[1])
    rounds, detected = int(sys.argv[2]), int(sys.argv[3])
    photos = _paths(folder / "photos.json")
    # Few, because they count as this process's memory.
    images = np.load(folder / "images.npy", mmap_mode="r")[:detected].copy()
    prepare_catalogue()
    detector = components.detector()
    # Fails here where there is none, which the task would wait for.
    components.embedder()

    def detect(times: int) -> None:
        for _ in range(times):
            detector.detect(images)

    _ingest(photos[:8])
    before = _peak()
    bare, door, worker, looks, imported = [], [], [], [], []
    # By turns, so that what else the machine does meets all of them.
    for _ in range(rounds):
        bare.append(_timed(lambda: detect(DETECTIONS), DETECTIONS * len(images)))
        received, ingested, looked_at = _ingest(photos)
        door.append(received)
        worker.append(ingested)
        looks.append(looked_at)
        imported.append(_import(photos))
    _print("bare detector", _text(bare))
    _print("receiving: decode, thumbnail, keep durably, one by one", _text(door))
    _print("from received to searchable", _text(worker))
    _print("looking at photos that are searchable", _text(looks))
    both = [run.then(look) for run, look in zip(worker, looks, strict=True)]
    _print(
        "from received to searchable and looked at",
        f"{_text(both)}; {_seconds(worker) / _seconds(both):.0%} of the images/s without looks",
    )
    _print("import of a folder", _text(imported))
    for name, runs in (("from received to searchable", worker), ("import of a folder", imported)):
        _print(
            f"{name}, share of the bare detector",
            f"{_seconds(bare) / _seconds(runs):.0%} of its images/s; "
            f"{_cpu(bare) / _cpu(runs):.0%} of the processor time is the detector's",
        )
    _print("where the time goes", _account(photos[:ACCOUNT_PHOTOS]))
    _print("memory", f"at most {_peak():.0f} MB, {before:.0f} MB once it was loaded")
    for megapixels in sys.argv[4:]:
        large = _paths(folder / f"large-{megapixels}.json")
        received, ingested, _ = _ingest(large)
        _print(
            f"photos of {megapixels} megapixels",
            f"received {1 / received.seconds:.1f}/s, then searchable {1 / ingested.seconds:.1f}/s; "
            f"imported {1 / _import(large).seconds:.1f}/s",
        )
        _print(f"photos of {megapixels} megapixels, where the time goes", _account(large[:4]))
        _print(f"photos of {megapixels} megapixels, memory", f"at most {_peak():.0f} MB")
    best = min(run.seconds for run in bare), min(run.cpu_seconds for run in bare)
    print(json.dumps(["bare", [1 / best[0], best[1]]]), flush=True)


def _ingest(photos: Sequence[Path]) -> tuple[Run, Run, Run]:
    """Receive photos as uploads, have a worker make them ready, and have it look at them.

    With `LOOK_URL=off:` all ends before the last step. The gallery is empty again afterwards.
    """
    from detector.look_model import LOOK_MODEL_ID
    from gallery.looking import images_without_looks
    from gallery.models import Image
    from gallery.originals import delete_images
    from gallery.tasks import ingest_received, look_at_photos
    from gallery.uploads import receive_file

    def receive() -> None:
        for path in photos:
            receive_file(path)

    def work() -> None:
        while Image.objects.received().exists():
            ingest_received.call()

    def look() -> None:
        while images_without_looks(LOOK_MODEL_ID):
            look_at_photos.call()

    runs = (
        _timed(receive, len(photos)),
        _timed(work, len(photos)),
        _timed(look, len(photos)),
    )
    delete_images(Image.objects.ready())
    return runs


def _import(photos: Sequence[Path]) -> Run:
    from django.core.management import call_command

    from gallery.models import Image
    from gallery.originals import delete_images

    run = _timed(
        lambda: call_command("ingest", *map(str, photos), verbosity=0, stdout=io.StringIO()),
        len(photos),
    )
    delete_images(Image.objects.ready())
    return run


def _account(photos: Sequence[Path]) -> str:
    """Every step of a batch one after the other, in one thread."""
    from featurestore.segments import StoredImage
    from gallery import components
    from gallery.decoding import detector_input, read_photo, shrunken_jpeg
    from gallery.features import features_of
    from gallery.thumbnails import Size

    account = Account()
    stored, pixels, thumbnails = [], [], []
    # Ids that no row has.
    first_id = 1_000_000 + time.monotonic_ns() % 1_000_000_000
    for image_id, path in enumerate(photos, first_id):
        with account.stage("read"):
            data = path.read_bytes()
        with account.stage("decode, turn upright"):
            facts, photo = read_photo(io.BytesIO(data), Size.GRID)
        with account.stage("SHA-256"):
            digest = hashlib.sha256(data).hexdigest()
        with account.stage("resize for the detector"):
            pixels.append(detector_input(photo))
        with account.stage("thumbnail"):
            thumbnails.append((digest, shrunken_jpeg(photo, Size.GRID)))
        stored.append(
            StoredImage(image_id, path.name, facts.media_type, facts.width, facts.height, 0.0, data)
        )
    detector, vocabulary, store = components.detector(), components.vocabulary(), components.store()
    with account.stage("detect, all cores"):
        detections = detector.detect(np.stack(pixels))
    with account.stage("features"):
        features = features_of([image.image_id for image in stored], detections, vocabulary)
    with account.stage("append originals durably"):
        store.append_images(stored)
    with account.stage("append features durably"):
        store.append_features(detector.model_id, features)
    with account.stage("write thumbnails"):
        for digest, jpeg in thumbnails:
            components.thumbnails().keep(digest, Size.GRID, jpeg)
    store.delete(image.image_id for image in stored)
    return account.text(len(photos))


def _timed(work: Callable[[], object], photos: int) -> Run:
    cpu, started = time.process_time(), time.perf_counter()
    work()
    return Run((time.perf_counter() - started) / photos, (time.process_time() - cpu) / photos)


def _seconds(runs: Sequence[Run]) -> float:
    return statistics.median(run.seconds for run in runs)


def _cpu(runs: Sequence[Run]) -> float:
    return statistics.median(run.cpu_seconds for run in runs)


def _text(runs: Sequence[Run]) -> str:
    speeds = sorted(1 / run.seconds for run in runs)
    return (
        f"{1 / _seconds(runs):.1f} images/s (of {len(runs)} runs {speeds[0]:.0f} to "
        f"{speeds[-1]:.0f}), {_cpu(runs) * 1000:.1f} ms of processor time each"
    )


def _peak() -> float:
    """The most memory this process ever had, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _paths(path: Path) -> list[Path]:
    return [Path(text) for text in json.loads(path.read_text())]


def _print(name: str, value: str) -> None:
    print(json.dumps([name, value], ensure_ascii=False), flush=True)


if __name__ == "__main__":
    main()
