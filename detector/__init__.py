"""Finds objects in photos, up to 20 to an image, of the 80 classes of COCO, and says how they look.

`create_detector` gives the detector that a URL names, `create_embedder` the embedder; `Detector`
and `Embedder` say what they can do.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from detector.detections import MAX_DETECTIONS, Detections, Images
from detector.errors import (
    BadDetectorAnswer,
    DetectorError,
    DetectorUnavailable,
    ModelMissing,
    ModelUnusable,
    RequestRefused,
    WeightsUnavailable,
)
from detector.interface import Detector, Embedder
from detector.looks import LookImages, LookInput, Looks

if TYPE_CHECKING:
    from detector.image_text.model import ImageTextModel
    from detector.local_network import Precision

__all__ = [
    "MAX_DETECTIONS",
    "BadDetectorAnswer",
    "Detections",
    "Detector",
    "DetectorError",
    "DetectorUnavailable",
    "Embedder",
    "Images",
    "LookImages",
    "LookInput",
    "Looks",
    "ModelMissing",
    "ModelUnusable",
    "RequestRefused",
    "WeightsUnavailable",
    "create_detector",
    "create_embedder",
    "create_image_text_model",
]

GRPC_PREFIX = "grpc://"


def create_detector(url: str, models_dir: Path, *, threads: int = 0) -> Detector:
    """Return the detector that `url` names.

    - `local:`: in this process, in float32; `local:bf16`: in bfloat16, faster on some
      processors. Both read the model in `models_dir`, with `threads` processor threads
      (0: all), and raise `ModelMissing` if there is none.
    - `grpc://host:8500` or `grpc://host:8500,host2:8500`: TensorFlow Serving.

    Raises ValueError for any other URL.
    """
    # Imported here so that each detector costs only its own libraries.
    if url in ("local:", "local:bf16"):
        with _needed_for(models_dir):
            from detector.local import LocalDetector

        precision: Precision = "bf16" if url == "local:bf16" else "f32"
        return LocalDetector(models_dir, threads=threads, precision=precision)
    addresses = _addresses(url)
    if addresses:
        from detector.serving import ServingDetector

        return ServingDetector(addresses)
    raise ValueError(
        f"detector URL: expected local:, local:bf16 or grpc://host:port[,host:port], got {url!r}"
    )


def create_embedder(url: str, models_dir: Path, *, threads: int = 0) -> Embedder:
    """Return the embedder that `url` names.

    - `local:`: in this process, as fast as the processor can; `local:f32`: in float32, the same on
      every machine. Both read the model in `models_dir`, as `create_detector` has it.
    - `grpc://host:8500` or `grpc://host:8500,host2:8500`: TensorFlow Serving.

    Raises ValueError for any other URL, `ModelMissing`.
    """
    if url in ("local:", "local:f32"):
        with _needed_for(models_dir):
            from detector.local_embedder import LocalEmbedder

        chosen: Precision = "f32" if url == "local:f32" else "fastest"
        return LocalEmbedder(models_dir, threads=threads, precision=chosen)
    addresses = _addresses(url)
    if addresses:
        from detector.serving import ServingEmbedder

        return ServingEmbedder(addresses)
    raise ValueError(
        f"embedder URL: expected local:, local:f32 or grpc://host:port[,host:port], got {url!r}"
    )


def create_image_text_model(folder: Path, *, threads: int = 0) -> ImageTextModel:
    """Return the image–text model whose files lie in a folder, as docs/clip.md says.

    Raises `ModelUnusable` with the reason, `ModelMissing` where OpenVINO is not installed.
    """
    with _needed_for(folder):
        from detector.image_text.model import ImageTextModel
    return ImageTextModel(folder, threads=threads)


@contextmanager
def _needed_for(models: Path) -> Iterator[None]:
    """Raises `ModelMissing` where a library is not installed that models are run with."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise ModelMissing(models, f"{error.name} is not installed") from error


def _addresses(url: str) -> list[str]:
    """The addresses of a `grpc:` URL, none where it is no such URL."""
    if not url.startswith(GRPC_PREFIX):
        return []
    addresses = url.removeprefix(GRPC_PREFIX).rstrip("/").split(",")
    return addresses if all(map(_is_address, addresses)) else []


def _is_address(address: str) -> bool:
    host, _, port = address.rpartition(":")
    return bool(host) and "/" not in host and port.isdecimal() and 0 < int(port) < 65536
