from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gallery import components
from gallery.errors import QueryRefused
from gallery.layouts import parse_layout
from gallery.scoring import (
    ORIGINAL,
    SCORES,
    TEXT_CUT_OFF,
    company_query,
    score_layout,
    score_query,
    score_text,
    weakening,
)
from gallery.search import PHOTO_CUT_OFF
from gallery.text_query import read_query
from tests.gallery.made_gallery import LEFT, MIDDLE, RIGHT, add_photo, row_of_boxes

pytestmark = pytest.mark.django_db

TEXTS = ["dog", "cat and couch", "1 dog", "dog -cat", "cat on couch", "only dogs", "dog, couch"]


@pytest.fixture
def made_photos(gallery_data: Path) -> None:
    add_photo("a dog", row_of_boxes("dog", 1))
    add_photo("dogs", row_of_boxes("dog", 3))
    add_photo("a faint dog", row_of_boxes("dog", 1, 0.2))
    add_photo("a fainter dog", row_of_boxes("dog", 1, 0.03))
    add_photo("dog and cat", [("dog", 0.9, LEFT), ("cat", 0.8, RIGHT)])
    add_photo("cat and couch", [("cat", 0.9, LEFT), ("couch", 0.8, MIDDLE)])
    add_photo("a couch", [("couch", 0.7, MIDDLE)])
    add_photo("nothing", [])


@pytest.mark.usefixtures("made_photos")
@pytest.mark.parametrize("text", TEXTS)
def test_weaker_matches_change_nothing_of_the_others(text: str) -> None:
    index = components.index()
    query = read_query(text, components.vocabulary())
    plain = score_query(index, query)
    weak = score_query(index, query, company=company_query(index, query))
    good = plain >= np.float32(TEXT_CUT_OFF)
    assert good.any()
    assert not good.all()
    np.testing.assert_array_equal(weak[good], plain[good])
    assert (weak[~good] < TEXT_CUT_OFF).all()
    # What scores something shows up among them, and company besides.
    assert (weak[plain > 0] > 0).all()


@pytest.mark.usefixtures("made_photos")
@pytest.mark.parametrize("text", TEXTS)
def test_a_floor_changes_only_what_lies_below_it(text: str) -> None:
    index = components.index()
    query = read_query(text, components.vocabulary())
    plain, floored = score_query(index, query), score_query(index, query, floor=0.1)
    np.testing.assert_array_equal(floored[plain >= 0.1], plain[plain >= 0.1])
    assert (floored[plain < 0.1] < 0.1).all()


def test_company_tells_photos_apart_that_show_nothing_asked_for(made_photos: None) -> None:
    scores = score_text(components.index(), "dog")
    _, _, _, _, _, with_cat, couch, nothing = scores.tolist()
    assert with_cat > couch == nothing == 0


def test_weakening_keeps_scores_in_order_and_below_the_cut_off() -> None:
    scores = np.linspace(0, 1, 1001, dtype=np.float32)
    weakened = scores * weakening(scores)
    assert (np.diff(weakened) > 0).all()
    assert weakened.max() < TEXT_CUT_OFF
    assert weakened[0] == 0
    assert weakening(0.25) == pytest.approx(float(weakening(np.array([0.25], np.float32))[0]))


@pytest.mark.usefixtures("made_photos")
@pytest.mark.parametrize("score", SCORES)
def test_only_allowed_photos_score(score: str) -> None:
    index = components.index()
    query = read_query("dog", components.vocabulary())
    allowed = np.zeros(index.rows, np.bool_)
    allowed[1] = True
    for company in (None, company_query(index, query)):
        scores = score_query(index, query, score, allowed=allowed, company=company)
        assert scores[1] > 0.9
        assert scores[~allowed].tolist() == [0] * (index.rows - 1)


@pytest.mark.usefixtures("made_photos")
@pytest.mark.parametrize("score", SCORES)
def test_a_query_without_words_scores_all_that_are_allowed_alike(score: str) -> None:
    index = components.index()
    query = read_query("wide", components.vocabulary())
    assert score_query(index, query, score).tolist() == [1] * index.rows
    allowed = np.arange(index.rows) % 2 == 0
    scores = score_query(index, query, score, allowed=allowed)
    np.testing.assert_array_equal(scores, allowed.astype(np.float32))


@pytest.mark.usefixtures("made_photos")
@pytest.mark.parametrize("score", SCORES)
def test_words_that_mean_nothing_score_nothing(score: str) -> None:
    assert not score_text(components.index(), "qqxqq, zzyzzy", score).any()


def test_the_mirror_scores_at_least_what_the_layout_does(made_photos: None) -> None:
    index = components.index()
    layout = parse_layout('[{"object": "dog", "box": [0.6, 0.3, 0.95, 0.9]}]')
    plain, mirrored = score_layout(index, layout), score_layout(index, layout, mirror=True)
    assert (mirrored >= plain).all()
    assert mirrored[4] > 2 * plain[4]


def test_a_region_is_compared_by_its_shape(made_photos: None) -> None:
    index = components.index()
    xmin, ymin, xmax, ymax = MIDDLE
    corners = [[xmin, ymin], [xmax, ymin], [xmax, ymax], [xmin, ymax]]
    box = score_layout(index, parse_layout(f'[{{"object": "couch", "box": {list(MIDDLE)}}}]'))
    region = score_layout(index, parse_layout(f'[{{"object": "couch", "region": {corners}}}]'))
    triangle = score_layout(
        index, parse_layout(f'[{{"object": "couch", "region": {corners[:3]}}}]')
    )
    np.testing.assert_allclose(region, box, atol=1e-3)
    assert PHOTO_CUT_OFF < triangle[6] < 0.8 * region[6]


def test_a_region_that_encloses_nothing_is_refused(made_photos: None) -> None:
    line = parse_layout('[{"object": "dog", "region": [[0.1, 0.1], [0.5, 0.5], [0.9, 0.9]]}]')
    with pytest.raises(QueryRefused, match="drawn area should enclose something"):
        score_layout(components.index(), line)


def test_the_original_layout_score_looks_at_no_place(made_photos: None) -> None:
    index = components.index()
    scores = [
        score_layout(index, parse_layout(f'[{{"object": "couch", "box": {box}}}]'), ORIGINAL)
        for box in ([0, 0, 0.1, 0.1], [0.9, 0.9, 1, 1])
    ]
    np.testing.assert_allclose(scores[0], scores[1], atol=1e-5)
