from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from gallery.evaluation.queries import (
    CLASS_NAME_BY_SYNONYM,
    name_queries,
    synonym_queries,
)
from gallery.evaluation.search_quality import photo_ndcgs, text_average_precisions
from gallery.evaluation.truth import TrueImage, Truth, load_truth

WriteCoco = Callable[..., Path]

PERSON, DOG, TOOTHBRUSH = 1, 18, 90
CLASS_NAMES = {PERSON: "person", DOG: "dog", TOOTHBRUSH: "toothbrush"}


def truth_of(*layouts: list[tuple[int, list[float]]]) -> Truth:
    """Photos of 100×100 pixels with (class id, xyxy box) objects."""
    return Truth(
        [
            TrueImage(
                file_name=f"{number}.jpg",
                width=100,
                height=100,
                coco_split="",
                class_ids=np.array([class_id for class_id, _ in layout], np.int64),
                boxes=np.array([box for _, box in layout], np.float64).reshape(-1, 4),
            )
            for number, layout in enumerate(layouts)
        ],
        CLASS_NAMES,
    )


FULL, LEFT, CORNER = [0.0, 0.0, 100.0, 100.0], [0.0, 0.0, 50.0, 100.0], [0.0, 0.0, 50.0, 50.0]


def test_only_classes_that_an_image_holds_are_asked_for(write_coco: WriteCoco) -> None:
    truth = load_truth(write_coco((1, DOG, [0, 0, 9, 9]), (2, PERSON, [0, 0, 9, 9], 1)))
    assert name_queries(truth) == {"dog": DOG}
    assert synonym_queries(truth) == {"puppy": DOG, "hound": DOG, "pup": DOG}


def test_no_synonym_is_itself_a_class_name() -> None:
    assert len(CLASS_NAME_BY_SYNONYM) == 32
    assert not set(CLASS_NAME_BY_SYNONYM) & set(CLASS_NAME_BY_SYNONYM.values())


def test_text_is_measured_by_what_the_images_hold() -> None:
    truth = truth_of([(PERSON, FULL)], [(DOG, FULL)], [(DOG, FULL), (PERSON, FULL)], [])
    scores = {"dog": [0.9, 0.8, 0.1, 0], "person": [0.9, 0, 0.2, 0.1]}
    precisions = text_average_precisions(
        truth, {"dog": DOG, "person": PERSON}, lambda term: np.array(scores[term], np.float32)
    )
    assert precisions == {
        "dog": pytest.approx((1 / 2 + 2 / 3) / 2),
        "person": pytest.approx(1),
    }


def test_hiding_an_image_never_lifts_it() -> None:
    truth = truth_of([], [(DOG, FULL)], [(DOG, FULL)])

    def average_precision_of(scores: list[float]) -> float:
        return text_average_precisions(
            truth, {"dog": DOG}, lambda term: np.array(scores, np.float32)
        )["dog"]

    shown, hidden = [0.1, 0.2, 0.9], [0, 0, 0.9]
    assert average_precision_of(shown) == pytest.approx(1)
    assert average_precision_of(hidden) == pytest.approx((1 + 2 / 3) / 2)


def test_photos_are_ranked_without_the_query_itself() -> None:
    truth = truth_of([(DOG, FULL)], [(DOG, FULL)], [(DOG, LEFT)])
    layouts = [np.full((1, 6), row, np.float32) for row in range(3)]
    asked = []

    def score_photo(layout: NDArray[np.float32]) -> NDArray[np.float32]:
        asked.append(int(layout[0, 0]))
        # Always the third image first, the second next, and the first last.
        return np.array([0.1, 0.5, 0.9], np.float32)

    ndcgs = photo_ndcgs(truth, layouts, score_photo)
    assert asked == [0, 1, 2]
    # Images 0 and 1 are equal (gain 1); image 2 gains `half` with each.
    half = 0.5 * math.sqrt(0.75) / ((1 + math.sqrt(0.5)) / 2)
    wrong_way = (half + 1 / math.log2(3)) / (1 + half / math.log2(3))
    np.testing.assert_allclose(ndcgs, [wrong_way, wrong_way, 1])


def test_images_that_share_no_class_are_no_queries() -> None:
    truth = truth_of([(DOG, FULL)], [(PERSON, CORNER)], [], [(DOG, LEFT)])
    layouts = [np.zeros((0, 6), np.float32)] * 4
    ndcgs = photo_ndcgs(truth, layouts, lambda layout: np.ones(4, np.float32))
    assert len(ndcgs) == 2
