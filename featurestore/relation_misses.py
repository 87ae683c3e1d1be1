"""Compiled loops that find, for each image of a block, how likely no pair lies as asked."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from featurestore.asked_objects import Floats, ObjectColumns, Packed, Runs, counts
from featurestore.compiled import compiled
from featurestore.conditions import HINT_WEIGHT
from featurestore.encoded_query import EncodedQuery
from featurestore.packing import BOX_UNIT, SCORE_UNIT
from featurestore.relations import holds

# What a pair of objects is worth that do not lie as asked, beside one that does.
RELATION_MISSED = 0.1


@compiled
def miss_pairs(
    objects: ObjectColumns,
    block: int,
    runs: Runs,
    query: EncodedQuery,
    asked: int,
    code: int,
    misses: Floats,
) -> None:
    """Each image's miss is that of its best pair of two objects, the first lying so to the second.

    Pairs of two hints count for nothing (see `conditions.HINT_WEIGHT`).

    Args:
        asked: the row of the subject in what is asked for; the object follows it.
        code: of the relation.
        misses: (images,)
    """
    misses[:] = 1
    subjects, subject_hints = _count_entries(runs, query, asked)
    others, other_hints = _count_entries(runs, query, asked + 1)
    # The shorter side is chained, which takes longer than to go along.
    shorter, longer, hints = asked, asked + 1, subject_hints
    if subjects > others:
        shorter, longer, hints = asked + 1, asked, other_hints
    # What is asked for on the shorter side with everything on the longer, then the hints of the
    # shorter with what is asked for on the longer.
    for going, only_hints, entries in (
        (longer, False, min(subjects, others)),
        (shorter, True, max(subjects, others) if hints else 0),
    ):
        if entries:
            _miss_pairs_of(
                objects, block, runs, query, asked, going, only_hints, entries, code, misses
            )


@compiled
def _count_entries(runs: Runs, query: EncodedQuery, asked: int) -> tuple[int, int]:
    """How many objects of a block are of a kind's classes, and how many of its hints."""
    whole, hints = 0, 0
    for place in range(query.asked_starts[asked], query.asked_starts[asked + 1]):
        if query.weights[place] > HINT_WEIGHT:
            whole += runs.stops[place] - runs.starts[place]
        else:
            hints += runs.stops[place] - runs.starts[place]
    return whole, hints


@compiled
def _miss_pairs_of(
    objects: ObjectColumns,
    block: int,
    runs: Runs,
    query: EncodedQuery,
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
    image_rows, packed_scores, packed_boxes = objects
    asked_starts, min_scores, areas = query.asked_starts, query.min_scores, query.areas
    weights = query.weights
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
        for entry in range(runs.starts[place], runs.stops[place]):
            if counts(objects, entry, min_scores[chained], areas[chained]):
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
        for entry in range(runs.starts[place], runs.stops[place]):
            row = image_rows[entry] - block
            chain = heads[row]
            if chain < 0 or not counts(objects, entry, min_scores[going], areas[going]):
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
