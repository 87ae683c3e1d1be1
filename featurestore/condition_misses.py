"""Compiled loops that find, for each image of a block, the probability that a condition fails.

"Misses" are (images,) of such probabilities; `asked_objects` says what a block is.
"""

from __future__ import annotations

from featurestore.asked_objects import (
    Floats,
    Integers,
    ObjectColumns,
    Runs,
    counts,
    run_of,
)
from featurestore.compiled import compiled
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
    EncodedQuery,
)
from featurestore.look_postings import LookRuns
from featurestore.packing import SCORE_UNIT
from featurestore.posting_kernels import LEAST_DOUBT
from featurestore.relation_misses import miss_pairs


@compiled
def write_misses(
    objects: ObjectColumns,
    emptiness: Floats,
    block: int,
    runs: Runs,
    query: EncodedQuery,
    condition: Integers,
    room_for_chances: Floats,
    misses: Floats,
) -> None:
    """Write the probability that a condition fails, before it is negated.

    Args:
        emptiness: (n,) see `Postings`.
        block: the first row of the block.
        runs: of each class that the query asks for.
        condition: (6,)
        room_for_chances: (101, images or more) scratch.
        misses: (images,)
    """
    asked, images = condition[ASKED], len(misses)
    places = range(query.asked_starts[asked], query.asked_starts[asked + 1])
    if condition[WHAT] == RELATION:
        miss_pairs(objects, block, runs, query, asked, condition[RELATION_CODE], misses)
    elif condition[WHAT] == ONLY:
        # Negated, like all of its kind: that something else is there fails where nothing is.
        misses[:] = emptiness[block : block + images]
        for place in places:
            _leave_out(
                run_of(objects, runs, place),
                block,
                query.weights[place],
                query.min_scores[asked],
                misses,
            )
    elif condition[WHAT] == COUNT:
        # Numbers that are not looked at need not be known.
        numbers = max(condition[AT_LEAST], condition[AT_MOST] + 1, 1)
        chances = room_for_chances[:numbers, :images]
        chances[:] = 0
        chances[0] = 1
        for place in places:
            _add_chances(
                run_of(objects, runs, place),
                block,
                query.weights[place] * SCORE_UNIT,
                query.min_scores[asked],
                query.areas[asked],
                chances,
            )
        _miss_counts(condition[AT_LEAST], condition[AT_MOST], chances, misses)
    else:
        misses[:] = 1
        for place in places:
            _multiply_misses(
                run_of(objects, runs, place),
                block,
                query.weights[place] * SCORE_UNIT,
                query.min_scores[asked],
                query.areas[asked],
                misses,
            )


@compiled
def _multiply_misses(
    objects: ObjectColumns,
    block: int,
    weight: float,
    min_score: int,
    areas: Floats,
    misses: Floats,
) -> None:
    """Multiply each image's miss by those of its objects: noisy-or."""
    image_rows, packed_scores, _ = objects
    if min_score <= 0 and areas[0] <= 0 and areas[1] >= FULL_AREA:
        for entry in range(len(image_rows)):
            misses[image_rows[entry] - block] *= 1 - weight * packed_scores[entry]
        return
    for entry in range(len(image_rows)):
        if counts(objects, entry, min_score, areas):
            misses[image_rows[entry] - block] *= 1 - weight * packed_scores[entry]


@compiled
def multiply_look_misses(
    looks: LookRuns,
    block: int,
    runs: Runs,
    query: EncodedQuery,
    asked: int,
    room_for_chances: Floats,
    misses: Floats,
) -> None:
    """Multiply each image's miss by that of what it looks like as a whole.

    A photo has one look, so the probabilities of several classes add up.

    Args:
        runs: of the runs of looks, the entries of the block.
        room_for_chances: (images,) scratch.
        misses: (images,)
    """
    first, stop = query.look_starts[asked], query.look_starts[asked + 1]
    if first == stop or len(runs.starts) == 0:
        return
    room_for_chances[:] = 0
    for place in range(first, stop):
        weight = query.look_weights[place] * SCORE_UNIT
        for run in range(place, len(runs.starts), len(query.look_weights)):
            for entry in range(runs.starts[run], runs.stops[run]):
                row = looks.image_rows[entry] - block
                room_for_chances[row] += weight * looks.packed_scores[entry]
    least = query.min_scores[asked] * SCORE_UNIT
    for row in range(len(misses)):
        if room_for_chances[row] >= least:
            misses[row] *= 1 - min(room_for_chances[row], 1.0)


@compiled
def _add_chances(
    objects: ObjectColumns,
    block: int,
    weight: float,
    min_score: int,
    areas: Floats,
    chances: Floats,
) -> None:
    """Add objects to the Poisson binomial of each image: chances[k, row] = P(N = k)."""
    image_rows, packed_scores, _ = objects
    for entry in range(len(image_rows)):
        if not counts(objects, entry, min_score, areas):
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
    objects: ObjectColumns,
    block: int,
    weight: float,
    min_score: int,
    emptiness: Floats,
) -> None:
    """Take sure objects of a class out of what makes images not empty, as far as it counts."""
    image_rows, packed_scores, _ = objects
    for entry in range(len(image_rows)):
        if packed_scores[entry] >= min_score:
            score = packed_scores[entry] * SCORE_UNIT
            doubt = max(1 - score, LEAST_DOUBT)
            emptiness[image_rows[entry] - block] *= (1 - (1 - doubt) * (1 - weight)) / doubt
