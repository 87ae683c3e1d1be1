"""Detection by a TensorFlow Serving server, over gRPC, without TensorFlow."""

from __future__ import annotations

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


class ServingDetector(ServingModel):
    """Detections from model `ssd` of the servers at `addresses`, see `ServingModel`."""

    name = MODEL
    image_shape = (IMAGE_SIZE, IMAGE_SIZE, 3)
    service = "detector"

    def detect(self, images: Images) -> Detections:
        """See `Detector.detect`.

        Raises `DetectorUnavailable`, and `BadDetectorAnswer` when a server answers anything but
        detections.
        """
        check_images(images)
        none = np.empty((0, MAX_DETECTIONS, ROW_LENGTH), dtype=np.float32)
        return np.concatenate([none, *self._predict(images, _read)])


def _read(answer: bytes, count: int) -> Detections:
    """Return the first 20 rows per image of an answer, checked."""
    rows = decode_floats(answer, "outputs")
    if rows.shape == (count, ANSWER_ROWS, ROW_LENGTH):
        # A model may let boxes hang over the border; detections do not.
        rows[..., XMIN:] = rows[..., XMIN:].clip(0, IMAGE_SIZE)
        rows[rows[..., SCORE] == 0] = 0
    return choose_rows(check_detections(rows, count, ANSWER_ROWS))
