"""What the search bar suggests for what is typed."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest
from django.test import Client

from detector.labels import ID_BY_NAME
from detector.look_labels import LOOK_NAMES
from gallery import components
from gallery.query.errors import QuerySyntaxError
from gallery.query.parser import parse_query
from gallery.saved.saving import save_search
from gallery.suggesting import Gallery, suggest
from gallery.suggestion import Suggestion

PHOTOS = {"person": 1204, "dog": 30, "donut": 4, "cat": 12, "car": 90, "dining table": 7}


@pytest.fixture(scope="module")
def gallery() -> Gallery:
    counts = {ID_BY_NAME[name]: count for name, count in PHOTOS.items()}
    looks = {LOOK_NAMES.index("castle"): 3, LOOK_NAMES.index("Labrador retriever"): 5}
    return Gallery(components.vocabulary(), counts, looks)


def suggested(text: str, gallery: Gallery, caret: int | None = None) -> list[Suggestion]:
    return suggest(text, len(text) if caret is None else caret, gallery)


def labels(text: str, gallery: Gallery) -> list[str]:
    return [one.label for one in suggested(text, gallery)]


def test_an_empty_field_starts_with_what_most_photos_show(gallery: Gallery) -> None:
    found = suggested("", gallery)
    assert [(one.label, one.photos) for one in found[:3]] == [
        ("person", 1204),
        ("car", 90),
        ("dog", 30),
    ]
    assert all(one.is_complete for one in found)


def test_a_beginning_becomes_the_objects_that_most_photos_show(gallery: Gallery) -> None:
    dog, *_ = [one for one in suggested("do", gallery) if one.kind == "object"]
    assert (dog.text, dog.caret, dog.photos) == ("dog ", 4, 30)
    assert labels("table", gallery)[0] == "dining table"


def test_a_word_says_what_it_is_read_as(gallery: Gallery) -> None:
    hints = {one.label: (one.hint, one.photos) for one in suggested("pup", gallery)}
    assert hints["puppy"] == ("→ dog", 30)


@pytest.mark.parametrize(
    ("typed", "first", "then"),
    [
        ("person le", "left of", "person left of "),
        ("cat next t", "next to", "cat next to "),
        ("dining ta", "dining table", "dining table "),
        ("dog -c", "car", "dog -car "),
        ("dog, ca", "car", "dog, car "),
        ("2 do", "dogs", "2 dogs "),
        ('"dining t', "dining table", '"dining table" '),
        ("person, 3", "3 cars", "person, 3 cars "),
        ("cat after:20", None, None),
        ("cat type:p", "type:png", "cat type:png "),
        ("cat af", "after:", "cat after:"),
        ("dog ", "and", "dog and "),
    ],
)
def test_a_query_goes_on_in_the_language(
    typed: str, first: str | None, then: str | None, gallery: Gallery
) -> None:
    found = suggested(typed, gallery)
    assert found
    if first is not None:
        by_label = {one.label: one.text for one in found}
        assert by_label[first] == then


def test_the_word_at_the_caret_is_completed_and_the_rest_stays(gallery: Gallery) -> None:
    first = suggested("do left of car", gallery, caret=2)[0]
    assert (first.text, first.caret) == ("dog left of car", 4)


@pytest.mark.parametrize(
    ("typed", "meant"), [("dgo", "dog"), ("motorcicl", "motorcycle"), ("elefant", "elephant")]
)
def test_typing_mistakes_are_mended(typed: str, meant: str, gallery: Gallery) -> None:
    assert meant in labels(typed, gallery)


@pytest.mark.parametrize("typed", ["do", "2 do", "person le", "-c", "pup", "dog and ", "big d"])
def test_what_is_complete_can_be_searched_for(typed: str, gallery: Gallery) -> None:
    for one in suggested(typed, gallery):
        if one.is_complete:
            try:
                parse_query(one.text, gallery.vocabulary.is_name)
            except QuerySyntaxError as error:  # pragma: no cover
                pytest.fail(f"{one.text!r}: {error}")


@pytest.mark.parametrize(
    "text", ["", '"', "((", "\x00", "a" * 900, "🐶", "type:", ":", "--", "٣ ك"]
)
def test_anything_may_be_typed(text: str, gallery: Gallery) -> None:
    for caret in (-1, 0, 1, len(text), 10**6):
        for one in suggest(text, caret, gallery):
            assert 0 <= one.caret <= len(one.text)


def answer(client: Client, **query: str) -> Mapping[str, list[dict[str, object]]]:
    response = client.get("/suggest", query)
    assert response.status_code == 200
    answered: Mapping[str, list[dict[str, object]]] = json.loads(response.content)
    return answered


def test_the_page_asks_for_counts_of_this_gallery_and_saved_searches(
    packaged_photos: dict[str, int], client: Client
) -> None:
    save_search("Kittens at home", "q=kitten", None)
    [cat] = [one for one in answer(client, q="cat")["suggestions"] if one["label"] == "cat"]
    assert cat["photos"] == 1
    assert answer(client, q="home")["saved"][0]["label"] == "Kittens at home"
    assert answer(client, q="cat", caret="nonsense")["suggestions"]
    assert answer(client)["saved"][0]["address"].endswith("/kittens-at-home/")  # type: ignore[attr-defined]  # A text.


def test_what_photos_look_like_as_a_whole_is_suggested_with_its_number(gallery: Gallery) -> None:
    [labrador] = [one for one in suggested("labr", gallery) if one.kind == "word"]
    assert (labrador.label, labrador.photos) == ("labrador retriever", 5)
    assert "whole photo" in labrador.hint
    assert "castle" in labels("dog and cas", gallery)
