"""Looks by a TensorFlow Serving server, over gRPC, without TensorFlow."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from detector.look_model import LOOK
from detector.looks import LOOK_INPUT, LOOK_SIZE, LookImages, Looks, check_look_images, check_looks
from detector.predict_messages import decode_floats
from detector.serving.connection import ServingModel


class ServingEmbedder:
    """Looks from model `look` of the servers at `addresses` ("host:port").

    `ServingModel` says how they are asked.
    """

    input = LOOK_INPUT

    def __init__(
        self,
        addresses: Sequence[str],
        *,
        deadline: float = 30.0,
        attempt_deadline: float = 10.0,
    ) -> None:
        self._model = ServingModel(
            addresses,
            LOOK.name,
            (LOOK_SIZE, LOOK_SIZE, 3),
            "embedder",
            deadline=deadline,
            attempt_deadline=attempt_deadline,
        )

    @property
    def model_id(self) -> str:
        """See `ServingModel.model_id`."""
        return self._model.model_id

    def embed(self, images: LookImages) -> Looks:
        """See `Embedder.embed` and `ServingModel.predict`.

        Raises `BadDetectorAnswer` also when a server answers anything but looks.
        """
        check_look_images(images)
        parts = [Looks.empty(), *self._model.predict(images, _read)]
        return Looks(
            np.concatenate([part.embedding for part in parts]),
            np.concatenate([part.scores for part in parts]),
        )

    def check(self, deadline: float = 2.0) -> None:
        """See `Embedder.check`. Asks each server in turn whether the model is loaded."""
        self._model.check(deadline)

    def close(self) -> None:
        """See `Embedder.close`. Requests that are under way end with `DetectorError`."""
        self._model.close()


def _read(answer: bytes, count: int) -> Looks:
    looks = Looks(decode_floats(answer, "embedding"), decode_floats(answer, "scores"))
    return check_looks(looks, count)
