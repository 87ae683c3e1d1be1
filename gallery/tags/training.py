"""Learns a tagger's head from examples, and says how good it is on those that it did not see."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gallery.errors import TrainingRefused
from gallery.tags.discriminant import (
    SHRINKAGES,
    Floats,
    Integers,
    Spread,
    folds,
    principal,
    rooted,
)
from gallery.tags.head import MOST_CLASSES, TagHead

FOLDS = 5
LEAST_EXAMPLES = 5
#: Directions that are kept of how all examples differ.
DIRECTIONS = 32
#: The part of examples, among those not learnt from, that is near enough to be of the kind.
NEAR_ENOUGH = 0.98
TEMPERATURES = np.exp(np.linspace(np.log(0.1), np.log(50), 400))
BINS = 15
CONFUSIONS = 5


@dataclass(frozen=True)
class ClassReport:
    name: str
    examples: int
    precision: float
    recall: float


@dataclass(frozen=True)
class Quality:
    """How well examples were told apart by a head that did not learn from them."""

    examples: int
    accuracy: float
    calibration_error: float
    """Expected calibration error of the first tag, in 15 equal steps of its probability."""
    passed_over: float
    """The part of examples that are taken to be of no class at all."""
    classes: tuple[ClassReport, ...]
    confusions: tuple[tuple[str, str, int], ...]
    """(what it is, what it was taken for, how often), the worst pairs first."""

    @classmethod
    def of(
        cls, names: Sequence[str], labels: Integers, probabilities: Floats, near: NDArray[np.bool_]
    ) -> Quality:
        """Of (n, k) probabilities, and (n,) whether examples are near enough to be of the kind."""
        taken = probabilities.argmax(axis=1)
        table = np.zeros((len(names), len(names)), np.int64)
        np.add.at(table, (labels, taken), 1)
        right = np.diag(table)
        wrong = [
            (names[of], names[as_], int(table[of, as_]))
            for of, as_ in np.argwhere(table - np.diag(right)).tolist()
        ]
        return cls(
            examples=len(labels),
            accuracy=float(right.sum() / len(labels)),
            calibration_error=calibration_error(probabilities, labels),
            passed_over=float(1 - near.mean()),
            classes=tuple(
                ClassReport(name, int(total), _part(found, claimed), _part(found, total))
                for name, found, claimed, total in zip(
                    names, right.tolist(), table.sum(0).tolist(), table.sum(1).tolist(), strict=True
                )
            ),
            confusions=tuple(sorted(wrong, key=lambda one: -one[2])[:CONFUSIONS]),
        )


@dataclass(frozen=True)
class Training:
    head: TagHead
    quality: Quality
    """Cross-validated: each fifth of the examples by a head that learnt from the others."""
    shrinkage: float


def train_head(
    embedding: NDArray[np.float16], labels: Sequence[str], look_model_id: str
) -> Training:
    """Learn to tell classes apart; the same examples in the same order give the same head.

    Args:
        embedding: (n, 1280)
        labels: (n,) the class of each example.

    Raises TrainingRefused.
    """
    names = sorted(set(labels))
    _check(names, labels)
    numbers = np.array([names.index(label) for label in labels], np.int64)
    examples = rooted(embedding)
    shrinkage, logits, distances = _held_out(examples, numbers)
    temperature = _temperature(logits, numbers)
    farthest = float(np.quantile(distances, NEAR_ENOUGH))
    quality = Quality.of(names, numbers, softmax(logits / temperature), distances <= farthest)
    spread = Spread.of(examples, numbers)
    weights, biases = spread.discriminants(shrinkage)
    head = TagHead(
        look_model_id=look_model_id,
        names=tuple(names),
        mean=spread.mean.astype(np.float16),
        weights=weights.astype(np.float16),
        # The head takes the mean away first.
        biases=(biases + spread.mean @ weights).astype(np.float32),
        basis=_directions(examples, spread.mean).astype(np.float16),
        farthest=farthest,
        temperature=temperature,
    )
    return Training(head, quality, shrinkage)


def measure_head(head: TagHead, embedding: NDArray[np.float16], labels: Sequence[str]) -> Quality:
    """How well a head tells examples apart that it has not seen. Raises TrainingRefused."""
    unknown = sorted(set(labels) - set(head.names))
    if unknown:
        raise TrainingRefused(f"This tagger has no class {unknown[0]!r}.")
    numbers = np.array([head.names.index(label) for label in labels], np.int64)
    near = head.probabilities(embedding).sum(axis=1) > 0
    probabilities = head.class_probabilities(embedding).astype(np.float64)
    return Quality.of(head.names, numbers, probabilities, near)


def calibration_error(probabilities: Floats, labels: Integers) -> float:
    """Mean difference of the first class's probability and how often it is right (ECE).

    M. P. Naeini, G. Cooper, M. Hauskrecht, Obtaining Well Calibrated Probabilities Using Bayesian
    Binning, 2015.
    """
    best = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == labels
    bins = np.minimum((best * BINS).astype(np.int64), BINS - 1)
    gaps = [
        abs(best[bins == one].mean() - right[bins == one].mean()) * (bins == one).mean()
        for one in np.unique(bins)
    ]
    return float(sum(gaps))


def softmax(logits: Floats) -> Floats:
    """(n, k) probabilities of (n, k) log odds."""
    odds = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(odds / odds.sum(axis=1, keepdims=True))


def _check(names: Sequence[str], labels: Sequence[str]) -> None:
    if len(names) < 2:
        raise TrainingRefused(
            "To tell photos apart there have to be two classes or more: one folder each. "
            "A folder “none” may hold photos that get no tag."
        )
    if len(names) > MOST_CLASSES:
        raise TrainingRefused(f"These are {len(names)} classes; the limit is {MOST_CLASSES}.")
    for name in names:
        count = labels.count(name)
        if count < LEAST_EXAMPLES:
            photos = "photo" if count == 1 else "photos"
            raise TrainingRefused(
                f"“{name}” has {count} {photos} to learn from; it needs {LEAST_EXAMPLES} at least, "
                "and 10 or more are better."
            )


def _held_out(examples: Floats, labels: Integers) -> tuple[float, Floats, Floats]:
    """The best shrinkage, and (n, k) log odds and (n,) distances of examples not learnt from."""
    parts = folds(labels, FOLDS)
    logits = {one: np.zeros((len(labels), labels.max() + 1)) for one in SHRINKAGES}
    distances = np.zeros(len(labels))
    for part in range(FOLDS):
        seen, left = parts != part, parts == part
        spread = Spread.of(examples[seen], labels[seen])
        for shrinkage in SHRINKAGES:
            weights, biases = spread.discriminants(shrinkage)
            logits[shrinkage][left] = examples[left] @ weights + biases
        basis = _directions(examples[seen], spread.mean)
        apart = examples[left] - spread.mean
        distances[left] = (apart**2).sum(axis=1) - ((apart @ basis) ** 2).sum(axis=1)
    errors = {one: _log_loss(each, labels) for one, each in logits.items()}
    best = min(SHRINKAGES, key=errors.__getitem__)
    return best, logits[best], distances


def _directions(examples: Floats, mean: Floats) -> Floats:
    return principal(examples, mean, min(DIRECTIONS, len(examples) // 3))


def _log_loss(logits: Floats, labels: Integers) -> float:
    """At the temperature that suits best."""
    return _loss(logits / _temperature(logits, labels), labels)


def _temperature(logits: Floats, labels: Integers) -> float:
    """Guo et al., On Calibration of Modern Neural Networks, 2017."""
    return float(min(TEMPERATURES, key=lambda one: _loss(logits / one, labels)))


def _loss(logits: Floats, labels: Integers) -> float:
    probabilities = softmax(logits)[np.arange(len(labels)), labels]
    return float(-np.log(np.maximum(probabilities, 1e-12)).mean())


def _part(found: int, total: int) -> float:
    return found / total if total else 0.0
