"""What the collection is made of: its objects, which of them come together, when photos came."""

from __future__ import annotations

import threading
import weakref
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from django.db.models import Max, Min
from django.utils import timezone

from detector.labels import NAME_BY_ID
from featurestore.index import Index
from featurestore.posting_kernels import SURE_SCORE
from gallery.charts.columns import Column, Columns, draw_columns
from gallery.charts.matrix import Matrix, draw_matrix
from gallery.charts.periods import Period, periods
from gallery.models import Image
from gallery.timeline import start_of

COMMON_OBJECTS = 12
# As many as are told apart, and fit on a phone.
MATRIX_OBJECTS = 10


@dataclass(frozen=True)
class ObjectCount:
    """In how many images a class is found."""

    name: str
    images: int
    share: int
    """Percent of the most common class."""


@dataclass(frozen=True)
class ObjectFigures:
    """What the photos of one index show."""

    objects: tuple[ObjectCount, ...]
    """The classes found in most images, most first."""
    kinds: int
    """How many classes are found at all."""
    together: Matrix


class _Remembered:
    """The figures of the index that was asked about last, for as long as there is that index."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._index: weakref.ref[Index] | None = None
        self._figures: ObjectFigures | None = None

    def of(self, index: Index) -> ObjectFigures:
        with self._lock:
            known = self._index() if self._index is not None else None
            if known is not index or self._figures is None:
                self._figures = count_objects(index)
                self._index = weakref.ref(index)
            return self._figures


_remembered = _Remembered()


def object_figures(index: Index) -> ObjectFigures:
    """`count_objects`, counted once an index: it is another object after each change."""
    return _remembered.of(index)


def count_objects(index: Index) -> ObjectFigures:
    counts = index.images_per_class(SURE_SCORE)
    order = np.argsort(-counts, kind="stable")
    found = order[counts[order] > 0]
    objects = tuple(
        ObjectCount(
            NAME_BY_ID[int(class_id)],
            int(counts[class_id]),
            max(1, round(100 * int(counts[class_id]) / int(counts.max()))),
        )
        for class_id in found[:COMMON_OBJECTS]
    )
    compared = found[:MATRIX_OBJECTS]
    both = index.images_with_both(compared, SURE_SCORE)
    names = [NAME_BY_ID[int(class_id)] for class_id in compared]
    return ObjectFigures(objects, len(found), draw_matrix(names, both.tolist()))


@dataclass(frozen=True)
class Arrivals:
    """How many photos came in a period, and the column that says so."""

    period: Period
    photos: int
    column: Column


@dataclass(frozen=True)
class Timeline:
    """When the photos came."""

    arrivals: tuple[Arrivals, ...]
    drawing: Columns

    @property
    def most(self) -> Arrivals:
        return max(self.arrivals, key=lambda one: one.photos)

    @property
    def latest_first(self) -> list[Arrivals]:
        """Those of periods in which any came."""
        return [one for one in reversed(self.arrivals) if one.photos]


class _RememberedTimeline:
    """The timeline of the photos that there were last."""

    def __init__(self) -> None:
        self._known: tuple[tuple[object, ...], Timeline] | None = None

    def __call__(self, photos: int) -> Timeline | None:
        """The photos, of which there are so many, by when they came; None where there are none."""
        # One by one: an index answers each at once, but all together need every row.
        first, last, newest = (
            Image.objects.shown().aggregate(value=value)["value"]
            for value in (Min("uploaded_at"), Max("uploaded_at"), Max("pk"))
        )
        if first is None:
            return None
        # Each photo that comes has a higher id, and each that goes leaves fewer.
        key = (photos, first, last, newest)
        known = self._known
        if known is None or known[0] != key:
            known = key, count_arrivals(first, last)
            self._known = known
        return known[1]


timeline = _RememberedTimeline()


def count_arrivals(first: datetime, last: datetime) -> Timeline:
    """Photos by when they came, from the first to the last."""
    spans = periods(timezone.localdate(first), timezone.localdate(last))
    # By ranges of an index: to truncate the dates of 200,000 rows takes a second.
    counts = [
        Image.objects.shown()
        .filter(uploaded_at__gte=start_of(span.start), uploaded_at__lt=start_of(span.end))
        .count()
        for span in spans
    ]
    drawing = draw_columns(counts)
    arrivals = map(Arrivals, spans, counts, drawing.columns)
    return Timeline(tuple(arrivals), drawing)
