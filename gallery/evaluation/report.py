"""The figures of one evaluation, as a dictionary for `--json`; `table` makes a text of it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypedDict

import numpy as np
from numpy.typing import NDArray

from featurestore.relations import RELATIONS
from gallery.evaluation.detection_quality import (
    DetectionQuality,
    detection_quality,
    detection_quality_of_split,
)
from gallery.evaluation.drawn_layouts import drawn_layouts
from gallery.evaluation.layout_gain import layout_gains, share_a_class
from gallery.evaluation.queries import JudgedQuery
from gallery.evaluation.query_sets import text_query_sets
from gallery.evaluation.search_quality import (
    LayoutScores,
    TextScores,
    average_precisions,
    drawn_ndcgs,
    photo_ndcgs,
    reciprocal_ranks,
    shown,
)
from gallery.evaluation.truth import Truth

UNSEEN_SPLIT = "val2017"
RELATIONS_SET = "relations"


@dataclass(frozen=True)
class CutOffs:
    """Scores below which search shows nothing."""

    text: float
    photo: float


class DetectionFigures(TypedDict):
    map: float
    ap50: float
    images: int


class PhotoFigures(TypedDict):
    ndcg_at_10: dict[str, float | None]
    """Mean by score name."""
    queries: int


class DrawnFigures(TypedDict):
    ndcg_at_10: dict[str, float | None]
    """Mean by score name."""
    mrr: dict[str, float | None]
    """Mean reciprocal rank of the image that was drawn, by score name."""
    queries: int


class ShownFigures(TypedDict):
    """The same figures where images below the cut-off are no hits, by score name."""

    text: dict[str, dict[str, float | int | None]]
    """By set of terms, the mAP."""
    photo: dict[str, float | None]
    """nDCG@10."""
    drawn: dict[str, float | None]
    """nDCG@10."""


class Report(TypedDict):
    """The contract of `evaluate --json`; every quality lies in 0..1.

    A figure is null where the annotations hold nothing to measure it by.
    """

    images: int
    model_id: str
    detection: dict[str, DetectionFigures | None]
    """By set of images: "all", and "val2017", which the detector was not trained on."""
    text: dict[str, dict[str, float | int | None]]
    """By set of terms, such as "names": the mAP by score name, and "terms", their number.

    "relations" is the mean over the relations, each of which has a set of its own.
    """
    photo: PhotoFigures
    drawn: DrawnFigures
    as_shown: ShownFigures
    seconds: float
    """What reading the photos and finding their objects took."""
    seconds_by_part: dict[str, float]
    """What measuring took: "detection", "queries" (making and judging them), "text: objects" and
    "layouts: objects" (scoring and measuring) for each score name."""


def build_report(
    truth: Truth,
    detections: NDArray[np.float32],
    text_scores: Mapping[str, TextScores],
    layout_scores: Mapping[str, LayoutScores],
    *,
    cut_offs: CutOffs,
    model_id: str,
    seconds: float,
) -> Report:
    """Measure detections and every score function against the truth.

    Args:
        truth: n images.
        detections: (n, 20, 6) in the order of the truth's images.
        text_scores: text score functions by name.
        layout_scores: score functions of photos and drawn layouts by name.
        seconds: what reading the photos and finding their objects took.
    """
    clock = _Clock()
    with clock.part("detection"):
        detection = {
            "all": _detection_figures(detection_quality(truth, detections)),
            UNSEEN_SPLIT: _detection_figures(
                detection_quality_of_split(truth, detections, UNSEEN_SPLIT)
            ),
        }
    with clock.part("queries"):
        query_sets = text_query_sets(truth)
        layouts = _LayoutQueries(truth, detections)
    report = Report(
        images=len(truth.images),
        model_id=model_id,
        detection=detection,
        text=_empty_sets(query_sets),
        photo=PhotoFigures(ndcg_at_10={}, queries=len(layouts.photo_rows)),
        drawn=DrawnFigures(ndcg_at_10={}, mrr={}, queries=len(layouts.drawn)),
        as_shown=ShownFigures(text=_empty_sets(query_sets), photo={}, drawn={}),
        seconds=round(seconds, 2),
        seconds_by_part=clock.seconds,
    )
    for score_name, score_text in text_scores.items():
        with clock.part(f"text: {score_name}"):
            _measure_text(report, query_sets, score_name, score_text, cut_offs.text)
    for name, queries in query_sets.items():
        report["text"][name]["terms"] = len(queries)
    report["text"][RELATIONS_SET]["terms"] = sum(len(query_sets[name]) for name in RELATIONS)
    for score_name, score_layout in layout_scores.items():
        with clock.part(f"layouts: {score_name}"):
            _measure_layouts(report, layouts, score_name, score_layout, cut_offs.photo)
    return report


class _Clock:
    """What each part took, in seconds."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        started = time.perf_counter()
        yield
        self.seconds[name] = round(time.perf_counter() - started, 2)


class _LayoutQueries:
    """What layout search is asked with, and what it should find."""

    def __init__(self, truth: Truth, detections: NDArray[np.float32]) -> None:
        self.photo_rows = np.flatnonzero(share_a_class(truth.images))
        # What was found, not the truth: a photo's own objects are not known when it is asked with.
        self.photos = [found[found[:, 0] > 0] for found in detections[self.photo_rows]]
        self.photo_gains = layout_gains(truth.images)
        drawn = drawn_layouts(truth)
        self.drawn = [layout.objects for layout in drawn]
        self.drawn_rows = [layout.row for layout in drawn]
        self.drawn_gains = np.array([layout.gains(truth.images) for layout in drawn], np.float64)


def _empty_sets(query_sets: Mapping[str, object]) -> dict[str, dict[str, float | int | None]]:
    """A place for the figures of each set, that of all relations before the first of them."""
    names = list(query_sets)
    names.insert(names.index(next(iter(RELATIONS))), RELATIONS_SET)
    return {name: {} for name in names}


def _measure_text(
    report: Report,
    query_sets: Mapping[str, Sequence[JudgedQuery]],
    score_name: str,
    score_text: TextScores,
    cut_off: float,
) -> None:
    figures, as_shown = report["text"], report["as_shown"]["text"]
    for name, queries in query_sets.items():
        scores = _stacked([score_text(query.text) for query in queries], report["images"])
        figures[name][score_name] = _mean(average_precisions(queries, scores))
        as_shown[name][score_name] = _mean(average_precisions(queries, shown(scores, cut_off)))
    for of_sets in (figures, as_shown):
        of_relations = [of_sets[name][score_name] for name in RELATIONS]
        measured = [value for value in of_relations if value is not None]
        of_sets[RELATIONS_SET][score_name] = _mean(np.array(measured, np.float64))


def _measure_layouts(
    report: Report,
    layouts: _LayoutQueries,
    score_name: str,
    score_layout: LayoutScores,
    cut_off: float,
) -> None:
    scores = _stacked([score_layout(photo) for photo in layouts.photos], report["images"])

    def photo(scores: NDArray[np.float32]) -> float | None:
        return _mean(photo_ndcgs(layouts.photo_gains, layouts.photo_rows, scores))

    report["photo"]["ndcg_at_10"][score_name] = photo(scores)
    report["as_shown"]["photo"][score_name] = photo(shown(scores, cut_off))
    scores = _stacked([score_layout(objects) for objects in layouts.drawn], report["images"])
    report["drawn"]["ndcg_at_10"][score_name] = _mean(drawn_ndcgs(layouts.drawn_gains, scores))
    report["drawn"]["mrr"][score_name] = _mean(reciprocal_ranks(layouts.drawn_rows, scores))
    report["as_shown"]["drawn"][score_name] = _mean(
        drawn_ndcgs(layouts.drawn_gains, shown(scores, cut_off))
    )


def _detection_figures(quality: DetectionQuality | None) -> DetectionFigures | None:
    if quality is None:
        return None
    return DetectionFigures(
        map=round(quality.mean_average_precision, 4),
        ap50=round(quality.ap50, 4),
        images=quality.images,
    )


def _stacked(scores: Sequence[NDArray[np.float32]], images: int) -> NDArray[np.float32]:
    """(q, n) of q arrays (n,)."""
    return np.array(scores, np.float32).reshape(len(scores), images)


def _mean(values: NDArray[np.float64]) -> float | None:
    return round(float(np.mean(values)), 4) if len(values) else None
