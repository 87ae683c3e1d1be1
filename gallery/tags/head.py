"""A tagger's head: a matrix that turns the look of photos into probabilities of tags."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from featurestore.durable import write_durably
from featurestore.looks import EMBEDDING_DIMENSIONS
from gallery.tags.discriminant import rooted

#: An example class of this name says what a photo looks like that gets none of the tags.
NOTHING = "none"
FORMAT = 1
MOST_CLASSES = 200
MOST_BASIS = 64


class HeadUnreadable(ValueError):
    """A file that holds no head, or one that this gallery cannot use."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path} is no tagger: {reason}.")
        self.path = path


@dataclass(frozen=True)
class TagHead:
    """What one tagger has learnt."""

    look_model_id: str
    """The appearance model whose embeddings it reads."""
    names: tuple[str, ...]
    """(k,) tags, `NOTHING` perhaps among them."""
    mean: NDArray[np.float16]
    """(1280,) of the rooted embeddings that it has seen."""
    weights: NDArray[np.float16]
    """(1280, k)"""
    biases: NDArray[np.float32]
    """(k,)"""
    basis: NDArray[np.float16]
    """(1280, r) orthonormal directions along which its examples differed."""
    farthest: float
    """Squared distance from the space of those directions up to which a photo is of its kind."""
    temperature: float
    """What log odds are divided by, so that of all tags with 80 % four in five are right."""

    def __post_init__(self) -> None:
        classes, directions = len(self.names), self.basis.shape[-1]
        for name, array, expected in (
            ("mean", self.mean, (EMBEDDING_DIMENSIONS,)),
            ("weights", self.weights, (EMBEDDING_DIMENSIONS, classes)),
            ("biases", self.biases, (classes,)),
            ("basis", self.basis, (EMBEDDING_DIMENSIONS, directions)),
        ):
            if array.shape != expected:
                raise ValueError(f"{name} should have shape {expected}, has {array.shape}")
            if not np.isfinite(array).all():
                raise ValueError(f"{name} holds values that are not finite")
        if not 2 <= classes <= MOST_CLASSES or directions > MOST_BASIS:
            raise ValueError(f"it has {classes} classes and {directions} directions")
        if not (self.temperature > 0 and self.farthest >= 0):
            raise ValueError("its temperature should be above 0, and its distance not below")

    def probabilities(self, embedding: NDArray[np.float16]) -> NDArray[np.float32]:
        """(n, k) how probable each tag is; all 0 for photos unlike any that it has learnt from.

        Args:
            embedding: (n, 1280)
        """
        apart = self._apart(embedding)
        probabilities = self._of_classes(apart)
        inside = apart @ self.basis.astype(np.float32)
        distances = (apart**2).sum(axis=1) - (inside**2).sum(axis=1)
        probabilities[distances > self.farthest] = 0
        return probabilities

    def class_probabilities(self, embedding: NDArray[np.float16]) -> NDArray[np.float32]:
        """(n, k) likewise of photos that are known to be of one of its classes: they sum to 1."""
        return self._of_classes(self._apart(embedding))

    def _apart(self, embedding: NDArray[np.float16]) -> NDArray[np.float32]:
        """(n, 1280) how rooted embeddings differ from the mean."""
        return np.asarray(rooted(embedding) - self.mean, np.float32)

    def _of_classes(self, apart: NDArray[np.float32]) -> NDArray[np.float32]:
        logits = (apart @ self.weights.astype(np.float32) + self.biases) / self.temperature
        odds = np.exp(logits - logits.max(axis=1, keepdims=True))
        return np.asarray(odds / odds.sum(axis=1, keepdims=True), np.float32)


def write_head(path: Path, head: TagHead) -> None:
    """Durably write a head as one .npz file. Raises OSError (a full disk)."""
    content = io.BytesIO()
    np.savez_compressed(
        content,
        mean=head.mean,
        weights=head.weights,
        biases=head.biases,
        basis=head.basis,
        facts=np.frombuffer(_facts(head).encode(), np.uint8),
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    write_durably(path, lambda file: _write(file, content.getvalue()))


def read_head(path: Path) -> TagHead:
    """Raises HeadUnreadable, FileNotFoundError."""
    try:
        with np.load(path, allow_pickle=False) as arrays:
            facts = json.loads(arrays["facts"].tobytes())
            if facts["format"] != FORMAT:
                raise HeadUnreadable(path, f"its format is {facts['format']}, not {FORMAT}")
            return TagHead(
                look_model_id=str(facts["look_model_id"]),
                names=tuple(map(str, facts["names"])),
                mean=np.asarray(arrays["mean"], np.float16),
                weights=np.asarray(arrays["weights"], np.float16),
                biases=np.asarray(arrays["biases"], np.float32),
                basis=np.asarray(arrays["basis"], np.float16),
                farthest=float(facts["farthest"]),
                temperature=float(facts["temperature"]),
            )
    except FileNotFoundError:
        raise
    except HeadUnreadable:
        raise
    except (BadZipFile, OSError, EOFError, ValueError, KeyError, TypeError) as error:
        raise HeadUnreadable(path, str(error) or type(error).__name__) from error


def _facts(head: TagHead) -> str:
    facts = {
        "format": FORMAT,
        "look_model_id": head.look_model_id,
        "names": head.names,
        "farthest": head.farthest,
        "temperature": head.temperature,
    }
    return json.dumps(facts)


def _write(path: Path, content: bytes) -> None:
    path.write_bytes(content)
