from __future__ import annotations

import json

import pytest

from gallery.answers import SearchResults, search_results
from gallery.layouts import parse_layout
from gallery.search import search_layout, search_text

pytestmark = pytest.mark.django_db

Photos = dict[str, int]


def test_an_answer_to_words_tells_how_they_were_read(packaged_photos: Photos) -> None:
    results = search_results(search_text("kitten -dgo, 2 cups wide"))
    assert results.query == "kitten -dgo, 2 cups wide"
    assert results.parsed == "kitten -dgo, 2 cups wide"
    assert [part.text for part in results.parts] == ["kitten", "-dgo", "2 cups", "wide"]
    assert [part.without for part in results.parts] == [
        "-dgo, 2 cups wide",
        "kitten, 2 cups wide",
        "kitten -dgo wide",
        "kitten -dgo, 2 cups",
    ]
    assert results.unknown_words == ["dgo"]
    kitten, dgo, cups = [reading for part in results.parts for reading in part.readings]
    assert kitten.classes[0] == "cat"
    assert kitten.exact_query == '"cat" -dgo, 2 cups wide'
    assert (dgo.known, dgo.classes, dgo.similarity) == (False, [], None)
    assert ("dog", "kitten -dog, 2 cups wide") in [
        (correction.word, correction.query) for correction in dgo.corrections
    ]
    assert (cups.classes, cups.similarity, cups.exact_query) == (["cup"], 1, None)


def test_an_answer_to_a_layout_has_no_words(packaged_photos: Photos) -> None:
    layout = parse_layout('[{"object": "cat", "box": [0.1, 0.1, 0.9, 0.9]}]')
    results = search_results(search_layout(layout, query="a drawing"))
    assert (results.query, results.parsed, results.parts) == ("a drawing", None, [])
    [hit] = [hit for hit in results.results if hit.name == "chelsea.png"]
    [why] = hit.why
    assert why.query_box == pytest.approx((0.1, 0.1, 0.9, 0.9))
    assert (why.asked, why.mirrored) == ("cat", False)


@pytest.mark.parametrize("text", ["cat", "cup and dining table", "-cat", "only cats", "wide"])
def test_the_parts_of_a_hit_are_its_score(text: str, packaged_photos: Photos) -> None:
    results = search_results(search_text(text, weak=True))
    assert len(results.results) == results.total
    for hit in results.results:
        assert sum(why.part for why in hit.why) == pytest.approx(hit.score, abs=1e-4)


def test_an_answer_is_json_as_it_is(packaged_photos: Photos) -> None:
    results = search_results(search_text("cat, “kitten” ❤ 2+ people"))
    assert SearchResults(**json.loads(results.model_dump_json())) == results
