"""An image–text model on this machine's processor, in the way of an `Embedder`."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from detector.errors import DetectorError, ModelUnusable
from detector.image_text.files import find_files
from detector.image_text.networks import (
    EMBEDDING,
    ImageNetwork,
    TextNetwork,
    read_image_network,
)
from detector.image_text.tokens import Tokenizer
from detector.local_network import LocalNetwork, Outputs
from detector.looks import LookImages, LookInput, Looks, check_look_images

#: Texts whose vectors are remembered, for the next page of a search.
REMEMBERED_TEXTS = 256
#: A photo from this probability on is said to match, where `clip.json` says nothing else: what is
#: nearer to the text than to any neutral phrase; those of models with a bias are never high.
CUT_OFF, CUT_OFF_WITH_BIAS = 0.5, 0.05
TEST_TEXT = "a photo of a dog"


class ImageTextModel:
    """Photos and texts as vectors of one space, each of length 1.

    Only what is used is loaded: who searches needs no network for photos. `threads` is the number
    of processor threads, 0 for all cores. Raises `ModelUnusable` where files are missing.
    """

    def __init__(self, folder: Path, *, threads: int = 0) -> None:
        self.folder = folder
        self._files = find_files(folder)
        self.model_id = self._files.model_id
        self.cut_off = self._files.options.cut_off or (
            CUT_OFF if self._files.options.logit_bias is None else CUT_OFF_WITH_BIAS
        )
        self._threads = threads
        self._lock = threading.RLock()
        self._read: ImageNetwork | None = None
        self._network: LocalNetwork | None = None
        self._text: tuple[Tokenizer, TextNetwork] | None = None
        self._text_vector = lru_cache(REMEMBERED_TEXTS)(self._new_text_vector)
        self._closed = False

    @property
    def input(self) -> LookInput:
        """See `Embedder.input`. Raises `ModelUnusable`."""
        frame = _middle if self._files.options.image.resize == "crop" else _whole
        return LookInput(self._image_network().side, frame, bicubic=True)

    def embed(self, images: LookImages) -> Looks:
        """See `Embedder.embed`. Raises `ModelUnusable`."""
        check_look_images(images, self._image_network().side)
        if self._closed:
            raise DetectorError("this model was closed")
        with self._lock:
            if self._network is None:
                self._network = LocalNetwork(
                    self._image_network().model, threads=self._threads, precision="fastest"
                )
        vectors: list[NDArray[np.float32]] = [np.empty(0, np.float32)] * len(images)

        def read(index: int, outputs: Outputs) -> None:
            vectors[index] = outputs[EMBEDDING][0].copy()

        self._network.run(images, read)
        embedding = np.stack(vectors) if vectors else np.empty((0, 0), np.float32)
        embedding = _of_length_one(embedding, self._files.image)
        return Looks(embedding, np.empty((len(images), 0), np.float32))

    def embed_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """(k, d) vectors of texts. Raises `ModelUnusable`."""
        return np.stack([self._text_vector(text) for text in texts])

    def probabilities(
        self, photos: NDArray[np.float32], of_neutral: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """How probably photos match texts, 0..1.

        Args:
            photos: (n, k) cosines of the vectors of n photos and k texts.
            of_neutral: (n,) the greatest cosine of each photo with a neutral phrase.

        The probability of a model with a bias is the one it was trained by: σ(scale · cosine +
        bias). Of any other it is that of the text against the nearest neutral phrase, by a softmax
        over the two (Kerr et al. 2023): σ(scale · (cosine - cosine of the phrase)).
        """
        options = self._files.options
        if options.logit_bias is None:
            logits = options.logit_scale * (photos - of_neutral[:, None])
        else:
            logits = options.logit_scale * photos + options.logit_bias
        probabilities: NDArray[np.float32] = 0.5 * (1 + np.tanh(0.5 * logits))
        return probabilities.astype(np.float32, copy=False)

    @property
    def neutral_phrases(self) -> tuple[str, ...]:
        """What says nothing of a photo."""
        return self._files.options.neutral

    def check(self, deadline: float = 2.0) -> None:
        """See `Embedder.check`: a test photo and a test text have vectors of one dimension.

        Raises `ModelUnusable`.
        """
        side = self.input.side
        pixels = np.linspace(0, 255, side * side * 3).astype(np.uint8)
        of_photo = self.embed(pixels.reshape(1, side, side, 3)).embedding
        of_text = self.embed_texts([TEST_TEXT, *self.neutral_phrases])
        if of_photo.shape[1] != of_text.shape[1]:
            raise ModelUnusable(
                self.folder,
                f"vectors of photos have {of_photo.shape[1]} numbers and those of texts "
                f"{of_text.shape[1]}: these networks are not of one model",
            )

    def close(self) -> None:
        """See `Embedder.close`."""
        self._closed = True

    def _image_network(self) -> ImageNetwork:
        with self._lock:
            if self._read is None:
                self._read = read_image_network(self._files.image, self._files.options.image)
            return self._read

    def _new_text_vector(self, text: str) -> NDArray[np.float32]:
        with self._lock:
            if self._text is None:
                network = TextNetwork(self._files.text, self._files.options.text)
                tokenizer = Tokenizer(
                    self._files.tokenizer,
                    network.context_length,
                    self._files.options.text.pad_token_id,
                )
                self._text = tokenizer, network
        tokenizer, network = self._text
        vector = network.run(*tokenizer.tokens(text))
        of_length_one: NDArray[np.float32] = _of_length_one(vector[None], self._files.text)[0]
        return of_length_one


def _of_length_one(vectors: NDArray[np.float32], path: Path) -> NDArray[np.float32]:
    lengths = np.linalg.norm(vectors.astype(np.float64), axis=1, keepdims=True)
    if not np.isfinite(lengths).all() or not lengths.all():
        raise ModelUnusable(path, "it gave a vector of zeros, or numbers that are not finite")
    return np.asarray(vectors / lengths, np.float32)


def _middle(width: int, height: int) -> tuple[float, float, float, float]:
    """The largest square in the middle."""
    side = min(width, height)
    left, top = (width - side) / 2, (height - side) / 2
    return left, top, left + side, top + side


def _whole(width: int, height: int) -> tuple[float, float, float, float]:
    return 0, 0, width, height
