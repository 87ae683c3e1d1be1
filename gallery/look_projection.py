"""A look of a gallery's own: a projection of embeddings in which its kinds of things lie apart.

With labels it is what linear discriminant analysis finds, and after that what else the photos
differ in; without, the directions in which they differ most, evened out. Whoever compares looks
asks `current_look_space`, and keeps what it makes by the name of that.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from django.conf import settings
from numpy.typing import NDArray

from featurestore.durable import write_durably
from featurestore.look_space import PLAIN, LookSpace
from featurestore.looks import EMBEDDING_DIMENSIONS
from gallery.errors import TrainingRefused
from gallery.learnt import Learnt
from gallery.tags.discriminant import (
    SHRINKAGES,
    Floats,
    Integers,
    Spread,
    folds,
    principal,
    rooted,
    signed,
)

FORMAT = 1
FOLDS = 5
#: Directions besides those that classes differ in, and how much they count beside them.
MORE_DIRECTIONS, MORE_WEIGHT = 64, 0.3
#: Directions that are kept where there are no classes.
DIRECTIONS = 192
#: How much of the mean variance is added to each before it is evened out, against noise.
EVENING = 10.0
LEAST_PHOTOS = 20
MANY_PHOTOS_SHRINKAGE = 0.5
NEIGHBOURS = 10


@dataclass(frozen=True)
class LookProjection:
    """Turns embeddings into vectors whose cosine says how alike photos look."""

    look_model_id: str
    mean: NDArray[np.float16]
    """(1280,)"""
    matrix: NDArray[np.float16]
    """(1280, d)"""

    def __post_init__(self) -> None:
        if self.mean.shape != (EMBEDDING_DIMENSIONS,) or (
            self.matrix.ndim != 2 or self.matrix.shape[0] != EMBEDDING_DIMENSIONS
        ):
            raise ValueError(
                f"expected ({EMBEDDING_DIMENSIONS},) and ({EMBEDDING_DIMENSIONS}, d), "
                f"got {self.mean.shape} and {self.matrix.shape}"
            )
        if not (np.isfinite(self.mean).all() and np.isfinite(self.matrix).all()):
            raise ValueError("it holds values that are not finite")

    @property
    def dimensions(self) -> int:
        return int(self.matrix.shape[1])

    @cached_property
    def fingerprint(self) -> str:
        """Another one for every other projection."""
        content = self.look_model_id.encode() + self.mean.tobytes() + self.matrix.tobytes()
        return hashlib.sha256(content).hexdigest()[:8]

    def project(self, embedding: NDArray[np.float16] | NDArray[np.float32]) -> NDArray[np.float32]:
        """(n, d) unit vectors of (n, 1280) embeddings."""
        apart = np.asarray(rooted(embedding) - self.mean, np.float32)
        return _unit(apart @ self.matrix.astype(np.float32))


@dataclass(frozen=True)
class Retrieval:
    """How often photos that are found by their look are of the class of what is searched with."""

    at_1: float
    at_10: float


@dataclass(frozen=True)
class Fit:
    projection: LookProjection
    before: Retrieval | None
    """By plain cosine; None where there are no labels."""
    after: Retrieval | None
    """Of photos that the projection was not learnt from."""


def fit_projection(
    embedding: NDArray[np.float16], labels: Sequence[str], look_model_id: str
) -> Fit:
    """Learn a projection; the same photos in the same order give the same.

    Args:
        embedding: (n, 1280)
        labels: (n,) the class of each photo, or all "".

    Raises TrainingRefused.
    """
    if len(embedding) < LEAST_PHOTOS:
        raise TrainingRefused(
            f"These are {len(embedding)} photos; a look is learnt from {LEAST_PHOTOS} at least."
        )
    names = sorted(set(labels))
    numbers = np.array([names.index(label) for label in labels], np.int64)
    examples = rooted(embedding)
    if len(names) < 2:
        mean, matrix = _evened(examples)
        return Fit(_projection(look_model_id, mean, matrix), None, None)
    if np.bincount(numbers).min() < 2:
        alone = names[int(np.bincount(numbers).argmin())]
        raise TrainingRefused(f"“{alone}” has one photo only; each class needs two at least.")
    parts = folds(numbers, FOLDS)
    # Of many photos the middle one is right, and each takes seconds.
    shrinkages = SHRINKAGES if len(examples) < EMBEDDING_DIMENSIONS else (MANY_PHOTOS_SHRINKAGE,)
    measured = {}
    spreads = [Spread.of(examples[parts != part], numbers[parts != part]) for part in range(FOLDS)]
    for shrinkage in shrinkages:
        found = []
        for part, spread in enumerate(spreads):
            seen, left = parts != part, parts == part
            matrix = _parting(examples[seen], spread, shrinkage)
            projected = _unit((examples - spread.mean) @ matrix)
            found.append(retrieval(projected[left], numbers[left], projected[seen], numbers[seen]))
        measured[shrinkage] = _mean(found)
    best = max(shrinkages, key=lambda one: measured[one].at_1 + measured[one].at_10)
    plain = _unit(embedding.astype(np.float64))
    before = _mean(
        [
            retrieval(
                plain[parts == part],
                numbers[parts == part],
                plain[parts != part],
                numbers[parts != part],
            )
            for part in range(FOLDS)
        ]
    )
    spread = Spread.of(examples, numbers)
    projection = _projection(look_model_id, spread.mean, _parting(examples, spread, best))
    return Fit(projection, before, measured[best])


def retrieval(
    asked: NDArray[np.floating],
    asked_labels: Integers,
    known: NDArray[np.floating],
    known_labels: Integers,
) -> Retrieval:
    """P@1 and P@10 of (m, d) unit vectors asked among (n, d) known ones; of equals the first."""
    closeness = asked @ known.T
    nearest = np.argsort(-closeness, axis=1, kind="stable")[:, :NEIGHBOURS]
    right = known_labels[nearest] == asked_labels[:, np.newaxis]
    return Retrieval(float(right[:, 0].mean()), float(right.mean()))


def versions() -> Learnt:
    return Learnt(Path(settings.LEARNT_DIR) / "look")


def current_projection(look_model_id: str) -> LookProjection | None:
    """The projection in use; None where looks of a model are compared as they are."""
    current = versions().current
    if not current:
        return None
    try:
        projection = _kept_projection(versions().path(current))
    except FileNotFoundError:
        return None
    # Learnt from another model's embeddings, it says nothing of this one's.
    return projection if projection.look_model_id == look_model_id else None


def current_look_space(look_model_id: str) -> LookSpace:
    """What the looks of a model are compared in: as was learnt last, or as they are."""
    projection = current_projection(look_model_id)
    if projection is None:
        return PLAIN
    return LookSpace(f"fit-{projection.fingerprint}", projection.project)


@lru_cache(maxsize=2)
def _kept_projection(path: Path) -> LookProjection:
    """As `read_projection`: no version is ever written over."""
    return read_projection(path)


def write_projection(path: Path, projection: LookProjection) -> None:
    """Durably write a projection as one .npz file. Raises OSError (a full disk)."""
    content = io.BytesIO()
    facts = json.dumps({"format": FORMAT, "look_model_id": projection.look_model_id})
    np.savez_compressed(
        content,
        mean=projection.mean,
        matrix=projection.matrix,
        facts=np.frombuffer(facts.encode(), np.uint8),
    )
    write_durably(path, lambda file: file.write_bytes(content.getvalue()))


def read_projection(path: Path) -> LookProjection:
    """Raises ValueError for what is no projection, FileNotFoundError."""
    try:
        with np.load(path, allow_pickle=False) as arrays:
            facts = json.loads(arrays["facts"].tobytes())
            if facts["format"] != FORMAT:
                raise ValueError(f"its format is {facts['format']}, not {FORMAT}")
            return LookProjection(
                str(facts["look_model_id"]),
                np.asarray(arrays["mean"], np.float16),
                np.asarray(arrays["matrix"], np.float16),
            )
    except FileNotFoundError:
        raise
    except (BadZipFile, OSError, EOFError, ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{path} is no look of a gallery's own: {error}.") from error


def _parting(examples: Floats, spread: Spread, shrinkage: float) -> Floats:
    """(1280, d) what parts the classes, then what else the photos differ in."""
    white = spread.whitened(examples - spread.mean, shrinkage)
    centres = np.sqrt(spread.counts)[:, np.newaxis] * spread.whitened(spread.centres, shrinkage)
    apart = np.linalg.svd(centres, full_matrices=False)[2][: len(spread.counts) - 1].T
    rest = white - (white @ apart) @ apart.T
    more = principal(rest, np.zeros(rest.shape[1]), min(MORE_DIRECTIONS, len(examples) // 2))
    directions = np.concatenate([signed(apart), MORE_WEIGHT * more], axis=1)
    return spread.whitened(directions.T, shrinkage).T


def _evened(examples: Floats) -> tuple[Floats, Floats]:
    """(1280,) mean, (1280, d) directions of the greatest variance, by which it is divided."""
    mean = examples.mean(axis=0)
    axes = principal(examples, mean, min(DIRECTIONS, len(examples) // 2))
    variances = (((examples - mean) @ axes) ** 2).mean(axis=0)
    even = EVENING * float(variances.mean())
    return mean, axes / np.sqrt(variances + even)


def _projection(look_model_id: str, mean: Floats, matrix: Floats) -> LookProjection:
    # Only angles count; so float16 holds every number well.
    scaled = matrix / np.abs(matrix).max()
    return LookProjection(look_model_id, mean.astype(np.float16), scaled.astype(np.float16))


def _unit(vectors: NDArray[np.floating]) -> NDArray[np.float32]:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, 1e-12), np.float32)


def _mean(measured: Sequence[Retrieval]) -> Retrieval:
    return Retrieval(
        float(np.mean([one.at_1 for one in measured])),
        float(np.mean([one.at_10 for one in measured])),
    )
