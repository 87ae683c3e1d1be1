from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from detector.labels import CLASS_IDS, ID_BY_NAME, NAME_BY_ID
from gallery.errors import QueryRefused
from gallery.layouts import (
    FAINT_SCORE,
    MAX_REGION_POINTS,
    Layout,
    LayoutObject,
    layout_of,
    parse_layout,
    parse_part,
)

DOG = ID_BY_NAME["dog"]
UNITS = st.floats(0, 1, allow_subnormal=False)
TRIANGLE = "[[0.1, 0.1], [0.9, 0.1], [0.5, 0.9]]"


def layout(*rows: tuple[float, ...]) -> Layout:
    """Objects by class, score and box in 0..1."""
    return Layout(
        np.array([[*row[:2], *(300 * side for side in row[2:])] for row in rows], np.float32)
    )


@st.composite
def boxes(draw: st.DrawFn) -> tuple[float, float, float, float]:
    xmin, xmax = sorted((draw(UNITS), draw(UNITS)))
    ymin, ymax = sorted((draw(UNITS), draw(UNITS)))
    assume(xmax - xmin > 0.0032)
    assume(ymax - ymin > 0.0032)
    return xmin, ymin, xmax, ymax


@st.composite
def layouts(draw: st.DrawFn) -> Layout:
    items = [
        LayoutObject(object=NAME_BY_ID[class_id], box=box, score=score)
        for class_id, box, score in draw(
            st.lists(st.tuples(st.sampled_from(CLASS_IDS), boxes(), UNITS), min_size=1, max_size=20)
        )
    ]
    if draw(st.booleans()):
        row = draw(st.integers(0, len(items) - 1))
        xmin, ymin, xmax, ymax = draw(boxes())
        corners = [(xmin, ymin), (xmax, ymin), (xmax, ymax), (xmin, ymax)]
        items[row] = LayoutObject(object=items[row].object, region=corners, score=items[row].score)
    return layout_of(items)


def test_a_layout_is_read_in_the_detectors_frame() -> None:
    read = parse_layout('[{"object": " Dog ", "box": [0, 0.5, 0.25, 1], "score": 0.5}]')
    np.testing.assert_array_equal(read.objects, [[DOG, 0.5, 0, 150, 75, 300]])
    assert (read.region, read.region_row) == (None, -1)


def test_a_drawn_object_is_sure() -> None:
    assert parse_layout('[{"object": "dog", "box": [0, 0, 1, 1]}]').objects[0, 1] == 1


@given(layouts())
def test_a_layout_reads_what_it_writes(written: Layout) -> None:
    read = parse_layout(written.to_json())
    np.testing.assert_allclose(read.objects[:, :2], written.objects[:, :2], atol=1e-4)
    np.testing.assert_allclose(read.objects[:, 2:], written.objects[:, 2:], atol=0.02)
    assert read.region_row == written.region_row
    if written.region is not None:
        assert read.region is not None
        np.testing.assert_allclose(read.region, written.region, atol=1e-4)


@given(layouts())
def test_what_was_read_writes_the_same_again(written: Layout) -> None:
    text = written.to_json()
    assert parse_layout(text).to_json() == text


def test_what_is_too_thin_to_write_is_left_out() -> None:
    thin = layout((DOG, 0.9, 0.5, 0.2, 0.50001, 0.8), (DOG, 0.8, 0.1, 0.1, 0.2, 0.2))
    assert parse_layout(thin.to_json()).objects[:, 1].tolist() == [pytest.approx(0.8)]


def test_a_box_that_reaches_a_hair_out_of_the_frame_can_be_written() -> None:
    over = Layout(np.array([[DOG, 0.9, -0.01, -0.001, 300.01, 300.001]], np.float32))
    np.testing.assert_allclose(parse_layout(over.to_json()).objects[0, 2:], [0, 0, 300, 300])


def test_a_region_has_the_box_around_it() -> None:
    read = parse_layout(f'[{{"object": "dog", "region": {TRIANGLE}}}]')
    np.testing.assert_allclose(read.objects[0], [DOG, 1, 30, 30, 270, 270], atol=1e-3)
    assert read.region is not None
    assert read.region.shape == (3, 2)
    assert read.region_row == 0


def test_the_object_with_the_region_is_known() -> None:
    read = parse_layout(
        f'[{{"object": "cat", "box": [0, 0, 1, 1]}}, {{"object": "dog", "region": {TRIANGLE}}}]'
    )
    assert read.region_row == 1
    assert read.objects[:, 0].tolist() == [ID_BY_NAME["cat"], DOG]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "This layout is not JSON"),
        ("dog", "This layout is not JSON"),
        ("{}", "A layout is a list of objects"),
        ("[]", "This layout has no object in it"),
        ('[{"object": "dog"}]', "Object 1 of this layout should have a name and a box or a region"),
        (
            f'[{{"object": "dog", "box": [0, 0, 1, 1], "region": {TRIANGLE}}}]',
            "should have a name and a box or a region, one of them",
        ),
        (
            '[{"object": "dog", "box": [0, 0, 1]}]',
            "should have four numbers as its box",
        ),
        (
            '[{"object": "dog", "box": [0, 0, 1, 2]}]',
            "Object 1 of this layout should lie",
        ),
        ('[{"object": "dog", "box": [0, 0, 1, NaN]}]', "should lie within the photo"),
        ('[{"object": "dog", "box": [0, 0, 1, Infinity]}]', "should lie within the photo"),
        ('[{"object": "dog", "box": [0.5, 0, 0.5, 1]}]', "first corner above and left"),
        ('[{"object": "dog", "box": [1, 1, 0, 0]}]', "first corner above and left"),
        ('[{"object": "dog", "box": [0.5, 0, 0.502, 1]}]', "box of “dog” is too thin"),
        ('[{"object": "unicorn", "box": [0, 0, 1, 1]}]', "no object “unicorn”"),
        ('[{"object": "", "box": [0, 0, 1, 1]}]', "no object “”"),
        ('[{"object": "dog", "box": [0, 0, 1, 1], "score": 2}]', "should have a score from 0 to 1"),
        (
            '[{"object": "dog", "box": [0, 0, 1, 1], "colour": "brown"}]',
            "layout has “colour”",
        ),
        ('[{"object": "dog", "region": [[0, 0], [1, 1]]}]', "from 3 to 500 corners"),
        ('[{"object": "dog", "region": [[0, 0], [1, 1], [1, 2]]}]', "should lie within the photo"),
        ('[{"object": "dog", "region": [[0.5, 0], [0.5, 1], [0.5, 0.3]]}]', "first corner"),
        (
            "[" + ",".join([f'{{"object": "dog", "region": {TRIANGLE}}}'] * 2) + "]",
            "Only one object of a layout can have a region",
        ),
        (
            "[" + ",".join(['{"object": "dog", "box": [0, 0, 1, 1]}'] * 21) + "]",
            "A layout has at most 20 objects",
        ),
        (
            f'[{{"object": "dog", "region": {[[0, 0], [1, 1]] * MAX_REGION_POINTS}}}]',
            "from 3 to 500 corners",
        ),
        ("[" * 10_000, "This layout is not JSON"),
        ('[{"object": "\\ud800", "box": [0, 0, 1, 1]}]', "This layout is not JSON"),
    ],
)
def test_a_layout_that_cannot_be_read_is_refused_with_a_sentence(text: str, sentence: str) -> None:
    with pytest.raises(QueryRefused) as refused:
        parse_layout(text)
    assert sentence in str(refused.value)
    assert str(refused.value).endswith(".")


@given(st.text(max_size=200))
def test_any_text_is_read_as_a_layout_or_refused(text: str) -> None:
    try:
        assert len(parse_layout(text).objects) > 0
    except QueryRefused:
        return


def test_a_part_is_four_numbers() -> None:
    assert parse_part("0,0.25, 0.5 ,1") == (0, 0.25, 0.5, 1)


@pytest.mark.parametrize(
    "text",
    ["", "1", "0,0,1", "0,0,1,1,1", "a,b,c,d", "0;0;1;1", "0,0,,1", "(0,0,1,1)"],
)
def test_a_part_that_is_not_four_numbers_is_refused(text: str) -> None:
    with pytest.raises(QueryRefused, match="four numbers: left, top, right, bottom"):
        parse_part(text)


@pytest.mark.parametrize(
    "text",
    ["0,0,0,1", "0,1,1,0", "-0.1,0,1,1", "0,0,1,1.1", "nan,0,1,1", "0,0,inf,1", "0,0,1,nan"],
)
def test_a_part_outside_the_photo_is_refused(text: str) -> None:
    with pytest.raises(QueryRefused, match="rise from 0 to 1"):
        parse_part(text)


@given(st.text(max_size=40))
def test_any_text_is_a_part_or_refused(text: str) -> None:
    try:
        xmin, ymin, xmax, ymax = parse_part(text)
    except QueryRefused:
        return
    assert 0 <= xmin < xmax <= 1
    assert 0 <= ymin < ymax <= 1


def test_an_object_belongs_to_the_part_that_holds_half_of_it() -> None:
    both = layout((DOG, 0.9, 0, 0, 0.4, 1), (DOG, 0.8, 0.3, 0, 0.8, 1))
    assert both.within((0, 0, 0.5, 1)).objects[:, 1].tolist() == [pytest.approx(0.9)]
    assert both.within((0, 0, 0.56, 1)).objects[:, 1].tolist() == pytest.approx([0.9, 0.8])
    assert len(both.within((0.9, 0, 1, 1)).objects) == 0


@given(layouts(), boxes())
def test_a_part_keeps_objects_where_they_are(whole: Layout, part: tuple[float, ...]) -> None:
    within = whole.within((part[0], part[1], part[2], part[3]))
    rows = {tuple(row) for row in whole.objects.tolist()}
    assert all(tuple(row) in rows for row in within.objects.tolist())
    assert len(whole.within((0, 0, 1, 1)).objects) == len(whole.objects)


def test_a_box_without_area_lies_in_no_part() -> None:
    flat = layout((DOG, 0.9, 0.1, 0.1, 0.1, 0.5))
    assert len(flat.within((0.6, 0.6, 1, 1)).objects) == 0
    assert len(flat.within((0, 0, 1, 1)).objects) == 0


def test_a_region_stays_with_its_object_in_a_part() -> None:
    read = parse_layout(
        f'[{{"object": "cat", "box": [0.9, 0.9, 1, 1]}}, {{"object": "dog", "region": {TRIANGLE}}}]'
    )
    within = read.within((0, 0, 0.9, 0.9))
    assert within.objects[:, 0].tolist() == [DOG]
    assert within.region_row == 0
    assert within.region is read.region
    assert read.within((0.9, 0.9, 1, 1)).region is None


def test_a_layout_of_faint_objects_is_faint() -> None:
    assert Layout(np.zeros((0, 6), np.float32)).is_faint
    assert layout((DOG, FAINT_SCORE - 0.01, 0, 0, 1, 1)).is_faint
    assert not layout((DOG, FAINT_SCORE + 0.01, 0, 0, 1, 1)).is_faint
