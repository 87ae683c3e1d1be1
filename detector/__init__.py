"""Finds objects in photos: up to 20 to an image, of the 80 classes of COCO.

`create_detector` gives the detector that a URL names; `Detector` says what it can do.
"""

from __future__ import annotations

from pathlib import Path

from detector.detections import MAX_DETECTIONS, Detections, Images
from detector.errors import (
    BadDetectorAnswer,
    DetectorError,
    DetectorUnavailable,
    ModelMissing,
    RequestRefused,
    WeightsUnavailable,
)
from detector.interface import Detector

__all__ = [
    "MAX_DETECTIONS",
    "BadDetectorAnswer",
    "Detections",
    "Detector",
    "DetectorError",
    "DetectorUnavailable",
    "Images",
    "ModelMissing",
    "RequestRefused",
    "WeightsUnavailable",
    "create_detector",
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
        try:
            from detector.local import LocalDetector, Precision
        except ModuleNotFoundError as error:
            raise ModelMissing(models_dir, f"{error.name} is not installed") from error

        precision: Precision = "bf16" if url == "local:bf16" else "f32"
        return LocalDetector(models_dir, threads=threads, precision=precision)
    if url.startswith(GRPC_PREFIX):
        addresses = url.removeprefix(GRPC_PREFIX).rstrip("/").split(",")
        if all(_is_address(address) for address in addresses):
            from detector.serving import ServingDetector

            return ServingDetector(addresses)
    raise ValueError(
        f"detector URL: expected local:, local:bf16 or grpc://host:port[,host:port], got {url!r}"
    )


def _is_address(address: str) -> bool:
    host, _, port = address.rpartition(":")
    return bool(host) and "/" not in host and port.isdecimal() and 0 < int(port) < 65536
