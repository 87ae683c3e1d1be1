from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from gallery.evaluation.report import CutOffs, Report, build_report
from gallery.evaluation.table import render_report
from gallery.evaluation.truth import load_truth

WriteCoco = Callable[..., Path]


def report_of(annotations: Path) -> Report:
    """A report on a perfect detector with one good and one useless score function.

    The good one's texts are hidden by the cut-off.
    """
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
        {"good": lambda text: np.array([0, 0.25], np.float32), "useless": useless},
        {"good": lambda layout: np.array([0.25, 0.75], np.float32), "useless": useless},
        cut_offs=CutOffs(text=0.3, photo=0.2),
        model_id="a-model",
        seconds=1.234,
    )


DOG_IN_THE_SECOND = (2, 18, [10, 10, 50, 40])

NOTHING = {"good": None, "useless": None}
EMPTY_SETS = (
    *("two terms", "three terms", "exact counts", "at-least counts", "negation"),
    *("relations", "left of", "right of", "above", "below", "inside", "on", "near", "touching"),
    *("big", "small", "only"),
)


def test_the_json_form_keeps_its_keys(write_coco: WriteCoco) -> None:
    report = json.loads(json.dumps(report_of(write_coco(DOG_IN_THE_SECOND))))
    by_part = report.pop("seconds_by_part")
    dogs, hidden = {"good": 1.0, "useless": 0.5}, {"good": 0.5, "useless": 0.5}
    of_dogs = {"names": 1, "synonyms": 3, "more synonyms": 3, "hypernyms": 3}
    assert report == {
        "images": 2,
        "model_id": "a-model",
        "detection": {"all": {"map": 1.0, "ap50": 1.0, "images": 2}, "val2017": None},
        "text": {
            **{name: {**dogs, "terms": terms} for name, terms in of_dogs.items()},
            **{name: {**NOTHING, "terms": 0} for name in EMPTY_SETS},
        },
        "photo": {"ndcg_at_10": NOTHING, "queries": 0},
        "drawn": {"ndcg_at_10": NOTHING, "mrr": NOTHING, "queries": 0},
        "as_shown": {
            "text": {**dict.fromkeys(of_dogs, hidden), **dict.fromkeys(EMPTY_SETS, NOTHING)},
            "photo": NOTHING,
            "drawn": NOTHING,
        },
        "seconds": 1.23,
    }
    assert list(by_part) == [
        *("detection", "queries", "text: good", "text: useless"),
        *("layouts: good", "layouts: useless"),
    ]
    assert min(by_part.values()) >= 0


def test_photo_search_is_measured_where_images_share_a_class(write_coco: WriteCoco) -> None:
    report = report_of(write_coco((1, 18, [0, 0, 100, 90]), DOG_IN_THE_SECOND))
    assert report["photo"] == {"ndcg_at_10": {"good": 1.0, "useless": 1.0}, "queries": 2}


def test_drawings_are_measured_where_an_image_holds_two_objects(write_coco: WriteCoco) -> None:
    report = report_of(write_coco(DOG_IN_THE_SECOND, (2, 17, [50, 50, 40, 40])))
    assert report["drawn"] == {
        # Only the second image has a gain: first with one, second with the other.
        "ndcg_at_10": {"good": 1.0, "useless": 0.6309},
        "mrr": {"good": 1.0, "useless": 0.5},
        "queries": 1,
    }


def test_relations_are_the_mean_over_relations_with_queries(tmp_path: Path) -> None:
    """Three photos of a dog left of a cat, and one of each alone."""
    objects = [(number, 18, [0, 0, 30, 90]) for number in (1, 2, 3, 4)]
    objects += [(number, 17, [50, 0, 30, 90]) for number in (1, 2, 3, 5)]
    path = tmp_path / "annotations.json"
    path.write_text(
        json.dumps(
            {
                "images": [
                    {"id": number, "file_name": f"{number}.jpg", "width": 100, "height": 100}
                    for number in range(1, 6)
                ],
                "annotations": [
                    {"image_id": image_id, "category_id": class_id, "bbox": box}
                    for image_id, class_id, box in objects
                ],
                "categories": [{"id": 17, "name": "cat"}, {"id": 18, "name": "dog"}],
            }
        )
    )

    def score_text(text: str) -> NDArray[np.float32]:
        best_first = np.array([0.9, 0.8, 0.7, 0.2, 0.1], np.float32)
        return best_first if "left of" in text else best_first[::-1]

    report = build_report(
        load_truth(path),
        np.zeros((5, 20, 6), np.float32),
        {"some": score_text},
        {},
        cut_offs=CutOffs(text=0, photo=0),
        model_id="a-model",
        seconds=0,
    )
    backwards = round((1 / 3 + 2 / 4 + 3 / 5) / 3, 4)
    assert report["text"]["left of"] == {"some": 1.0, "terms": 1}
    assert report["text"]["right of"] == {"some": backwards, "terms": 1}
    assert report["text"]["on"] == {"some": None, "terms": 0}
    assert report["text"]["relations"] == {"some": pytest.approx((1 + backwards) / 2), "terms": 2}


@pytest.mark.parametrize(
    "words",
    [
        ["2 images", "a-model", "1.2 s"],
        ["detection", "mAP", "AP50"],
        ["all", "2 images", "1.000"],
        ["val2017", "no objects", "-"],
        ["text mAP", "good", "useless", "good, as shown", "useless, as shown"],
        ["names", "1 terms", "1.000", "0.500", "0.500", "0.500"],
        ["more synonyms", "3 terms", "1.000"],
        ["left of", "0 terms", "-"],
        ["photo nDCG@10", "0 queries", "-"],
        ["drawn MRR", "0 queries", "-"],
        ["seconds", "queries", "text: good"],
    ],
)
def test_the_table_has_a_line_for_every_figure(write_coco: WriteCoco, words: list[str]) -> None:
    table = render_report(report_of(write_coco(DOG_IN_THE_SECOND)))
    in_order = re.compile(".*".join(map(re.escape, words)))
    assert any(in_order.search(line) for line in table.splitlines())
