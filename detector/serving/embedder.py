"""Looks by a TensorFlow Serving server, over gRPC, without TensorFlow."""

from __future__ import annotations

import numpy as np

from detector.look_model import LOOK
from detector.looks import LOOK_INPUT, LOOK_SIZE, LookImages, Looks, check_look_images, check_looks
from detector.predict_messages import decode_floats
from detector.serving.connection import ServingModel


class ServingEmbedder(ServingModel):
    """Looks from model `look` of the servers at `addresses`, see `ServingModel`."""

    name = LOOK.name
    image_shape = (LOOK_SIZE, LOOK_SIZE, 3)
    service = "embedder"
    input = LOOK_INPUT

    def embed(self, images: LookImages) -> Looks:
        """See `Embedder.embed`.

        Raises `DetectorUnavailable`, and `BadDetectorAnswer` when a server answers anything but
        looks.
        """
        check_look_images(images)
        parts = [Looks.empty(), *self._predict(images, _read)]
        return Looks(
            np.concatenate([part.embedding for part in parts]),
            np.concatenate([part.scores for part in parts]),
        )


def _read(answer: bytes, count: int) -> Looks:
    looks = Looks(decode_floats(answer, "embedding"), decode_floats(answer, "scores"))
    return check_looks(looks, count)
