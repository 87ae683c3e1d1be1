"""Detection inside this process, by OpenVINO, with no server."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np
import openvino as ov

from detector.detections import (
    MAX_DETECTIONS,
    ROW_LENGTH,
    Detections,
    Images,
    check_images,
)
from detector.errors import DetectorError, ModelMissing
from detector.model_files import IR_FILE, read_manifest
from detector.nms import suppress

Precision: TypeAlias = Literal["f32", "bf16"]


class LocalDetector:
    """The exported network on this machine's processor. Loading takes about 0.3 s.

    `threads` is the number of processor threads, 0 for all cores. `precision` "bf16" is twice as
    fast on processors that have it and leaves mAP where it is, yet moves single scores by up to
    0.04, so its `model_id` differs from that of "f32", which gives the same detections on every
    machine and as the SavedModel. Raises `ModelMissing` if `models_dir` holds no exported model.
    """

    def __init__(self, models_dir: Path, *, threads: int = 0, precision: Precision = "f32") -> None:
        model_id = read_manifest(models_dir).model_id
        self.model_id = model_id if precision == "f32" else f"{model_id}-{precision}"
        network = _compile(models_dir / IR_FILE, threads, precision)
        self._request: ov.InferRequest | None = network.create_infer_request()
        # One run uses every thread it was given, so runs side by side would only take memory.
        self._lock = threading.Lock()

    def detect(self, images: Images) -> Detections:
        """See `Detector.detect`. Runs image by image, so a large batch takes no more memory and
        does not keep a search in the next thread waiting.
        """
        check_images(images)
        detections = np.empty((len(images), MAX_DETECTIONS, ROW_LENGTH), np.float32)
        for index in range(len(images)):
            image = np.ascontiguousarray(images[index : index + 1])
            with self._lock:
                if self._request is None:
                    raise DetectorError("this detector was closed")
                raw = self._request.infer([image])
            # Results are copies that nobody else writes to, so suppression needs no lock.
            detections[index] = suppress(raw["boxes"][:, :, 0], raw["scores"])[0]
        return detections

    def close(self) -> None:
        with self._lock:
            self._request = None


def _compile(path: Path, threads: int, precision: Precision) -> ov.CompiledModel:
    if not path.is_file():
        raise ModelMissing(path)
    options: dict[str, str | int] = {
        "PERFORMANCE_HINT": "LATENCY",
        # Without it OpenVINO picks bfloat16 wherever the processor has it.
        "INFERENCE_PRECISION_HINT": precision,
    }
    if threads:
        options["INFERENCE_NUM_THREADS"] = threads
    try:
        return ov.Core().compile_model(path, "CPU", options)
    except RuntimeError as error:
        raise ModelMissing(path, f"OpenVINO cannot load it: {error}") from error
