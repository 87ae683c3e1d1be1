"""Hits as they are shown: percents that add up, boxes in the colours of their reasons."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gallery.explaining import Reason
from gallery.hits import Hit
from gallery.layouts import Layout, parse_layout
from gallery.models import Image
from gallery.sentences import Found
from gallery.shown_hits import (
    MOST_BOXES,
    percents,
    shown_for_layout,
    shown_for_text,
)

LEFT, RIGHT = (0.0, 0.0, 0.4, 1.0), (0.5, 0.0, 1.0, 1.0)
PHOTO = Image(pk=1, name="two.jpg", width=200, height=100, sha256="0" * 64)


def reason(asked: str, part: float, *objects: Found, is_met: bool = True) -> Reason:
    return Reason(asked, f"{asked}: here", part, is_met, objects)


@given(
    st.lists(st.floats(0, 1), min_size=1, max_size=20).filter(lambda parts: sum(parts) > 0.01),
    st.integers(0, 100),
)
def test_percents_add_up_and_are_off_by_less_than_one(parts: list[float], total: int) -> None:
    found = percents(parts, total)
    assert sum(found) == total
    exact = [total * part / sum(parts) for part in parts]
    assert all(abs(one - other) < 1 + 1e-6 for one, other in zip(found, exact, strict=True))


def test_the_bar_is_as_long_as_the_score() -> None:
    hit = Hit(PHOTO, 0.8, (reason("dog", 0.3), reason("cat", 0.49), reason("cup", 0.01)))
    shown = shown_for_text(hit, {"dog": 0, "cat": 1, "cup": 2})
    assert [one.reason.asked for one in shown.reasons] == ["cat", "dog"]
    assert [segment.colour for segment in shown.segments] == [1, 0]
    assert sum(segment.width for segment in shown.segments) == pytest.approx(80, abs=0.02)
    assert shown.segments[1].start == pytest.approx(shown.segments[0].width, abs=0.02)
    assert sum(one.percent for one in shown.reasons) == shown.percent == 80


def test_what_was_not_met_has_its_sentence_though_it_adds_nothing() -> None:
    missing = reason("cup", 0.0, is_met=False)
    shown = shown_for_text(Hit(PHOTO, 0.5, (reason("dog", 0.5), missing)), {"dog": 0, "cup": 1})
    assert [(one.reason.asked, one.percent) for one in shown.reasons] == [("dog", 50), ("cup", 0)]


def test_boxes_lie_on_the_photo_in_the_colours_of_their_reasons_each_once() -> None:
    dog, cat = Found("dog", 0.9, LEFT, 0.4), Found("cat", 0.8, RIGHT, 0.3)
    hit = Hit(PHOTO, 0.9, (reason("dog", 0.5, dog), reason("dog left of cat", 0.4, dog, cat)))
    shown = shown_for_text(hit, {"dog": 0, "dog left of cat": 1})
    drawn = [(box.label, box.colour, box.x, box.width) for box in shown.boxes]
    assert drawn == [("dog", 0, 0, 80), ("cat", 1, 100, 100)]


def test_partners_have_the_same_place_and_colour_in_query_and_photo() -> None:
    layout = parse_layout('[{"object":"cat","box":[0,0,0.4,1]},{"object":"dog","box":[0.5,0,1,1]}]')
    pairs = (
        Reason("dog", "dog", 0.4, True, (Found("dog", 0.9, LEFT, 0.4),), query_box=RIGHT),
        Reason("cat", "cat", 0.2, True, (Found("cat", 0.9, RIGHT, 0.2),), query_box=LEFT),
    )
    shown = shown_for_layout(Hit(PHOTO, 0.6, pairs), layout, 400, 300)
    assert [(box.label, box.colour) for box in shown.boxes] == [("dog", 1), ("cat", 0)]
    assert [(box.label, box.colour) for box in shown.query_boxes] == [("dog", 1), ("cat", 0)]
    assert shown.query_boxes[0].x == 200


def test_a_crowd_does_not_hide_the_photo() -> None:
    rng = np.random.default_rng(1)
    crowd = [
        Found("person", 0.9, (x, 0.0, x + 0.1, 1.0), 0.01) for x in rng.uniform(0, 0.9, 30).tolist()
    ]
    shown = shown_for_text(Hit(PHOTO, 0.3, (reason("person", 0.3, *crowd),)), {"person": 0})
    assert len(shown.boxes) == MOST_BOXES


def test_a_hit_of_a_filter_alone_has_no_reasons() -> None:
    shown = shown_for_text(Hit(PHOTO, 1.0, ()), {})
    assert (shown.reasons, shown.segments, shown.boxes) == ([], [], [])
    layout = Layout(np.array([[1, 1, 0, 0, 300, 300]], np.float32))
    assert shown_for_layout(Hit(PHOTO, 0.2, ()), layout, 400, 300).query_boxes == []
