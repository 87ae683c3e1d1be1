"""Compiled loops that find, for each image of a block, the probability that a condition fails.

A block is a range of neighbouring images. Objects of a class lie by rising image row, so those of a
block are one run of each class. "Misses" are (images,) of such probabilities.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from featurestore.compiled import compiled
from featurestore.conditions import HINT_WEIGHT
from featurestore.encoded_query import (
    ASKED,
    AT_LEAST,
    AT_MOST,
    COUNT,
    FULL_AREA,
    ONLY,
    RELATION,
    RELATION_CODE,
    WHAT,
)
from featurestore.packing import BOX_UNIT, SCORE_UNIT
from featurestore.posting_kernels import LEAST_DOUBT
from featurestore.relations import holds

# What a pair of objects is worth that do not lie as asked, beside one that does.
RELATION_MISSED = 0.1

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Rows = NDArray[np.int32]
Packed = NDArray[np.uint16]


@compiled
def write_misses(
    image_rows: Rows,
    packed_scores: Packed,
    packed_boxes: Packed,
    emptiness: Floats,
    block: int,
    starts: Integers,
    stops: Integers,
    asked_starts: Integers,
    min_scores: Integers,
    areas: Floats,
    weights: Floats,
    condition: Integers,
    room_for_chances: Floats,
    misses: Floats,
) -> None:
    """Write the probability that a condition fails, before it is negated.

    Args:
        emptiness: (n,) see `Postings`.
        block: the first row of the block.
        starts: (c,) for each class that the query asks for, where its run starts ...
        stops: (c,) ... and stops.
        asked_starts: this and the following: see `EncodedQuery`.
        condition: (6,)
        room_for_chances: (101, images or more) scratch.
        misses: (images,)
    """
    asked, images = condition[ASKED], len(misses)
    if condition[WHAT] == RELATION:
        _miss_pairs(
            image_rows,
            packed_scores,
            packed_boxes,
            block,
            starts,
            stops,
            asked_starts,
            min_scores,
            areas,
            weights,
            asked,
            condition[RELATION_CODE],
            misses,
        )
    elif condition[WHAT] == ONLY:
        # Negated, like all of its kind: that something else is there fails where nothing is.
        misses[:] = emptiness[block : block + images]
        for place in range(asked_starts[asked], asked_starts[asked + 1]):
            run = slice(starts[place], stops[place])
            _leave_out(
                image_rows[run],
                packed_scores[run],
                block,
                weights[place],
                min_scores[asked],
                misses,
            )
    elif condition[WHAT] == COUNT:
        # Numbers that are not looked at need not be known.
        numbers = max(condition[AT_LEAST], condition[AT_MOST] + 1, 1)
        chances = room_for_chances[:numbers, :images]
        chances[:] = 0
        chances[0] = 1
        for place in range(asked_starts[asked], asked_starts[asked + 1]):
            run = slice(starts[place], stops[place])
            _add_chances(
                image_rows[run],
                packed_scores[run],
                packed_boxes[:, run],
                block,
                weights[place] * SCORE_UNIT,
                min_scores[asked],
                areas[asked],
                chances,
            )
        _miss_counts(condition[AT_LEAST], condition[AT_MOST], chances, misses)
    else:
        misses[:] = 1
        for place in range(asked_starts[asked], asked_starts[asked + 1]):
            run = slice(starts[place], stops[place])
            _multiply_misses(
                image_rows[run],
                packed_scores[run],
                packed_boxes[:, run],
                block,
                weights[place] * SCORE_UNIT,
                min_scores[asked],
                areas[asked],
                misses,
            )


@compiled
def _counts(
    packed_scores: Packed, packed_boxes: Packed, entry: int, min_score: int, areas: Floats
) -> bool:
    """Whether an object is sure enough, and of a size that is asked for."""
    if packed_scores[entry] < min_score:
        return False
    if areas[0] <= 0 and areas[1] >= FULL_AREA:
        return True
    width = float(packed_boxes[2, entry]) - float(packed_boxes[0, entry])
    height = float(packed_boxes[3, entry]) - float(packed_boxes[1, entry])
    area = max(width, 0.0) * max(height, 0.0)
    return bool(areas[0] <= area <= areas[1])


@compiled
def _multiply_misses(
    image_rows: Rows,
    packed_scores: Packed,
    packed_boxes: Packed,
    block: int,
    weight: float,
    min_score: int,
    areas: Floats,
    misses: Floats,
) -> None:
    """Multiply each image's miss by those of its objects: noisy-or."""
    if min_score <= 0 and areas[0] <= 0 and areas[1] >= FULL_AREA:
        for entry in range(len(image_rows)):
            misses[image_rows[entry] - block] *= 1 - weight * packed_scores[entry]
        return
    for entry in range(len(image_rows)):
        if _counts(packed_scores, packed_boxes, entry, min_score, areas):
            misses[image_rows[entry] - block] *= 1 - weight * packed_scores[entry]


@compiled
def multiply_look_misses(
    image_rows: Rows,
    packed_scores: Packed,
    block: int,
    starts: Integers,
    stops: Integers,
    look_starts: Integers,
    look_weights: Floats,
    min_scores: Integers,
    asked: int,
    room_for_chances: Floats,
    misses: Floats,
) -> None:
    """Multiply each image's miss by that of what it looks like as a whole.

    A photo has one look, so the probabilities of several classes add up.

    Args:
        starts: (r,) for each run of looks where the block's entries start ...
        stops: (r,) ... and stop.
        look_starts: this and the following: see `EncodedQuery`.
        room_for_chances: (images,) scratch.
        misses: (images,)
    """
    first, stop = look_starts[asked], look_starts[asked + 1]
    if first == stop or len(starts) == 0:
        return
    room_for_chances[:] = 0
    for place in range(first, stop):
        weight = look_weights[place] * SCORE_UNIT
        for run in range(place, len(starts), len(look_weights)):
            for entry in range(starts[run], stops[run]):
                room_for_chances[image_rows[entry] - block] += weight * packed_scores[entry]
    least = min_scores[asked] * SCORE_UNIT
    for row in range(len(misses)):
        if room_for_chances[row] >= least:
            misses[row] *= 1 - min(room_for_chances[row], 1.0)


@compiled
def _add_chances(
    image_rows: Rows,
    packed_scores: Packed,
    packed_boxes: Packed,
    block: int,
    weight: float,
    min_score: int,
    areas: Floats,
    chances: Floats,
) -> None:
    """Add objects to the Poisson binomial of each image: chances[k, row] = P(N = k)."""
    for entry in range(len(image_rows)):
        if not _counts(packed_scores, packed_boxes, entry, min_score, areas):
            continue
        row = image_rows[entry] - block
        there = weight * packed_scores[entry]
        for number in range(len(chances) - 1, 0, -1):
            chances[number, row] += (chances[number - 1, row] - chances[number, row]) * there
        chances[0, row] *= 1 - there


@compiled
def _miss_counts(at_least: int, at_most: int, chances: Floats, misses: Floats) -> None:
    """Each image's miss is the probability of a number that is not asked for."""
    misses[:] = 0
    for number in range(at_least) if at_most < 0 else range(at_least, at_most + 1):
        for row in range(len(misses)):
            misses[row] += chances[number, row]
    if at_most >= 0:
        for row in range(len(misses)):
            misses[row] = max(0.0, 1 - misses[row])


@compiled
def _leave_out(
    image_rows: Rows,
    packed_scores: Packed,
    block: int,
    weight: float,
    min_score: int,
    emptiness: Floats,
) -> None:
    """Take sure objects of a class out of what makes images not empty, as far as it counts."""
    for entry in range(len(image_rows)):
        if packed_scores[entry] >= min_score:
            score = packed_scores[entry] * SCORE_UNIT
            doubt = max(1 - score, LEAST_DOUBT)
            emptiness[image_rows[entry] - block] *= (1 - (1 - doubt) * (1 - weight)) / doubt


@compiled
def _miss_pairs(
    image_rows: Rows,
    packed_scores: Packed,
    packed_boxes: Packed,
    block: int,
    starts: Integers,
    stops: Integers,
    asked_starts: Integers,
    min_scores: Integers,
    areas: Floats,
    weights: Floats,
    asked: int,
    code: int,
    misses: Floats,
) -> None:
    """Each image's miss is that of its best pair of two objects, the first lying so to the second.

    Pairs of two hints count for nothing (see `conditions.HINT_WEIGHT`).
    """
    misses[:] = 1
    subjects, subject_hints = _count_entries(starts, stops, asked_starts, weights, asked)
    objects, object_hints = _count_entries(starts, stops, asked_starts, weights, asked + 1)
    # The shorter side is chained, which takes longer than to go along.
    shorter, longer, hints = asked, asked + 1, subject_hints
    if subjects > objects:
        shorter, longer, hints = asked + 1, asked, object_hints
    # What is asked for on the shorter side with everything on the longer, then the hints of the
    # shorter with what is asked for on the longer.
    for going, only_hints, entries in (
        (longer, False, min(subjects, objects)),
        (shorter, True, max(subjects, objects) if hints else 0),
    ):
        if entries:
            _miss_pairs_of(
                image_rows,
                packed_scores,
                packed_boxes,
                block,
                starts,
                stops,
                asked_starts,
                min_scores,
                areas,
                weights,
                asked,
                going,
                only_hints,
                entries,
                code,
                misses,
            )


@compiled
def _count_entries(
    starts: Integers, stops: Integers, asked_starts: Integers, weights: Floats, asked: int
) -> tuple[int, int]:
    """How many objects of a block are of a kind's classes, and how many of its hints."""
    whole, hints = 0, 0
    for place in range(asked_starts[asked], asked_starts[asked + 1]):
        if weights[place] > HINT_WEIGHT:
            whole += stops[place] - starts[place]
        else:
            hints += stops[place] - starts[place]
    return whole, hints


@compiled
def _miss_pairs_of(
    image_rows: Rows,
    packed_scores: Packed,
    packed_boxes: Packed,
    block: int,
    starts: Integers,
    stops: Integers,
    asked_starts: Integers,
    min_scores: Integers,
    areas: Floats,
    weights: Floats,
    asked: int,
    going: int,
    only_hints: bool,
    room: int,
    code: int,
    misses: Floats,
) -> None:
    """Lower each image's miss to that of its best pair of one side with the other.

    The objects of one side, hints apart, are chained by image; those of the other go along the
    chains.

    Args:
        asked: the first of the two sides.
        going: the side that goes along.
        only_hints: whether only the hints of that side do.
        room: how many objects may be chained.
    """
    chained = asked if going != asked else asked + 1
    heads = np.full(len(misses), -1, np.int32)
    nexts = np.empty(room, np.int32)
    entries = np.empty(room, np.int64)
    chances = np.empty(room)
    count = 0
    for place in range(asked_starts[chained], asked_starts[chained + 1]):
        if weights[place] <= HINT_WEIGHT:
            continue
        weight = weights[place] * SCORE_UNIT
        for entry in range(starts[place], stops[place]):
            if _counts(packed_scores, packed_boxes, entry, min_scores[chained], areas[chained]):
                row = image_rows[entry] - block
                entries[count] = entry
                chances[count] = weight * packed_scores[entry]
                nexts[count] = heads[row]
                heads[row] = count
                count += 1
    for place in range(asked_starts[going], asked_starts[going + 1]):
        if only_hints and weights[place] > HINT_WEIGHT:
            continue
        weight = weights[place] * SCORE_UNIT
        for entry in range(starts[place], stops[place]):
            row = image_rows[entry] - block
            chain = heads[row]
            if chain < 0 or not _counts(
                packed_scores, packed_boxes, entry, min_scores[going], areas[going]
            ):
                continue
            there = weight * packed_scores[entry]
            best = 1 - misses[row]
            while chain >= 0:
                other = entries[chain]
                chance = chances[chain] * there
                if chance > best and other != entry:
                    subject, object_ = (other, entry) if chained == asked else (entry, other)
                    if not holds(code, _box(packed_boxes, subject), _box(packed_boxes, object_)):
                        chance *= RELATION_MISSED
                    if chance > best:
                        best = chance
                        misses[row] = 1 - best
                chain = nexts[chain]


@compiled
def _box(packed_boxes: Packed, entry: int) -> Sequence[float]:
    """xyxy in the 300×300 frame, as `Postings.detections_of` gives it."""
    return (
        float(np.float32(packed_boxes[0, entry] * BOX_UNIT)),
        float(np.float32(packed_boxes[1, entry] * BOX_UNIT)),
        float(np.float32(packed_boxes[2, entry] * BOX_UNIT)),
        float(np.float32(packed_boxes[3, entry] * BOX_UNIT)),
    )
