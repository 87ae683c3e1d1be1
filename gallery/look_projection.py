"""A look of a gallery's own: a projection of embeddings in which its kinds of things lie apart.

With labels it is what linear discriminant analysis finds, and after that what else the photos
differ in; without, the main directions in which they differ from their mean. Whoever compares looks
asks `current_look_space`, and keeps what it makes by the name of that.
"""

from __future__ import annotations

import hashlib
import io
import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache, partial
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from django.conf import settings
from numpy.typing import NDArray

from featurestore.durable import write_durably
from featurestore.look_space import CHANCE_SCORES, Chances, LookSpace, chances_in, chances_of
from featurestore.looks import EMBEDDING_DIMENSIONS
from gallery.common_look import comparable, default_look_space
from gallery.errors import TrainingRefused
from gallery.learnt import Learnt
from gallery.look_retrieval import Retrieval, cosines_of_others, cross_validated
from gallery.tags.discriminant import (
    SHRINKAGES,
    Floats,
    Spread,
    folds,
    principal,
    rooted,
    signed,
)

logger = logging.getLogger(__name__)

FORMAT = 1
FOLDS = 5
#: Directions besides those that classes differ in, and how much they count beside them.
MORE_DIRECTIONS, MORE_WEIGHT = 64, 0.3
#: Directions that are kept where there are no classes.
DIRECTIONS = 320
LEAST_PHOTOS = 20
MANY_PHOTOS_SHRINKAGE = 0.5


@dataclass(frozen=True)
class LookProjection:
    """Turns embeddings into vectors whose cosine says how alike photos look."""

    look_model_id: str
    mean: NDArray[np.float16]
    """(1280,)"""
    matrix: NDArray[np.float16]
    """(1280, d)"""
    chances: Chances = CHANCE_SCORES
    """As in `LookSpace`; of what was learnt without them, its cosines are its scores."""

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
class Fit:
    projection: LookProjection
    before: Retrieval | None
    """Where nothing is learnt; None where there are no labels."""
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
    if len(names) < 2:
        return Fit(_unsupervised(embedding, look_model_id), None, None)
    examples = rooted(embedding)
    if np.bincount(numbers).min() < 2:
        alone = names[int(np.bincount(numbers).argmin())]
        raise TrainingRefused(f"“{alone}” has one photo only; each class needs two at least.")
    parts = folds(numbers, FOLDS)
    # Of many photos the middle one is right, and each takes seconds.
    shrinkages = SHRINKAGES if len(examples) < EMBEDDING_DIMENSIONS else (MANY_PHOTOS_SHRINKAGE,)
    spreads = [
        Spread.of(examples[parts != part], numbers[parts != part])
        for part in range(int(parts.max()) + 1)
    ]

    def fitted_without(part: int, shrinkage: float) -> NDArray[np.float32]:
        spread = spreads[part]
        matrix = _parting(examples[parts != part], spread, shrinkage)
        return _unit((examples - spread.mean) @ matrix)

    measured = {
        shrinkage: cross_validated(parts, numbers, partial(fitted_without, shrinkage=shrinkage))
        for shrinkage in shrinkages
    }
    best = max(shrinkages, key=lambda one: measured[one][0].at_1 + measured[one][0].at_10)
    after, chances = measured[best]
    unlearnt = default_look_space(look_model_id).vectors(embedding)
    before, _ = cross_validated(parts, numbers, lambda part: unlearnt)
    spread = Spread.of(examples, numbers)
    matrix = _parting(examples, spread, best)
    return Fit(_projection(look_model_id, spread.mean, matrix, chances), before, after)


def versions() -> Learnt:
    return Learnt(Path(settings.LEARNT_DIR) / "look")


def current_projection(look_model_id: str) -> LookProjection | None:
    """The projection in use; None where nothing is learnt, or cannot be read."""
    current = versions().current
    if not current:
        return None
    try:
        projection = _kept_projection(versions().path(current))
    except FileNotFoundError:
        return None
    except ValueError as error:
        logger.error("Looks are compared as if nothing was learnt: %s", error)
        return None
    # Learnt from another model's embeddings, it says nothing of this one's.
    return projection if projection.look_model_id == look_model_id else None


def current_look_space(look_model_id: str) -> LookSpace:
    """What the looks of a model are compared in: as was learnt last, or as nothing is learnt."""
    projection = current_projection(look_model_id)
    if projection is None:
        return default_look_space(look_model_id)
    name = f"fit-{projection.fingerprint}"
    return LookSpace(name, projection.project, projection.chances)


@lru_cache(maxsize=2)
def _kept_projection(path: Path) -> LookProjection:
    """As `read_projection`: no version is ever written over."""
    return read_projection(path)


def write_projection(path: Path, projection: LookProjection) -> None:
    """Durably write a projection as one .npz file. Raises OSError (a full disk)."""
    content = io.BytesIO()
    facts = json.dumps(
        {
            "format": FORMAT,
            "look_model_id": projection.look_model_id,
            "chances": projection.chances,
        }
    )
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
                chances_in(facts.get("chances", CHANCE_SCORES)),
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


def _unsupervised(embedding: NDArray[np.float16], look_model_id: str) -> LookProjection:
    """The directions of the greatest variance, each of which counts as much as it varies."""
    examples = comparable(embedding, look_model_id)
    mean = examples.mean(axis=0)
    matrix = principal(examples, mean, min(DIRECTIONS, len(examples) // 2))
    # Which photos are of one kind nobody knows.
    cosines = cosines_of_others(_unit((examples - mean) @ matrix), np.arange(len(examples)))
    return _projection(look_model_id, mean, matrix, chances_of(cosines))


def _projection(
    look_model_id: str, mean: Floats, matrix: Floats, chances: Chances
) -> LookProjection:
    # Only angles count; so float16 holds every number well.
    scaled = matrix / np.abs(matrix).max()
    return LookProjection(
        look_model_id, mean.astype(np.float16), scaled.astype(np.float16), chances
    )


def _unit(vectors: NDArray[np.floating]) -> NDArray[np.float32]:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, 1e-12), np.float32)
