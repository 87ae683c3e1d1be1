from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gallery.evaluation.layout_gain import layout_gain, layout_gains, share_a_class
from gallery.evaluation.truth import TrueImage

PERSON, DOG = 1, 18


def image(*objects: tuple[int, list[float]], width: int = 100, height: int = 100) -> TrueImage:
    """A photo with (class id, xyxy box in pixels) objects."""
    return TrueImage(
        file_name="a.jpg",
        width=width,
        height=height,
        coco_split="",
        class_ids=np.array([class_id for class_id, _ in objects], np.int64),
        boxes=np.array([box for _, box in objects], np.float64).reshape(-1, 4),
    )


def test_identical_layouts_gain_1() -> None:
    a = image((PERSON, [0, 0, 50, 100]), (DOG, [40, 60, 90, 100]), (DOG, [50, 60, 95, 100]))
    assert layout_gain(a, a) == pytest.approx(1)


def test_disjoint_boxes_gain_nothing() -> None:
    assert layout_gain(image((DOG, [0, 0, 50, 50])), image((DOG, [50, 50, 100, 100]))) == 0


def test_another_class_in_the_same_place_gains_nothing() -> None:
    box = [0.0, 0.0, 50.0, 50.0]
    assert layout_gain(image((DOG, box)), image((PERSON, box))) == 0


def test_a_gain_is_worked_out_as_the_definition_says() -> None:
    # IoU 0.5 of areas 1 and 0.5, so W = √0.75; both Σ√area are 1 and √0.5.
    a, b = image((DOG, [0, 0, 100, 100])), image((DOG, [0, 0, 50, 100]))
    expected = 0.5 * math.sqrt(0.75) / ((1 + math.sqrt(0.5)) / 2)
    assert layout_gain(a, b) == pytest.approx(expected)


def test_an_object_too_many_lowers_the_gain() -> None:
    box = [0.0, 0.0, 50.0, 50.0]
    # Σ√area is 0.5 and 1, and one object of W 0.5 is matched.
    two = image((DOG, box), (PERSON, [50, 50, 100, 100]))
    assert layout_gain(image((DOG, box)), two) == pytest.approx(0.5 / 0.75)


def test_shape_of_the_photo_does_not_matter() -> None:
    square = image((DOG, [0, 0, 50, 50]))
    wide = image((DOG, [0, 0, 200, 30]), width=400, height=60)
    assert layout_gain(square, wide) == pytest.approx(1)


def test_assignment_beats_taking_the_best_pair_first() -> None:
    # Along one row, 10 wide boxes at 0 and 3 against boxes at 2 and 6. The best single pair is
    # (3, 2) with IoU 9/11, which leaves (0, 6) with 4/16; the other way round, (0, 2) with 8/12
    # and (3, 6) with 7/13 sum to more.
    a = image((DOG, [0, 0, 10, 100]), (DOG, [3, 0, 13, 100]))
    b = image((DOG, [2, 0, 12, 100]), (DOG, [6, 0, 16, 100]))
    greedy, best = (9 / 11 + 4 / 16) / 2, (8 / 12 + 7 / 13) / 2
    assert best > greedy
    assert layout_gain(a, b) == pytest.approx(best)


def test_each_object_is_matched_once() -> None:
    dog = (DOG, [0.0, 0.0, 50.0, 50.0])
    assert layout_gain(image(dog), image(dog, dog)) == pytest.approx(0.5 / 0.75)


def test_images_without_objects_gain_nothing() -> None:
    assert layout_gain(image(), image()) == 0
    assert layout_gain(image(), image((DOG, [0, 0, 50, 50]))) == 0


def test_all_pairs_have_the_gain_of_each() -> None:
    images = [
        image((DOG, [0, 0, 100, 100])),
        image((PERSON, [0, 0, 50, 50])),
        image((DOG, [0, 0, 50, 100]), (PERSON, [0, 0, 50, 60])),
        image(),
    ]
    expected = [[layout_gain(a, b) for b in images] for a in images]
    np.testing.assert_allclose(layout_gains(images), expected)
    assert layout_gains(images)[0, 2] > 0


def test_images_share_a_class_only_with_another_image() -> None:
    box = [0.0, 0.0, 50.0, 50.0]
    images = [
        image((DOG, box), (DOG, box)),
        image((PERSON, box)),
        image((PERSON, box)),
        image(),
    ]
    assert share_a_class(images).tolist() == [False, True, True, False]


boxes = st.builds(
    lambda x, y, w, h: [x, y, x + w, y + h],
    st.integers(0, 60),
    st.integers(0, 60),
    st.integers(1, 40),
    st.integers(1, 40),
)
images_of_objects = st.lists(
    st.tuples(st.sampled_from([PERSON, DOG]), boxes), min_size=1, max_size=5
).map(lambda objects: image(*objects))


@given(images_of_objects, images_of_objects)
def test_gains_are_symmetric_and_within_0_and_1(a: TrueImage, b: TrueImage) -> None:
    gain = layout_gain(a, b)
    assert 0 <= gain <= 1 + 1e-9
    assert layout_gain(b, a) == pytest.approx(gain)
