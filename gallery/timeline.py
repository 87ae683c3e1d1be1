"""The photos by time, newest first: pages from any place on, days to a heading, and all months."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby, pairwise

from django.db import connection
from django.db.models import Max, Min, Q
from django.utils import timezone

from gallery.models import Image, ImageQuerySet

PHOTOS_ON_A_PAGE = 60
# Days of fewer photos share a heading with their neighbours.
PHOTOS_UNDER_A_HEADING = 6
PLACE = re.compile(r"([0-9]{1,17})-([0-9]{1,18})")
MONTH = re.compile(r"([0-9]{4})-([0-9]{2})")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class PlaceUnknown(ValueError):
    """An address that names no place in time."""


@dataclass(frozen=True)
class Place:
    """Where a photo stands among the others, whether it is there or not."""

    moment: datetime
    image_id: int

    @classmethod
    def of(cls, image: Image) -> Place:
        return cls(image.uploaded_at, image.pk)

    @classmethod
    def parse(cls, text: str) -> Place:
        """Raises PlaceUnknown."""
        match = PLACE.fullmatch(text)
        try:
            if match is None:
                raise PlaceUnknown(text)
            return cls(EPOCH + timedelta(microseconds=int(match[1])), int(match[2]))
        except OverflowError as error:
            raise PlaceUnknown(text) from error

    @classmethod
    def of_month(cls, text: str) -> Place:
        """The newest that a month like "2026-03" can have. Raises PlaceUnknown."""
        match = MONTH.fullmatch(text)
        try:
            if match is None:
                raise PlaceUnknown(text)
            following = _next_month(date(int(match[1]), int(match[2]), 1))
        except (ValueError, OverflowError) as error:
            raise PlaceUnknown(text) from error
        return cls(start_of(following), 0)

    def __str__(self) -> str:
        microseconds = (self.moment - EPOCH) // timedelta(microseconds=1)
        return f"{max(microseconds, 0)}-{self.image_id}"

    def from_here(self, images: ImageQuerySet) -> ImageQuerySet:
        """The photo of this place and all older ones, newest first."""
        # Written so that an index leads straight to the first.
        later = Q(uploaded_at=self.moment, pk__gt=self.image_id)
        return images.filter(uploaded_at__lte=self.moment).exclude(later).newest_first()

    def newer(self, images: ImageQuerySet) -> ImageQuerySet:
        """All photos newer than this place, oldest first."""
        earlier = Q(uploaded_at=self.moment, pk__lte=self.image_id)
        newer = images.filter(uploaded_at__gte=self.moment).exclude(earlier)
        return newer.order_by("uploaded_at", "id")


@dataclass(frozen=True)
class DayGroup:
    """Photos under one heading."""

    first: date
    """The newest day."""
    last: date
    """The oldest."""
    images: list[Image]

    @property
    def key(self) -> str:
        """Says to scripts which days these are; a single day is one word."""
        return f"{self.first} {self.last}" if self.first != self.last else str(self.first)


@dataclass(frozen=True)
class MonthGroup:
    first_day: date
    days: list[DayGroup]

    @property
    def key(self) -> str:
        return f"{self.first_day:%Y-%m}"


@dataclass(frozen=True)
class GridPage:
    """Photos that follow each other, newest first."""

    images: list[Image]
    start: Place | None
    """The first photo's place; None where there is none."""
    older: Place | None
    """The first of the next page; None where these are the last."""
    newer: Place | None
    """What the page before this one ends before; None where these are the first."""
    months: list[MonthGroup] = field(default_factory=list)


def page_from(place: Place | None) -> GridPage:
    """The page that begins with a place, or the first."""
    shown = Image.objects.shown()
    found = shown.newest_first() if place is None else place.from_here(shown)
    images = list(found[: PHOTOS_ON_A_PAGE + 1])
    return _page(images[:PHOTOS_ON_A_PAGE], images[PHOTOS_ON_A_PAGE:])


def page_before(place: Place) -> GridPage:
    """The page of what is just newer than a place."""
    shown = Image.objects.shown()
    images = list(place.newer(shown)[:PHOTOS_ON_A_PAGE])[::-1]
    return _page(images, list(place.from_here(shown)[:1]))


def _page(images: list[Image], older: Sequence[Image]) -> GridPage:
    start = Place.of(images[0]) if images else None
    has_newer = start is not None and start.newer(Image.objects.shown()).exists()
    return GridPage(
        images=images,
        start=start,
        older=Place.of(older[0]) if older else None,
        newer=start if has_newer else None,
        months=_months(images),
    )


def _months(images: Sequence[Image]) -> list[MonthGroup]:
    by_month = groupby(images, lambda image: _day(image).replace(day=1))
    return [MonthGroup(first_day, _day_groups(list(some))) for first_day, some in by_month]


def _day_groups(images: Sequence[Image]) -> list[DayGroup]:
    """Photos of a month under headings: of a day with many photos its own."""
    groups: list[DayGroup] = []
    for day, some in groupby(images, _day):
        of_day = list(some)
        previous = groups[-1] if groups else None
        few = len(of_day) < PHOTOS_UNDER_A_HEADING
        if previous and few and len(previous.images) < PHOTOS_UNDER_A_HEADING:
            groups[-1] = DayGroup(previous.first, day, [*previous.images, *of_day])
        else:
            groups.append(DayGroup(day, day, of_day))
    return groups


def _day(image: Image) -> date:
    return timezone.localtime(image.uploaded_at).date()


@dataclass(frozen=True)
class Month:
    """How many photos came in a month."""

    first_day: date
    photos: int

    @property
    def key(self) -> str:
        return f"{self.first_day:%Y-%m}"


def all_months() -> list[Month]:
    """The months that have photos, newest first."""
    ends = Image.objects.shown().aggregate(first=Min("uploaded_at"), last=Max("uploaded_at"))
    if ends["first"] is None:
        return []
    months = [timezone.localtime(ends["first"]).date().replace(day=1)]
    last = timezone.localtime(ends["last"]).date()
    while (following := _next_month(months[-1])) <= last:
        months.append(following)
    counts = _counts([start_of(month) for month in [*months, _next_month(months[-1])]])
    return [
        Month(month, count)
        for month, count in zip(reversed(months), reversed(counts), strict=True)
        if count
    ]


def _counts(bounds: Sequence[datetime]) -> list[int]:
    """How many photos came between each two neighbours of n + 1 moments: n counts, in one query.

    Grouped by month the database would work out the month of each photo, with SQLite in Python;
    this walks the index of times once.
    """
    table = Image._meta.db_table
    adapt = connection.ops.adapt_datetimefield_value
    pairs = list(pairwise(map(adapt, bounds)))
    rows = ", ".join(["(%s, %s, %s)"] * len(pairs))
    numbered = [value for number, pair in enumerate(pairs) for value in (number, *pair)]
    with connection.cursor() as cursor:
        cursor.execute(
            f"WITH months (number, start, stop) AS (VALUES {rows}) "
            f"SELECT (SELECT COUNT(*) FROM {table} WHERE trashed_at IS NULL "
            "AND uploaded_at >= start AND uploaded_at < stop) FROM months ORDER BY number",
            numbered,
        )
        return [count for (count,) in cursor.fetchall()]


def _next_month(first_day: date) -> date:
    return (first_day + timedelta(days=32)).replace(day=1)


def start_of(day: date) -> datetime:
    """Its midnight in the gallery's time zone."""
    return timezone.make_aware(datetime.combine(day, time.min))
