"""A report as a table to read."""

from __future__ import annotations

from collections.abc import Mapping

from gallery.evaluation.labelled import LabelledFigures
from gallery.evaluation.report import DetectionFigures, Report

COLUMN_WIDTH = 25


def render_report(report: Report) -> str:
    """The report as lines of plain text: a table of detection, then one of search.

    The table of search has a column for each score name, with and without the cut-off.
    """
    title = (
        f"{report['images']} images, model {report['model_id']}, "
        f"photos read and objects found in {report['seconds']:.1f} s"
    )
    lines = [title, "", _row("detection", "", "mAP", "AP50")]
    lines += [_detection_row(part, found) for part, found in report["detection"].items()]
    score_names = list(report["photo"]["ndcg_at_10"])
    heads = [*score_names, *(f"{name}, as shown" for name in score_names)]
    text_names = [name for name in report["text"]["names"] if name != "terms"]
    text_heads = [*text_names, *(f"{name}, as shown" for name in text_names)]
    lines += ["", _row("text mAP", "", *text_heads)]
    for part, quality in report["text"].items():
        with_cut_off = report["as_shown"]["text"][part]
        values = [
            *_cells({name: quality[name] for name in text_names}),
            *_cells(with_cut_off),
        ]
        lines.append(_row(f"  {part}", f"{quality['terms']} terms", *values))
    photo, drawn, as_shown = report["photo"], report["drawn"], report["as_shown"]
    lines += [
        "",
        _row("layouts", "", *heads),
        _row(
            "  photo nDCG@10",
            f"{photo['queries']} queries",
            *_cells(photo["ndcg_at_10"]),
            *_cells(as_shown["photo"]),
        ),
        _row(
            "  drawn nDCG@10",
            f"{drawn['queries']} queries",
            *_cells(drawn["ndcg_at_10"]),
            *_cells(as_shown["drawn"]),
        ),
        _row("  drawn MRR", f"{drawn['queries']} queries", *_cells(drawn["mrr"])),
        "",
        "seconds  "
        + ", ".join(f"{part} {taken:.1f}" for part, taken in report["seconds_by_part"].items()),
    ]
    return "\n".join(lines)


def render_labelled(figures: LabelledFigures) -> str:
    """A line for each label, and one for their mean."""
    score_names = list(figures["mean"])
    lines = [f"{figures['images']} images", "", _row("text", "", *score_names)]
    lines += [
        _row(f"  {label}", "AP", *_cells(found)) for label, found in figures["labels"].items()
    ]
    return "\n".join([*lines, _row("  all labels", "mAP", *_cells(figures["mean"]))])


def _detection_row(part: str, found: DetectionFigures | None) -> str:
    if found is None:
        return _row(f"  {part}", "no objects", "-", "-")
    figures = _cells({"mAP": found["map"], "AP50": found["ap50"]})
    return _row(f"  {part}", f"{found['images']} images", *figures)


def _cells(figures: Mapping[str, float | None]) -> list[str]:
    return ["-" if value is None else f"{value:.3f}" for value in figures.values()]


def _row(part: str, count: str, *values: str) -> str:
    return f"{part:<18}{count:>12}" + "".join(f"{value:>{COLUMN_WIDTH}}" for value in values)
