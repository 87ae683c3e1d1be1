"""Where the marks of the dashboard's charts lie."""

from __future__ import annotations

import itertools
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gallery.charts.columns import HEIGHT, LEAST, draw_columns
from gallery.charts.matrix import SHADES, draw_matrix, shade
from gallery.charts.periods import LEAST_PERIODS, MOST_PERIODS, Unit, periods

DATES = st.dates(date(2000, 1, 1), date(2026, 12, 31))


def test_the_highest_column_fills_the_drawing_and_a_low_one_is_still_seen() -> None:
    drawing = draw_columns([10_000, 5_000, 1, 0])
    assert [column.height for column in drawing.columns] == [HEIGHT, HEIGHT / 2, LEAST, 0]
    assert all(column.y + column.height == HEIGHT for column in drawing.columns)
    assert drawing.columns[-1].x + drawing.columns[-1].width < drawing.width


def test_nothing_makes_no_columns() -> None:
    assert draw_columns([]).width == 0
    assert draw_columns([0]).columns[0].height == 0


def test_each_pair_is_drawn_once_below_its_names() -> None:
    matrix = draw_matrix(["person", "dog", "cat"], [[9, 4, 1], [4, 5, 0], [1, 0, 2]])
    assert [(cell.column_name, cell.row_name, cell.count) for cell in matrix.cells] == [
        ("person", "dog", 4),
        ("person", "cat", 1),
        ("dog", "cat", 0),
    ]
    for cell in matrix.cells:
        # Left of the name of its row, below that of its column.
        row, column = (
            next(label for label in matrix.labels if label.name == name)
            for name in (cell.row_name, cell.column_name)
        )
        assert cell.x + cell.side <= row.x
        assert cell.y < row.y < cell.y + cell.side
        assert column.x <= cell.x + cell.side
        assert column.y < cell.y
    assert [pair.count for pair in matrix.pairs] == [4, 1]
    assert max(label.x for label in matrix.labels) < matrix.width


@pytest.mark.parametrize("names", [[], ["person"]])
def test_fewer_than_two_names_have_no_pairs(names: list[str]) -> None:
    assert draw_matrix(names, [[3]] * len(names)).cells == ()


def test_shades_rise_with_the_count_and_show_even_the_rarest() -> None:
    shades = [shade(count, 1_000_000) for count in (0, 1, 100_000, 500_000, 1_000_000)]
    assert shades == sorted(shades)
    assert shades[:2] == [0, 1]
    assert shades[-1] == SHADES
    assert shade(0, 0) == 0


@given(DATES, DATES)
def test_periods_follow_each_other_without_a_gap_and_hold_all_days(one: date, two: date) -> None:
    first, last = sorted((one, two))
    found = periods(first, last)
    assert LEAST_PERIODS <= len(found) <= MOST_PERIODS
    assert found[0].start <= first
    assert found[-1].start <= last < found[-1].end
    for earlier, later in itertools.pairwise(found):
        assert earlier.end == later.start
        assert earlier.unit == later.unit


@pytest.mark.parametrize(
    ("first", "unit", "filters"),
    [
        (date(2026, 3, 30), Unit.DAY, "after:2026-04-01 before:2026-04-02"),
        (date(2025, 10, 1), Unit.WEEK, "after:2026-03-30 before:2026-04-06"),
        (date(2024, 1, 1), Unit.MONTH, "after:2026-04 before:2026-05"),
        (date(2001, 1, 1), Unit.YEAR, "after:2026 before:2027"),
    ],
)
def test_a_longer_time_has_longer_periods(first: date, unit: Unit, filters: str) -> None:
    last = periods(first, date(2026, 4, 1))[-1]
    assert last.unit == unit
    assert last.filters == filters
