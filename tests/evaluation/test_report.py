from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from gallery.evaluation.report import Report, build_report, render_report
from gallery.evaluation.truth import load_truth

WriteCoco = Callable[..., Path]


def report_of(annotations: Path) -> Report:
    """A report on a perfect detector with one good and one useless score function."""
    truth = load_truth(annotations)
    detections = np.zeros((2, 20, 6), np.float32)
    for row, image in enumerate(truth.images):
        for place, class_id in enumerate(image.class_ids.tolist()):
            detections[row, place, :2] = class_id, 0.9
            detections[row, place, 2:] = image.unit_boxes[place] * 300

    def useless(query: str | NDArray[np.float32]) -> NDArray[np.float32]:
        return np.zeros(2, np.float32)

    return build_report(
        truth,
        detections,
        {"good": lambda term: np.array([0, 1], np.float32), "useless": useless},
        {"good": lambda layout: np.ones(2, np.float32), "useless": useless},
        model_id="a-model",
        seconds=1.234,
    )


DOG_IN_THE_SECOND = (2, 18, [10, 10, 50, 40])


def test_the_json_form_keeps_its_keys(write_coco: WriteCoco) -> None:
    report = report_of(write_coco(DOG_IN_THE_SECOND))
    assert json.loads(json.dumps(report)) == {
        "images": 2,
        "model_id": "a-model",
        "detection": {"all": {"map": 1.0, "ap50": 1.0, "images": 2}, "val2017": None},
        "text": {
            "names": {"good": 1.0, "useless": 0.5, "terms": 1},
            "synonyms": {"good": 1.0, "useless": 0.5, "terms": 3},
        },
        "photo": {"ndcg_at_10": {"good": None, "useless": None}, "queries": 0},
        "seconds": 1.23,
    }


def test_photo_search_is_measured_where_images_share_a_class(write_coco: WriteCoco) -> None:
    report = report_of(write_coco((1, 18, [0, 0, 100, 90]), DOG_IN_THE_SECOND))
    assert report["photo"] == {"ndcg_at_10": {"good": 1.0, "useless": 1.0}, "queries": 2}


@pytest.mark.parametrize(
    "words",
    [
        ["2 images", "a-model", "1.2 s"],
        ["detection mAP", "all", "1.000"],
        ["detection", "val2017", "no objects", "-"],
        ["text mAP", "names, good", "1 terms", "1.000"],
        ["text mAP", "synonyms, useless", "3 terms", "0.500"],
        ["photo nDCG@10", "good", "0 queries", "-"],
    ],
)
def test_the_table_has_a_line_for_every_figure(write_coco: WriteCoco, words: list[str]) -> None:
    table = render_report(report_of(write_coco(DOG_IN_THE_SECOND)))
    assert any(all(word in line for word in words) for line in table.splitlines())
