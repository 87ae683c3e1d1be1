"""Compiled loops that score images for an encoded query, a block of images at a time.

What is known of a block's images fits into the processor's nearest caches, and is written over by
the next block. Only classes that are asked for are read, once for each condition that asks for
them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from featurestore.asked_objects import Floats, Integers, ObjectColumns, Rows, Runs
from featurestore.compiled import compiled
from featurestore.condition_misses import multiply_look_misses, write_misses
from featurestore.encoded_query import (
    ANY,
    ASKED,
    AT_LEAST,
    COUNT,
    NEGATED,
    RELATION,
    WHAT,
    EncodedQuery,
)
from featurestore.look_postings import LookRuns
from featurestore.posting_kernels import MOST_OBJECTS, first_at

# What is left of a condition's probability where nothing answers it, so that a photo without one of
# several things comes behind those with all of them, and before those with none.
EPSILON = 1e-4

# Images at a time.
BLOCK = 4096

# Two thirds of the bits of 1.0, but for what makes the guess best (Kahan's cube root).
CUBE_ROOT_BITS = 715094163 << 32


@compiled
def score_images(
    class_starts: Integers,
    objects: ObjectColumns,
    emptiness: Floats,
    counted: NDArray[np.bool_],
    query: EncodedQuery,
    looks: LookRuns,
    floor: float,
    first_row: int,
    stop_row: int,
    scores: NDArray[np.float32],
) -> None:
    """Write the scores of images first_row:stop_row; those below `floor` may become 0.

    Args:
        emptiness: (n,) see `Postings`.
        counted: (n,) the scores of other images are 0.
        scores: (n,)
    """
    # The run of each class that is asked for: the objects of this block's images.
    ends = class_starts[query.class_ids + 1]
    runs = _runs_before(objects.image_rows, class_starts[query.class_ids], ends, first_row)
    look_runs = _runs_before(looks.image_rows, looks.starts[:-1], looks.starts[1:], first_row)
    room_for_misses = np.empty((len(query.conditions), BLOCK))
    room_for_chances = np.empty((MOST_OBJECTS + 1, BLOCK))
    for block in range(first_row, stop_row, BLOCK):
        images = min(BLOCK, stop_row - block)
        scores[block : block + images] = 0
        _go_on(objects.image_rows, runs, ends, block + images)
        _go_on(looks.image_rows, look_runs, looks.starts[1:], block + images)
        for alternative in range(len(query.alternative_starts) - 1):
            of_alternative = query.conditions[
                query.alternative_starts[alternative] : query.alternative_starts[alternative + 1]
            ]
            if not _may_score(of_alternative, query, runs, look_runs):
                continue
            misses = room_for_misses[: len(of_alternative), :images]
            for number in range(len(of_alternative)):
                condition = of_alternative[number]
                write_misses(
                    objects,
                    emptiness,
                    block,
                    runs,
                    query,
                    condition,
                    room_for_chances,
                    misses[number],
                )
                if condition[WHAT] == ANY:
                    multiply_look_misses(
                        looks,
                        block,
                        look_runs,
                        query,
                        condition[ASKED],
                        room_for_chances[0, :images],
                        misses[number],
                    )
            _combine(
                of_alternative,
                misses,
                counted[block : block + images],
                floor,
                scores[block : block + images],
            )


@compiled
def _runs_before(image_rows: Rows, starts: Integers, stops: Integers, row: int) -> Runs:
    """Runs without entries, just before those of a row and of what follows it."""
    places = np.empty(len(starts), np.int64)
    for run in range(len(starts)):
        places[run] = _next_at(image_rows, starts[run], stops[run], row)
    return Runs(places, places.copy())


@compiled
def _go_on(image_rows: Rows, runs: Runs, ends: Integers, row: int) -> None:
    """Let runs begin where they stop, and stop before a row."""
    for run in range(len(ends)):
        runs.starts[run] = runs.stops[run]
        runs.stops[run] = _next_at(image_rows, runs.starts[run], ends[run], row)


@compiled
def _may_score(conditions: Integers, query: EncodedQuery, runs: Runs, look_runs: Runs) -> bool:
    """Whether an image of the block may answer.

    It needs an object or a look that is asked for, if any is.
    """
    entries, needed = 0, False
    for condition in conditions:
        if condition[NEGATED]:
            continue
        needed = True
        if condition[WHAT] == COUNT and condition[AT_LEAST] == 0:
            return True
        asked, several = condition[ASKED], 2 if condition[WHAT] == RELATION else 1
        for place in range(query.asked_starts[asked], query.asked_starts[asked + several]):
            entries += runs.stops[place] - runs.starts[place]
        for place in range(query.look_starts[asked], query.look_starts[asked + 1]):
            for run in range(place, len(look_runs.stops), len(query.look_weights)):
                entries += look_runs.stops[run] - look_runs.starts[run]
    return entries > 0 or not needed


@compiled
def _next_at(image_rows: Rows, start: int, stop: int, row: int) -> int:
    """The first place from start to stop whose image row is not below `row`, else stop.

    It looks near the start first.
    """
    step = 64
    while start + step < stop and image_rows[start + step] < row:
        start += step
        step *= 2
    return first_at(image_rows, start, min(stop, start + step), row)


@compiled
def _combine(
    conditions: Integers,
    misses: Floats,
    counted: NDArray[np.bool_],
    floor: float,
    scores: NDArray[np.float32],
) -> None:
    """Raise the scores of images to those for conditions that should all hold.

    Args:
        conditions: (t, 6)
        misses: (t, images)
    """
    images = len(scores)
    product, factor, something = np.ones(images), np.ones(images), np.zeros(images, np.bool_)
    terms = 0
    # Loops without branches over neighbours, which become vector instructions.
    for number in range(len(conditions)):
        if conditions[number, NEGATED]:
            for row in range(images):
                factor[row] *= misses[number, row]
            continue
        related = conditions[number, WHAT] == RELATION
        epsilon = EPSILON * EPSILON if related else EPSILON
        terms += 2 if related else 1
        for row in range(images):
            chance = 1 - misses[number, row]
            something[row] |= chance >= epsilon
            product[row] *= chance if chance > epsilon else epsilon
    if terms == 0:
        something[:] = True
    # A root takes long, so it is not drawn where it would come out below the floor.
    least = floor**terms * (1 - 1e-9)
    if terms == 2:
        for row in range(images):
            product[row] = np.sqrt(product[row])
    elif terms == 3:
        _draw_cube_roots(product)
    elif terms > 2:
        for row in range(images):
            if something[row] and product[row] >= least:
                product[row] = product[row] ** (1 / terms)
            else:
                something[row] = False
    for row in range(images):
        score = np.float32(product[row] * factor[row])
        if not (something[row] and counted[row]):
            score = np.float32(0)
        scores[row] = score if score > scores[row] else scores[row]


@compiled
def _draw_cube_roots(values: Floats) -> None:
    """Replace numbers above 0 by their cube roots, several times as fast as the library does.

    A third of the exponent is a first guess, good to 4 %; each of Halley's steps makes the rest of
    the error as small as its third power, so two leave 1e-13 of it.
    """
    guesses = (values.view(np.int64) // 3 + CUBE_ROOT_BITS).view(np.float64)
    for row in range(len(values)):
        value, root = values[row], guesses[row]
        for _ in range(2):
            cube = root * root * root
            root *= (cube + 2 * value) / (2 * cube + value)
        values[row] = root
