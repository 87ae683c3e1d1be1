from __future__ import annotations

import numpy as np
import pytest

from gallery.evaluation.drawn_layouts import JITTER, DrawnLayout, drawn_layouts
from tests.evaluation.truths import CAR, DOG, FULL, LEFT, PERSON, Object, truth_of

# Ever smaller squares.
MANY: list[Object] = [(DOG, [0, 0, 80 - side, 80 - side]) for side in range(0, 80, 10)]


def test_two_to_five_of_the_largest_objects_are_drawn() -> None:
    layouts = drawn_layouts(truth_of(*[MANY[::-1]] * 60))
    assert {len(layout.objects) for layout in layouts} == {2, 3, 4, 5}
    for layout in layouts:
        sides = layout.objects[:, 4] - layout.objects[:, 2]
        expected = np.arange(240, 0, -30)[: len(sides)]
        assert (np.abs(sides / expected - 1) <= 2 * JITTER + 1e-6).all()


def test_images_with_fewer_than_two_objects_are_not_drawn() -> None:
    layouts = drawn_layouts(truth_of([], [(DOG, FULL)], [(DOG, LEFT), (CAR, FULL)]))
    assert [layout.row for layout in layouts] == [2]
    assert layouts[0].objects[:, 0].tolist() == [CAR, DOG]
    assert layouts[0].objects[:, 1].tolist() == [1, 1]


def test_each_edge_is_a_little_off_and_stays_in_the_frame() -> None:
    objects: list[Object] = [(DOG, [20, 20, 60, 40]), (CAR, FULL)]
    drawn = np.stack([layout.objects for layout in drawn_layouts(truth_of(*[objects] * 50))])
    car, dog = drawn[:, 0, 2:], drawn[:, 1, 2:]
    assert (car >= 0).all()
    assert (car <= 300).all()
    moves = (dog - [60, 60, 180, 120]) / [120, 60, 120, 60]
    assert np.abs(moves).max() <= JITTER + 1e-6
    assert np.abs(moves).max() > JITTER / 2
    assert len(np.unique(moves)) == moves.size


def test_the_same_seed_draws_the_same() -> None:
    truth = truth_of(MANY, MANY)
    first, again, other = (drawn_layouts(truth, seed) for seed in (1, 1, 2))
    for a, b in zip(first, again, strict=True):
        np.testing.assert_array_equal(a.objects, b.objects)
    assert not np.array_equal(first[0].objects, other[0].objects)


def test_gains_are_those_of_a_photo_that_looks_like_the_drawing() -> None:
    images = truth_of([(DOG, FULL)], [(DOG, LEFT)], [(PERSON, FULL)]).images
    drawn = DrawnLayout(0, np.array([[DOG, 1, 0, 0, 300, 300]], np.float32))
    gains = drawn.gains(images)
    assert gains[0] == pytest.approx(1)
    assert 0 < gains[1] < 1
    assert gains[2] == 0
