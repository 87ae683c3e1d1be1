"""Detection inside this process, by OpenVINO, with no server."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Literal, TypeAlias

import numpy as np

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
from detector.openvino_import import openvino as ov

Precision: TypeAlias = Literal["f32", "bf16"]


class LocalDetector:
    """The exported network on this machine's processor. Loading takes about 0.3 s.

    `threads` is the number of processor threads, 0 for all cores. `precision` "bf16" is twice as
    fast on processors that have it and leaves mAP where it is, yet moves single scores by up to
    0.04, so its `model_id` differs from that of "f32", which gives the same detections on every
    machine and as the SavedModel. Raises `ModelMissing` if `models_dir` holds no exported model.

    Images run one by one, several at a time: `docs/decisions/0008-detector-streams.md` says why.
    """

    def __init__(self, models_dir: Path, *, threads: int = 0, precision: Precision = "f32") -> None:
        model_id = read_manifest(models_dir).model_id
        self.model_id = model_id if precision == "f32" else f"{model_id}-{precision}"
        network = _compile(models_dir / IR_FILE, threads, precision)
        # One to each stream and one more, so that none is idle while suppression runs here.
        count = network.get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS") + 1
        self._free: SimpleQueue[ov.InferRequest] = SimpleQueue()
        for _ in range(count):
            self._free.put(network.create_infer_request())
        self._closed = False

    def detect(self, images: Images) -> Detections:
        """See `Detector.detect`. A large batch takes no more memory than a small one, and does not
        keep a search in the next thread waiting.
        """
        check_images(images)
        self.check()
        detections = np.empty((len(images), MAX_DETECTIONS, ROW_LENGTH), np.float32)
        running: deque[_Run] = deque()
        try:
            for index in range(len(images)):
                while (request := self._free_request(wait=not running)) is None:
                    self._conclude(running.popleft(), detections)
                image = np.ascontiguousarray(images[index : index + 1])
                request.start_async([image], share_inputs=True)
                running.append(_Run(index, image, request))
            while running:
                self._conclude(running.popleft(), detections)
        finally:
            # Only after an error.
            for run in running:
                run.request.wait()
                self._free.put(run.request)
        return detections

    def check(self, deadline: float = 2.0) -> None:
        """See `Detector.check`. Once loaded, it can detect until it is closed."""
        if self._closed:
            raise DetectorError("this detector was closed")

    def close(self) -> None:
        """See `Detector.close`. What is under way in other threads comes to its end."""
        self._closed = True

    def _free_request(self, *, wait: bool) -> ov.InferRequest | None:
        try:
            return self._free.get(block=wait)
        except Empty:
            return None

    def _conclude(self, run: _Run, detections: Detections) -> None:
        try:
            run.request.wait()
            boxes, scores = (run.request.get_tensor(name).data for name in ("boxes", "scores"))
            detections[run.index] = suppress(boxes[:, :, 0], scores)[0]
        finally:
            self._free.put(run.request)


@dataclass(frozen=True)
class _Run:
    """An image in the network."""

    index: int
    image: Images
    """Kept as long as the network reads it."""
    request: ov.InferRequest


def _compile(path: Path, threads: int, precision: Precision) -> ov.CompiledModel:
    if not path.is_file():
        raise ModelMissing(path)
    options: dict[str, str | int] = {
        # A stream for every few cores, whose threads hardly wait for each other.
        "PERFORMANCE_HINT": "THROUGHPUT",
        # Without it OpenVINO picks bfloat16 wherever the processor has it.
        "INFERENCE_PRECISION_HINT": precision,
    }
    if threads:
        options["INFERENCE_NUM_THREADS"] = threads
    try:
        return ov.Core().compile_model(path, "CPU", options)
    except RuntimeError as error:
        raise ModelMissing(path, f"OpenVINO cannot load it: {error}") from error
