"""Linear discriminant analysis with shrinkage: what sets classes of photos apart by their look.

All closed form, in float64 and without chance: the same examples give the same numbers. Sources:
R. A. Fisher, The use of multiple measurements in taxonomic problems, 1936; J. H. Friedman,
Regularized discriminant analysis, 1989; the root of what is relative is that of R. Arandjelović and
A. Zisserman, Three things everyone should know to improve object retrieval, 2012.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Real = TypeVar("Real", np.float32, np.float64)

#: How much of the covariance within classes is taken to be the same in all directions.
SHRINKAGES = (0.1, 0.3, 0.5, 0.7, 0.9)


def rooted(embedding: NDArray[np.float16] | NDArray[np.float32]) -> Floats:
    """As `rooted_in` with all digits, which what is learnt from many wants."""
    return rooted_in(np.float64, embedding)


def rooted_in(
    dtype: type[Real], embedding: NDArray[np.float16] | NDArray[np.float32]
) -> NDArray[Real]:
    """(n, d) unit vectors: the square root of each number, which keeps a few from outweighing all.

    Args:
        embedding: (n, d), each at least 0, as an embedder gives it or a store keeps it.
    """
    # Always by way of what the store keeps, so that photos look the same before and after.
    root = np.sqrt(np.maximum(embedding.astype(np.float16).astype(dtype), 0))
    lengths = np.linalg.norm(root, axis=1, keepdims=True)
    return np.asarray(root / np.maximum(lengths, 1e-12), dtype)


@dataclass(frozen=True)
class Spread:
    """How examples of k classes lie: what all shrinkages have in common."""

    mean: Floats
    """(d,) of all examples."""
    centres: Floats
    """(k, d) of each class, less the mean."""
    counts: Integers
    """(k,) examples of each class."""
    basis: Floats
    """(d, r) orthonormal; in all other directions the examples do not differ within classes."""
    variances: Floats
    """(r,) within classes along the basis."""
    evenly: float
    """Mean variance within classes over all d directions."""

    @classmethod
    def of(cls, examples: Floats, labels: Integers) -> Spread:
        """Of (n, d) examples and their (n,) classes 0..k-1, each of which has one at least."""
        counts = np.bincount(labels)
        mean = examples.mean(axis=0)
        centres = np.stack([examples[labels == one].mean(axis=0) for one in range(len(counts))])
        apart = examples - centres[labels]
        freedom = max(len(examples) - len(counts), 1)
        dimensions = examples.shape[1]
        if len(examples) < dimensions:
            # All that differs lies in the space that the examples span, which is smaller.
            _, lengths, directions = np.linalg.svd(apart, full_matrices=False)
            basis, variances = directions.T, lengths**2 / freedom
        else:
            variances, basis = np.linalg.eigh(apart.T @ apart / freedom)
        variances = np.maximum(variances, 0)
        return cls(
            mean=mean,
            centres=centres - mean,
            counts=counts,
            basis=basis,
            variances=variances,
            evenly=float(variances.sum() / dimensions),
        )

    def whitened(self, vectors: Floats, shrinkage: float) -> Floats:
        """(n, d) vectors in a space in which classes spread alike in all directions."""
        even = max(shrinkage * self.evenly, 1e-12)
        along = 1 / np.sqrt((1 - shrinkage) * self.variances + even)
        inside = vectors @ self.basis
        across = 1 / np.sqrt(even)
        return np.asarray(vectors * across + (inside * (along - across)) @ self.basis.T)

    def discriminants(self, shrinkage: float) -> tuple[Floats, Floats]:
        """(d, k) weights and (k,) biases of the log probability of each class, but for a constant.

        For vectors from which the mean was not taken yet. Each class counts by its examples.
        """
        weights = self.whitened(self.whitened(self.centres, shrinkage), shrinkage).T
        shares = np.log(self.counts / self.counts.sum())
        biases = shares - 0.5 * (self.centres * weights.T).sum(axis=1) - self.mean @ weights
        return weights, np.asarray(biases)


def signed(columns: Floats) -> Floats:
    """Columns whose greatest number is positive: their signs are chance otherwise."""
    greatest = np.abs(columns).argmax(axis=0)
    return np.asarray(columns * np.sign(columns[greatest, np.arange(columns.shape[1])]))


def principal(examples: Floats, mean: Floats, dimensions: int) -> Floats:
    """(d, r) orthonormal directions along which examples differ most, at most so many."""
    apart = examples - mean
    if len(examples) < examples.shape[1]:
        _, lengths, axes = np.linalg.svd(apart, full_matrices=False)
        kept = min(dimensions, int((lengths > 1e-9).sum()))
        return signed(axes[:kept].T)
    _, directions = np.linalg.eigh(apart.T @ apart)
    return signed(directions[:, ::-1][:, :dimensions])


def folds(labels: Integers, count: int) -> Integers:
    """(n,) number of the part of each example; each class is parted evenly, in its order."""
    parts = np.zeros(len(labels), np.int64)
    for one in np.unique(labels):
        rows = np.flatnonzero(labels == one)
        parts[rows] = np.arange(len(rows)) % count
    return parts
