"""Detection by a TensorFlow Serving server, over gRPC, without TensorFlow."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from detector.detections import (
    IMAGE_SIZE,
    MAX_DETECTIONS,
    ROW_LENGTH,
    SCORE,
    XMIN,
    Detections,
    Images,
    check_detections,
    check_images,
)
from detector.nms import choose_rows
from detector.predict_messages import MODEL, decode_floats
from detector.serving.connection import ServingModel

#: Rows per image in an answer, of which the first 20 are kept.
ANSWER_ROWS = 200


class ServingDetector:
    """Detections from model `ssd` of the servers at `addresses` ("host:port").

    `ServingModel` says how they are asked.
    """

    def __init__(
        self,
        addresses: Sequence[str],
        *,
        deadline: float = 30.0,
        attempt_deadline: float = 10.0,
    ) -> None:
        self._model = ServingModel(
            addresses,
            MODEL,
            (IMAGE_SIZE, IMAGE_SIZE, 3),
            "detector",
            deadline=deadline,
            attempt_deadline=attempt_deadline,
        )

    @property
    def model_id(self) -> str:
        """See `ServingModel.model_id`."""
        return self._model.model_id

    def detect(self, images: Images) -> Detections:
        """See `Detector.detect` and `ServingModel.predict`.

        Raises `BadDetectorAnswer` also when a server answers anything but detections.
        """
        check_images(images)
        none = np.empty((0, MAX_DETECTIONS, ROW_LENGTH), dtype=np.float32)
        return np.concatenate([none, *self._model.predict(images, _read)])

    def check(self, deadline: float = 2.0) -> None:
        """See `Detector.check`. Asks each server in turn whether the model is loaded."""
        self._model.check(deadline)

    def close(self) -> None:
        """See `Detector.close`. Requests that are under way end with `DetectorError`."""
        self._model.close()


def _read(answer: bytes, count: int) -> Detections:
    """Return the first 20 rows per image of an answer to `predict`, checked."""
    rows = decode_floats(answer, "outputs")
    if rows.shape == (count, ANSWER_ROWS, ROW_LENGTH):
        # A model may let boxes hang over the border; detections do not.
        rows[..., XMIN:] = rows[..., XMIN:].clip(0, IMAGE_SIZE)
        rows[rows[..., SCORE] == 0] = 0
    return choose_rows(check_detections(rows, count, ANSWER_ROWS))
