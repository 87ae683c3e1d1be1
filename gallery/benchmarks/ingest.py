"""`bench ingest`: from received to searchable beside the bare detector, and that beside TensorFlow.

Each side runs in a process of its own, with a gallery of its own that is thrown away.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from django.conf import settings
from numpy.typing import NDArray
from PIL import Image as Pillow

from detector import Images, create_detector
from detector.model_files import SSD
from detector.nms import choose_rows
from gallery import components
from gallery.benchmarks.timing import Report
from gallery.decoding import detector_input, read_pixels
from gallery.evaluation.detection_quality import detection_quality
from gallery.evaluation.truth import NotCocoAnnotations, Truth, load_truth
from gallery.thumbnails import Size

MADE_SIDES = (640, 480)
LARGE_SIDES = {"12": (4000, 3000), "100": (11540, 8660)}
QUALITY = 90


class Effort(NamedTuple):
    """How much is measured."""

    most_photos: int = 320
    """More say the same and take longer."""
    made_photos: int = 256
    rounds: int = 5
    detected: int = 64
    """Images of the bare detectors."""
    large_photos: Mapping[str, int] = MappingProxyType({"12": 24, "100": 4})


THOROUGH = Effort()
QUICK = Effort(8, 8, 1, 8, {"12": 1})

# Its own best batch is looked for, because TensorFlow gains by batches and OpenVINO does not.
TENSORFLOW = """
import json, sys, time
import numpy as np
try:
    import tensorflow as tf
except ImportError:
    print(json.dumps(None))
    sys.exit()
predict = tf.saved_model.load(sys.argv[1]).signatures["predict"]
images = np.load(sys.argv[2])
speeds, cpu = {}, {}
some = images[: int(sys.argv[4])]
for run in range(min(3, int(sys.argv[5]))):
    for batch in (1, 4, 8, 16, 32):
        started, before = time.perf_counter(), time.process_time()
        for start in range(0, len(some), batch):
            predict(inputs=tf.constant(some[start : start + batch]))
        speeds[batch] = max(speeds.get(batch, 0), len(some) / (time.perf_counter() - started))
        used = (time.process_time() - before) / len(some)
        cpu[batch] = min(cpu.get(batch, used), used)
best = max(speeds, key=speeds.get)
found = [
    predict(inputs=tf.constant(images[start : start + best]))["outputs"].numpy()
    for start in range(0, len(images), best)
]
np.save(sys.argv[3], np.concatenate(found))
print(json.dumps({"batch": best, "speed": speeds[best], "cpu": cpu[best]}))
"""


def bench_ingest(
    photos: Sequence[Path], folder: Path, report: Report, effort: Effort = THOROUGH
) -> None:
    """Measure ingestion, of photos that are made up where none are given; `folder` is for it."""
    truth = _truth_beside(photos)
    if truth is not None:
        root = _common_folder(photos)
        photos = [root / image.file_name for image in truth.images]
    elif photos:
        photos = photos[: effort.most_photos]
    else:
        photos = _made_photos(folder / "made", "JPEG", MADE_SIDES, effort.made_photos)
    report("photos", f"{len(photos)}, {_mean_sides(photos)}")
    images = np.stack([detector_input(read_pixels(path, Size.GRID)) for path in photos])
    np.save(folder / "images.npy", images)
    (folder / "photos.json").write_text(json.dumps([str(path.resolve()) for path in photos]))
    large = {
        megapixels: _made_photos(
            folder / megapixels, "JPEG", LARGE_SIDES[megapixels], count, like=photos
        )
        for megapixels, count in effort.large_photos.items()
    }
    if "100" in large:
        # Nothing of a PNG is left out when it is decoded.
        large["100"] += _made_photos(folder / "100", "PNG", LARGE_SIDES["100"], 2, like=photos)
    for name, paths in large.items():
        (folder / f"large-{name}.json").write_text(json.dumps([str(path) for path in paths]))
    local = _bench_local(folder, report, effort)
    _bench_tensorflow(folder, local, truth, images, report, effort)


class _Detection(NamedTuple):
    """What detection takes by itself."""

    speed: float
    """Images/s, of the best run."""
    cpu: float
    """Seconds of processor time an image, of the best run."""


def _bench_local(folder: Path, report: Report, effort: Effort) -> _Detection:
    """Report what the gallery's own process measured; returns the bare detector's part."""
    # `env` gives it a data folder of its own and the embedded database.
    process = subprocess.Popen(
        [
            *(
                "env",
                *("-u", "DATABASE_URL", "-u", "CLIP_MODELS"),
                *("DETECTOR_URL=local:", "LOOK_URL=local:"),
                f"GALLERY_DATA={folder / 'data'}",
            ),
            f"GALLERY_MODELS={Path(settings.GALLERY_MODELS).resolve()}",
            "DJANGO_SETTINGS_MODULE=gallery.settings",
            *(sys.executable, "-m", "gallery.benchmarks.ingest_process", str(folder)),
            *(str(effort.rounds), str(effort.detected), *effort.large_photos),
        ],
        cwd=settings.BASE_DIR,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    bare = _Detection(0, 0)
    for line in process.stdout:
        name, value = json.loads(line)
        if name == "bare":
            bare = _Detection(*value)
        else:
            report(name, value)
    if process.wait() != 0:
        raise RuntimeError(f"The measuring process ended with {process.returncode}.")
    return bare


def _bench_tensorflow(
    folder: Path,
    local: _Detection,
    truth: Truth | None,
    images: Images,
    report: Report,
    effort: Effort,
) -> None:
    models = components.models_dir()
    run = subprocess.run(
        [
            *(sys.executable, "-c", TENSORFLOW, str(models / SSD.saved_model_dir)),
            *(str(folder / "images.npy"), str(folder / "found.npy")),
            *(str(effort.detected), str(effort.rounds)),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        check=True,
    )
    figures = json.loads(run.stdout.splitlines()[-1])
    if figures is None:
        report("TensorFlow graph", "not measured: TensorFlow is not installed")
        return
    report(
        "TensorFlow graph",
        f"{figures['speed']:.1f} images/s at best, in batches of {figures['batch']}, "
        f"{figures['cpu'] * 1000:.1f} ms of processor time each",
    )
    report(
        "bare detector against TensorFlow",
        f"{local.speed / figures['speed']:.2f} times as fast, best runs of both; "
        f"{figures['cpu'] / local.cpu:.2f} times by processor time",
    )
    if truth is None:
        report("mAP", "not measured: there is no annotations.json with these photos")
        return
    found = {"TensorFlow graph": choose_rows(np.load(folder / "found.npy"))}
    for url, name in (("local:", "bare detector"), ("local:bf16", "bare detector, bfloat16")):
        detector = create_detector(url, models)
        found[name] = detector.detect(images)
        detector.close()
    for name, detections in found.items():
        report(f"mAP: {name}", _map(truth, detections))


def _map(truth: Truth, detections: NDArray[np.float32]) -> str:
    quality = detection_quality(truth, detections)
    if quality is None:
        return "not measured: the annotations have no objects in these photos"
    return f"{quality.mean_average_precision:.4f} on {quality.images} photos"


def _truth_beside(photos: Sequence[Path]) -> Truth | None:
    """The truth about the photos, from `annotations.json` in their folder or the one above."""
    if not photos:
        return None
    root = _common_folder(photos)
    for path in (root / "annotations.json", root.parent / "annotations.json"):
        try:
            truth = load_truth(path)
        except (NotCocoAnnotations, OSError):
            continue
        if truth.images and all((root / image.file_name).is_file() for image in truth.images):
            return truth
    return None


def _common_folder(photos: Sequence[Path]) -> Path:
    return photos[0].parent


def _made_photos(
    folder: Path,
    file_format: str,
    sides: tuple[int, int],
    count: int,
    like: Sequence[Path] = (),
) -> list[Path]:
    """Photos of given sides, all different, made of other ones."""
    folder.mkdir(parents=True, exist_ok=True)
    sources = like or _packaged_photos()
    paths = []
    for number in range(count):
        with Pillow.open(sources[number % len(sources)]) as source:
            photo = source.convert("RGB").rotate(number // len(sources))
        # Such a PNG of many pixels has few enough bytes to be uploaded.
        way = Pillow.Resampling.BICUBIC if file_format == "JPEG" else Pillow.Resampling.NEAREST
        photo = photo.resize(sides, way)
        path = folder / f"{number}.{file_format.lower()}"
        # The number is in the pixels as well, so that no two are the same.
        photo.putpixel((0, 0), (number % 256, number // 256, 0))
        options = {"quality": QUALITY} if file_format == "JPEG" else {"compress_level": 1}
        photo.save(path, file_format, **options)
        paths.append(path)
    return paths


def _packaged_photos() -> list[Path]:
    """Those that come with scikit-image. Raises ModuleNotFoundError without it."""
    # Only for developers, who have it.
    import skimage

    folder = Path(skimage.__file__).parent / "data"
    names = ("astronaut", "chelsea", "coffee", "motorcycle_left")
    return [folder / f"{name}.png" for name in names]


def _mean_sides(photos: Sequence[Path]) -> str:
    sizes = []
    for path in photos:
        with Pillow.open(path) as photo:
            sizes.append((max(photo.size), min(photo.size), path.stat().st_size / 1000))
    width, height, kilobytes = np.mean(sizes, axis=0)
    return f"{width:.0f}×{height:.0f} pixels and {kilobytes:.0f} kB on average"
