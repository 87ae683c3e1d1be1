"""Hashes of 64 bits that differ in few of them: every such pair, without looking at all pairs.

Two that differ in at most 15 bits differ in at most 3 within one of their four quarters, so only
those are compared that come that near in a quarter (Norouzi, Punjani, Fleet: Fast search in Hamming
space with multi-index hashing, 2012).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from featurestore.compiled import compiled

QUARTERS, QUARTER_BITS = 4, 16
FLIPPED = 3
MOST_DISTANCE = QUARTERS * (FLIPPED + 1) - 1


def _flips() -> NDArray[np.uint64]:
    numbers = np.arange(1 << QUARTER_BITS, dtype=np.uint64)
    flips = numbers[np.bitwise_count(numbers) <= FLIPPED]
    return flips[np.argsort(np.bitwise_count(flips), kind="stable")]


FLIPS = _flips()


def near_pairs(
    hashes: NDArray[np.uint64], is_new: NDArray[np.bool_], distance: int, most: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Pairs of a new hash with another that differs in at most so many bits.

    Args:
        hashes: (n,)
        is_new: (n,) which are to be compared; two that are not new make no pair.
        distance: at most 15.
        most: pairs that a new hash makes with those before it and with old ones: the nearest.

    Returns:
        (p, 2) rows of `hashes`, each pair once, and (p,) in how many bits they differ.
    """
    if not 0 <= distance <= MOST_DISTANCE:
        raise ValueError(f"distance should be 0 to {MOST_DISTANCE}, is {distance}")
    orders = np.empty((QUARTERS, len(hashes)), np.int64)
    starts = np.empty((QUARTERS, (1 << QUARTER_BITS) + 1), np.int64)
    for quarter in range(QUARTERS):
        values = (hashes >> np.uint64(QUARTER_BITS * quarter)) & np.uint64(0xFFFF)
        orders[quarter] = np.argsort(values, kind="stable")
        counts = np.bincount(values.astype(np.int64), minlength=1 << QUARTER_BITS)
        starts[quarter] = np.concatenate([[0], np.cumsum(counts)])
    new = np.flatnonzero(is_new)
    partners = np.full((len(new), most), -1, np.int64)
    distances = np.full((len(new), most), distance + 1, np.int64)
    _find(hashes, is_new, new, orders, starts, FLIPS, partners, distances)
    row, place = np.nonzero(partners >= 0)
    pairs = np.stack([partners[row, place], new[row]], axis=1)
    return pairs, distances[row, place]


@compiled
def _bits(number: np.uint64) -> np.int64:
    number = number - ((number >> np.uint64(1)) & np.uint64(0x5555555555555555))
    number = (number & np.uint64(0x3333333333333333)) + (
        (number >> np.uint64(2)) & np.uint64(0x3333333333333333)
    )
    number = (number + (number >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return np.int64((number * np.uint64(0x0101010101010101)) >> np.uint64(56))


@compiled
def _find(
    hashes: NDArray[np.uint64],
    is_new: NDArray[np.bool_],
    new: NDArray[np.int64],
    orders: NDArray[np.int64],
    starts: NDArray[np.int64],
    flips: NDArray[np.uint64],
    partners: NDArray[np.int64],
    distances: NDArray[np.int64],
) -> None:
    """Fill rows of partners, nearest first; `distances` holds one more than what is near enough."""
    for at in range(len(new)):
        own = new[at]
        for quarter in range(4):
            shift = np.uint64(16 * quarter)
            value = (hashes[own] >> shift) & np.uint64(0xFFFF)
            for flip in flips:
                bucket = np.int64(value ^ flip)
                for slot in range(starts[quarter, bucket], starts[quarter, bucket + 1]):
                    other = orders[quarter, slot]
                    if is_new[other] and other >= own:
                        continue
                    difference = hashes[own] ^ hashes[other]
                    bits = _bits(difference)
                    if bits >= distances[at, -1]:
                        continue
                    # Found already where an earlier quarter is as near.
                    nearer = 0
                    for earlier in range(quarter):
                        part = (difference >> np.uint64(16 * earlier)) & np.uint64(0xFFFF)
                        if _bits(part) <= 3:
                            nearer += 1
                    if nearer:
                        continue
                    place = partners.shape[1] - 1
                    while place > 0 and distances[at, place - 1] > bits:
                        distances[at, place] = distances[at, place - 1]
                        partners[at, place] = partners[at, place - 1]
                        place -= 1
                    distances[at, place] = bits
                    partners[at, place] = other
