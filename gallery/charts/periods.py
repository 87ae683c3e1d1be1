"""Spans of time of equal kind: the days, weeks, months or years that something happened in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

MOST_PERIODS = 32
# Fewer are no picture: what lies before the first is shown as well.
LEAST_PERIODS = 12


class Unit(StrEnum):
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    YEAR = "year"


@dataclass(frozen=True)
class Period:
    unit: Unit
    start: date
    end: date
    """The first day after it."""

    @property
    def filters(self) -> str:
        """What a search says for it."""
        form = {Unit.MONTH: "%Y-%m", Unit.YEAR: "%Y"}.get(self.unit, "%Y-%m-%d")
        return f"after:{self.start.strftime(form)} before:{self.end.strftime(form)}"


def periods(
    first: date, last: date, *, least: int = LEAST_PERIODS, most: int = MOST_PERIODS
) -> list[Period]:
    """Every period from the first day to the last: of the shortest kind that makes few enough.

    Of years there may be more than `most`: then these are the last. Where there are fewer than
    `least`, periods before the first come in front.
    """
    found: list[Period] = []
    for unit in Unit:
        found = _periods(unit, first, last)
        if len(found) <= most:
            break
    found = found[-most:]
    while len(found) < least:
        unit, end = found[0].unit, found[0].start
        found.insert(0, Period(unit, _start(unit, end - timedelta(days=1)), end))
    return found


def _periods(unit: Unit, first: date, last: date) -> list[Period]:
    start = _start(unit, first)
    found = []
    while start <= last:
        end = _next(unit, start)
        found.append(Period(unit, start, end))
        start = end
    return found


def _start(unit: Unit, day: date) -> date:
    match unit:
        case Unit.DAY:
            return day
        case Unit.WEEK:
            return day - timedelta(days=day.weekday())
        case Unit.MONTH:
            return day.replace(day=1)
        case Unit.YEAR:
            return day.replace(month=1, day=1)


def _next(unit: Unit, start: date) -> date:
    match unit:
        case Unit.DAY:
            return start + timedelta(days=1)
        case Unit.WEEK:
            return start + timedelta(days=7)
        case Unit.MONTH:
            return (start + timedelta(days=31)).replace(day=1)
        case Unit.YEAR:
            return start.replace(year=start.year + 1)
