"""Photos in words, for those who hear them."""

from __future__ import annotations

import pytest
from django.utils.translation import override

from detector.labels import CLASS_NAMES
from gallery.alt_text import alt_text, place_of
from gallery.counted_objects import COUNTED, counted_object
from gallery.layouts import Box

LEFT: Box = (0.0, 0.3, 0.3, 0.9)
RIGHT: Box = (0.7, 0.2, 1.0, 0.9)
MIDDLE: Box = (0.4, 0.4, 0.6, 0.6)
ABOVE: Box = (0.4, 0.0, 0.6, 0.2)
BELOW: Box = (0.3, 0.8, 0.7, 1.0)
ALL: Box = (0.02, 0.0, 1.0, 0.98)
SMALL: Box = (0.05, 0.05, 0.1, 0.1)


@pytest.mark.parametrize(
    ("objects", "sentence"),
    [
        ([], ""),
        ([("cat", ALL)], "A cat"),
        ([("cat", MIDDLE)], "A cat"),
        ([("cat", LEFT)], "A cat left"),
        ([("umbrella", ABOVE)], "An umbrella at the top"),
        ([("dog", LEFT), ("dog", LEFT), ("person", RIGHT)], "Two dogs left, a person right"),
        ([("cup", MIDDLE), ("knife", RIGHT)], "A cup in the centre, a knife right"),
        (
            [("cup", ALL), ("fork", LEFT), ("knife", LEFT)],
            "A cup, a fork and a knife left",
        ),
        ([("dog", LEFT), ("dog", RIGHT)], "A dog left, a dog right"),
        ([("person", LEFT), ("person", RIGHT), ("person", ABOVE)], "Three people"),
        ([("sheep", MIDDLE)] * 12, "12 sheep"),
        ([("skis", BELOW)] * 2, "Two pairs of skis at the bottom"),
        (
            [("car", LEFT), ("bus", RIGHT), ("dog", BELOW), ("kite", ABOVE), ("bird", SMALL)],
            "A car left, a bus right, a kite at the top, a dog at the bottom, one more thing",
        ),
    ],
)
def test_a_photo_is_one_short_sentence_of_what_is_where(
    objects: list[tuple[str, Box]], sentence: str
) -> None:
    assert alt_text(objects) == sentence


def test_what_spans_a_side_of_the_photo_lies_on_neither_end_of_it() -> None:
    assert place_of((0.0, 0.1, 0.72, 0.3)) == "top"
    assert place_of((0.0, 0.1, 0.6, 0.9)) == "left"
    assert place_of(ALL) == "everywhere"


def test_every_class_can_be_counted() -> None:
    assert set(COUNTED) == set(CLASS_NAMES)
    assert counted_object("person", 2) == "two people"
    assert counted_object("airplane", 1) == "an airplane"
    assert counted_object("wine glass", 11) == "11 wine glasses"


def test_no_language_that_is_not_there_breaks_a_sentence() -> None:
    with override("fr"):
        assert alt_text([("dog", LEFT)])
