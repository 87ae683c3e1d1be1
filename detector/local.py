"""Detection inside this process, by OpenVINO, with no server."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from detector.detections import (
    MAX_DETECTIONS,
    ROW_LENGTH,
    Detections,
    Images,
    check_images,
)
from detector.errors import DetectorError
from detector.local_network import LocalNetwork, Outputs, Precision
from detector.model_files import SSD, read_manifest
from detector.nms import suppress


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
        path = models_dir / SSD.ir_file
        self._network = LocalNetwork(path, threads=threads, precision=precision)
        self._closed = False

    def detect(self, images: Images) -> Detections:
        """See `Detector.detect`."""
        check_images(images)
        self.check()
        detections = np.empty((len(images), MAX_DETECTIONS, ROW_LENGTH), np.float32)

        def read(index: int, outputs: Outputs) -> None:
            detections[index] = suppress(outputs["boxes"][:, :, 0], outputs["scores"])[0]

        self._network.run(images, read)
        return detections

    def check(self, deadline: float = 2.0) -> None:
        """See `Detector.check`. Once loaded, it can detect until it is closed."""
        if self._closed:
            raise DetectorError("this detector was closed")

    def close(self) -> None:
        """See `Detector.close`. What is under way in other threads comes to its end."""
        self._closed = True
