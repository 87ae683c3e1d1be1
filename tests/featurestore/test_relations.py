from __future__ import annotations

import math

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from featurestore.relations import RELATIONS, holds

Box = NDArray[np.float32]

# Quarters of a pixel are exact in float32, so that edges which should meet do.
SIDES = st.tuples(st.integers(0, 1200), st.integers(0, 1200)).map(sorted)
BOXES = st.tuples(SIDES, SIDES).map(
    lambda sides: box(sides[0][0] / 4, sides[1][0] / 4, sides[0][1] / 4, sides[1][1] / 4)
)
SOLID_BOXES = BOXES.filter(lambda found: bool(found[0] < found[2] and found[1] < found[3]))
# Boxes that are made from another one's edges meet it in lines and corners.
CLOSE_PAIRS = st.tuples(BOXES, st.permutations(range(4)), st.integers(-60, 60)).map(
    lambda made: (made[0], moved(made[0], *shift(made[1], made[2] / 4)))
)
PAIRS = st.one_of(st.tuples(BOXES, BOXES), CLOSE_PAIRS)


def box(xmin: float, ymin: float, xmax: float, ymax: float) -> Box:
    return np.array([xmin, ymin, xmax, ymax], np.float32)


def moved(found: Box, right: float, down: float) -> Box:
    return found + np.array([right, down, right, down], np.float32)


def shift(order: list[int], by: float) -> tuple[float, float]:
    return ((by, 0.0), (0.0, by), (by, by), (-by, by))[order[0]]


def is_so(name: str, a: Box, b: Box) -> bool:
    return holds(RELATIONS[name], a, b)


def as_shapely_says(name: str, a: Box, b: Box) -> bool:
    """The definitions, with Shapely's geometry in place of arithmetic on edges."""
    first, second = (shapely.box(*map(float, found)) for found in (a, b))
    (a_left, a_top, a_right, a_bottom), (b_left, b_top, b_right, b_bottom) = (
        (float(left), float(top), float(right), float(bottom))
        for left, top, right, bottom in (first.bounds, second.bounds)
    )
    centre_ax, centre_ay = (a_left + a_right) / 2, (a_top + a_bottom) / 2
    centre_bx, centre_by = (b_left + b_right) / 2, (b_top + b_bottom) / 2
    if name == "left of":
        return a_right <= centre_bx and centre_ax <= b_left
    if name == "right of":
        return b_right <= centre_ax and centre_bx <= a_left
    if name == "above":
        return a_bottom <= centre_by and centre_ay <= b_top
    if name == "below":
        return b_bottom <= centre_ay and centre_by <= a_top
    if name == "inside":
        part = float(first.intersection(second).area)
        return part >= 0.8 * float(first.area) and 0 < float(first.area) < float(second.area)
    if name == "on":
        return (
            bool(first.intersects(second))
            and b_left <= centre_ax <= b_right
            and b_top <= a_bottom <= b_bottom + 15
            and centre_ay < centre_by
        )
    if name == "near":
        return float(first.distance(second)) <= 30
    assert name == "touching"
    return bool(first.intersects(second))


def is_on_an_edge(name: str, a: Box, b: Box) -> bool:
    """Whether rounding may decide: areas at the very part that counts as inside."""
    first, second = (shapely.box(*map(float, found)) for found in (a, b))
    return name == "inside" and math.isclose(
        first.intersection(second).area, 0.8 * first.area, rel_tol=1e-9
    )


@pytest.mark.parametrize("name", RELATIONS)
@given(pair=PAIRS)
def test_a_relation_holds_where_shapely_says_so(name: str, pair: tuple[Box, Box]) -> None:
    a, b = pair
    if not is_on_an_edge(name, a, b):
        assert is_so(name, a, b) == as_shapely_says(name, a, b)


@given(PAIRS)
def test_relations_with_a_mirror_hold_the_other_way_round(pair: tuple[Box, Box]) -> None:
    a, b = pair
    assert is_so("left of", a, b) == is_so("right of", b, a)
    assert is_so("above", a, b) == is_so("below", b, a)
    mirrored_a, mirrored_b = (300 - found[[2, 1, 0, 3]] for found in pair)
    mirrored_a[[1, 3]], mirrored_b[[1, 3]] = a[[1, 3]], b[[1, 3]]
    assert is_so("left of", a, b) == is_so("right of", mirrored_a, mirrored_b)


@given(PAIRS)
def test_above_is_left_of_with_the_axes_exchanged(pair: tuple[Box, Box]) -> None:
    a, b = pair
    turned_a, turned_b = (found[[1, 0, 3, 2]] for found in pair)
    assert is_so("above", a, b) == is_so("left of", turned_a, turned_b)


@given(PAIRS)
def test_near_and_touching_hold_both_ways(pair: tuple[Box, Box]) -> None:
    a, b = pair
    assert is_so("near", a, b) == is_so("near", b, a)
    assert is_so("touching", a, b) == is_so("touching", b, a)
    assert is_so("near", a, b) or not is_so("touching", a, b)


@given(SOLID_BOXES)
def test_a_box_touches_itself_and_is_near_and_nothing_else(found: Box) -> None:
    holding = {name for name in RELATIONS if is_so(name, found, found)}
    assert holding == {"near", "touching"}


@given(SOLID_BOXES, SOLID_BOXES)
def test_no_two_boxes_are_each_left_of_or_in_the_other(a: Box, b: Box) -> None:
    for name in ("left of", "right of", "above", "below", "inside", "on"):
        assert not (is_so(name, a, b) and is_so(name, b, a)), name


@pytest.mark.parametrize(
    ("name", "a", "b"),
    [
        ("left of", (0, 0, 100, 100), (80, 0, 200, 100)),
        ("right of", (80, 0, 200, 100), (0, 0, 100, 100)),
        ("above", (0, 0, 100, 100), (200, 80, 300, 200)),
        ("below", (0, 150, 100, 200), (0, 0, 100, 100)),
        ("inside", (90, 90, 101, 100), (0, 0, 100, 100)),
        ("on", (40, 0, 60, 50), (0, 30, 100, 100)),
        ("on", (40, 0, 60, 95), (0, 60, 100, 80)),
        ("near", (0, 0, 10, 10), (28, 34, 50, 50)),
        ("touching", (0, 0, 10, 10), (10, 10, 20, 20)),
    ],
)
def test_examples_hold(name: str, a: tuple[float, ...], b: tuple[float, ...]) -> None:
    assert is_so(name, box(*a), box(*b))


@pytest.mark.parametrize(
    ("name", "a", "b"),
    [
        ("left of", (0, 0, 150, 100), (80, 0, 200, 100)),
        ("right of", (0, 0, 100, 100), (80, 0, 200, 100)),
        ("above", (0, 0, 100, 200), (0, 80, 100, 160)),
        ("below", (0, 0, 100, 100), (0, 150, 100, 200)),
        ("inside", (70, 90, 110, 100), (0, 0, 100, 100)),
        ("inside", (150, 150, 150, 160), (0, 0, 100, 100)),
        ("on", (40, 0, 60, 29), (0, 30, 100, 100)),
        ("on", (90, 0, 130, 50), (0, 30, 100, 100)),
        ("on", (40, 0, 60, 100), (0, 60, 100, 80)),
        ("near", (0, 0, 10, 10), (29, 34, 50, 50)),
        ("touching", (0, 0, 10, 10), (10.25, 10, 20, 20)),
    ],
)
def test_counterexamples_do_not_hold(name: str, a: tuple[float, ...], b: tuple[float, ...]) -> None:
    assert not is_so(name, box(*a), box(*b))


def test_an_unknown_code_never_holds() -> None:
    assert not holds(len(RELATIONS), box(0, 0, 9, 9), box(0, 0, 9, 9))
