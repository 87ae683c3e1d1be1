"""Looks inside this process, by OpenVINO, with no server."""

from __future__ import annotations

from pathlib import Path

from detector.errors import DetectorError
from detector.local_network import LocalNetwork, Outputs, Precision
from detector.look_model import LOOK
from detector.looks import LOOK_INPUT, LookImages, Looks, check_look_images
from detector.model_files import read_manifest


class LocalEmbedder:
    """The exported appearance model on this machine's processor.

    `threads` is the number of processor threads, 0 for all cores. Looks in bfloat16 and in float32
    find each other as well as their like (`docs/decisions/0010-looks.md`), so both have one
    `model_id`, and the faster is the default. Raises `ModelMissing` if `models_dir` holds no
    exported model.
    """

    input = LOOK_INPUT

    def __init__(
        self, models_dir: Path, *, threads: int = 0, precision: Precision = "fastest"
    ) -> None:
        self.model_id = read_manifest(models_dir, LOOK).model_id
        path = models_dir / LOOK.ir_file
        self._network = LocalNetwork(path, threads=threads, precision=precision)
        self._closed = False

    def embed(self, images: LookImages) -> Looks:
        """See `Embedder.embed`."""
        check_look_images(images)
        self.check()
        looks = Looks.empty(len(images))

        def read(index: int, outputs: Outputs) -> None:
            looks.embedding[index] = outputs["embedding"][0]
            looks.scores[index] = outputs["scores"][0]

        self._network.run(images, read)
        return looks

    def check(self, deadline: float = 2.0) -> None:
        """See `Embedder.check`. Once loaded, it can embed until it is closed."""
        if self._closed:
            raise DetectorError("this embedder was closed")

    def close(self) -> None:
        """See `Embedder.close`. What is under way in other threads comes to its end."""
        self._closed = True
