"""The figures of one evaluation, as a dictionary for `--json` and as a table to read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypedDict

import numpy as np
from numpy.typing import NDArray

from gallery.evaluation.detection_quality import (
    DetectionQuality,
    detection_quality,
    detection_quality_of_split,
)
from gallery.evaluation.layout_gain import share_a_class
from gallery.evaluation.queries import name_queries, synonym_queries
from gallery.evaluation.search_quality import (
    PhotoScores,
    TextScores,
    photo_ndcgs,
    text_average_precisions,
)
from gallery.evaluation.truth import Truth

UNSEEN_SPLIT = "val2017"


class DetectionFigures(TypedDict):
    map: float
    ap50: float
    images: int


class PhotoFigures(TypedDict):
    ndcg_at_10: dict[str, float | None]
    """Mean by score name."""
    queries: int


class Report(TypedDict):
    """The contract of `evaluate --json`; every quality lies in 0..1.

    A figure is null where the annotations hold nothing to measure it by.
    """

    images: int
    model_id: str
    detection: dict[str, DetectionFigures | None]
    """By set of images: "all", and "val2017", which the detector was not trained on."""
    text: dict[str, dict[str, float | int | None]]
    """By set of terms, "names" and "synonyms": the mAP by score name, and "terms", their number."""
    photo: PhotoFigures
    seconds: float


def build_report(
    truth: Truth,
    detections: NDArray[np.float32],
    text_scores: Mapping[str, TextScores],
    photo_scores: Mapping[str, PhotoScores],
    *,
    model_id: str,
    seconds: float,
) -> Report:
    """Measure detections and every score function against the truth.

    Args:
        truth: n images.
        detections: (n, 20, 6) in the order of the truth's images.
        text_scores: text score functions by name.
        photo_scores: photo score functions by name.
        seconds: what reading the photos and finding their objects took.
    """
    layouts = [found[found[:, 0] > 0] for found in detections]
    ndcgs = {name: photo_ndcgs(truth, layouts, scores) for name, scores in photo_scores.items()}
    return Report(
        images=len(truth.images),
        model_id=model_id,
        detection={
            "all": _detection_figures(detection_quality(truth, detections)),
            UNSEEN_SPLIT: _detection_figures(
                detection_quality_of_split(truth, detections, UNSEEN_SPLIT)
            ),
        },
        text={
            "names": _text_figures(truth, name_queries(truth), text_scores),
            "synonyms": _text_figures(truth, synonym_queries(truth), text_scores),
        },
        photo=PhotoFigures(
            ndcg_at_10={name: _mean(of_queries) for name, of_queries in ndcgs.items()},
            queries=int(share_a_class(truth.images).sum()),
        ),
        seconds=round(seconds, 2),
    )


def render_report(report: Report) -> str:
    """The report as lines of plain text, one table."""
    title = (
        f"{report['images']} images, model {report['model_id']}, "
        f"photos read and objects found in {report['seconds']:.1f} s"
    )
    lines = [title, ""]
    for part, figures in report["detection"].items():
        if figures is None:
            lines.append(_row("detection", part, "no objects", None))
            continue
        images = f"{figures['images']} images"
        lines.append(_row("detection mAP", part, images, figures["map"]))
        lines.append(_row("detection AP50", part, images, figures["ap50"]))
    for part, quality in report["text"].items():
        for name, value in quality.items():
            if name != "terms":
                lines.append(
                    _row("text mAP", f"{part}, {name}", f"{quality['terms']} terms", value)
                )
    queries = f"{report['photo']['queries']} queries"
    for name, value in report["photo"]["ndcg_at_10"].items():
        lines.append(_row("photo nDCG@10", name, queries, value))
    return "\n".join(lines)


def _row(measure: str, part: str, count: str, value: float | None) -> str:
    return f"{measure:<16}{part:<22}{count:<14}{'-' if value is None else f'{value:.3f}':>6}"


def _detection_figures(quality: DetectionQuality | None) -> DetectionFigures | None:
    if quality is None:
        return None
    return DetectionFigures(
        map=round(quality.mean_average_precision, 4),
        ap50=round(quality.ap50, 4),
        images=quality.images,
    )


def _text_figures(
    truth: Truth, queries: Mapping[str, int], text_scores: Mapping[str, TextScores]
) -> dict[str, float | int | None]:
    figures: dict[str, float | int | None] = {}
    for name, scores in text_scores.items():
        precisions = text_average_precisions(truth, queries, scores)
        figures[name] = _mean(list(precisions.values()))
    figures["terms"] = len(queries)
    return figures


def _mean(values: Sequence[float] | NDArray[np.float64]) -> float | None:
    return round(float(np.mean(values)), 4) if len(values) else None
