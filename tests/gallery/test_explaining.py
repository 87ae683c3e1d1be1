from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from detector.labels import CLASS_NAMES, NAME_BY_ID
from gallery import components
from gallery.explaining import Reason, TextReasons
from gallery.hits import Answer, Hit
from gallery.layouts import Layout, parse_layout, unit_box
from gallery.object_names import shown_count
from gallery.plurals import plural
from gallery.search import detections_of, layout_of_image, search_layout, search_text
from gallery.sentences import Found, Seen
from gallery.text_query import read_query
from tests.gallery.made_gallery import (
    LEFT,
    MIDDLE,
    RIGHT,
    Object,
    add_photo,
    row_of_boxes,
    rows_of,
)

pytestmark = pytest.mark.django_db

Photos = dict[str, int]
SMALL = (0.1, 0.1, 0.2, 0.2)
CAT_ON_COUCH: list[Object] = [
    ("cat", 0.9, (0.3, 0.2, 0.6, 0.6)),
    ("couch", 0.8, (0.1, 0.4, 0.9, 0.9)),
]
TEXTS = [
    "dog",
    "puppy",
    "animals",
    '"dog"',
    "2 dogs",
    "1 dog",
    "3+ dogs",
    "at most 1 dog",
    "2-3 pets",
    "not 2 dogs",
    "-dog",
    "no animals and cat",
    "dog and cat",
    "dog, cat",
    "dog -cat, couch",
    "cat on couch",
    "cat left of couch near dog",
    "no cat on couch",
    "cat not on couch",
    "only cats",
    "only dogs and cats",
    "only 2 dogs",
    "only animals",
    "big dog",
    "small cat",
    "dog > 80%",
    "2 dogs on couch",
    "dog wide",
    "wide -tall",
    "dog and qqxqq",
    "dog on qqxqq",
]
NOT_FOUND = ["cat left of couch near dog", "2 dogs on couch"]


def test_a_scaled_reason_has_all_of_its_parts_scaled() -> None:
    box = (0.0, 0.0, 1.0, 1.0)
    reason = Reason("dog", "", 0.5, True, (Found("dog", 0.9, box, 0.4),), (Seen("pug", 0.3, 0.1),))
    half = reason.scaled(0.5)
    assert (half.part, half.objects[0].part, half.looks[0].part) == (0.25, 0.2, 0.05)


@pytest.fixture
def made_photos(gallery_data: Path) -> None:
    for count in (1, 2, 3, 12):
        add_photo(f"{count} dogs", row_of_boxes("dog", count))
    add_photo("faint dogs", row_of_boxes("dog", 5, 0.2))
    add_photo("fainter dog", row_of_boxes("dog", 1, 0.04))
    add_photo("cat on couch", CAT_ON_COUCH)
    add_photo("cat left of couch", [("cat", 0.9, LEFT), ("couch", 0.8, RIGHT)])
    add_photo("dog and cat", [("dog", 0.9, LEFT), ("cat", 0.8, RIGHT), ("cat", 0.4, SMALL)])
    add_photo("a couch", [("couch", 0.7, MIDDLE)])
    add_photo("nothing", [])


def check_reasons(hit: Hit) -> None:
    """The parts are the score, and what is told of objects is true."""
    assert sum(reason.part for reason in hit.why) == pytest.approx(hit.score, abs=1e-4)
    detections = detections_of(hit.image.pk)
    for reason in hit.why:
        assert reason.part >= 0
        assert sum(found.part for found in reason.objects) <= reason.part + 1e-6
        for found in reason.objects:
            assert any(
                NAME_BY_ID[int(row[0])] == found.name
                and found.score == pytest.approx(float(row[1]), abs=1e-6)
                and found.box == pytest.approx(unit_box(row), abs=1e-6)
                for row in detections
            ), found


@pytest.mark.usefixtures("made_photos")
@pytest.mark.parametrize("weak", [False, True])
@pytest.mark.parametrize("text", TEXTS)
def test_the_reasons_of_words_add_up_to_the_score(text: str, weak: bool) -> None:
    answer = search_text(text, weak=weak)
    assert len(answer.hits) == answer.total
    for hit in answer.hits:
        assert hit.why
        check_reasons(hit)


def test_nearly_all_of_these_texts_find_something(made_photos: None) -> None:
    """So that the test above tells something."""
    assert [text for text in TEXTS if not search_text(text).hits] == NOT_FOUND


@pytest.mark.usefixtures("made_photos")
@pytest.mark.parametrize("text", TEXTS)
def test_the_reasons_of_the_original_score_are_the_score(text: str) -> None:
    for hit in search_text(text, score_name="original", company=True).hits:
        check_reasons(hit)


@pytest.mark.parametrize("mirror", [False, True])
@pytest.mark.parametrize("score", ["objects", "original"])
@pytest.mark.parametrize(
    "layout",
    [
        '[{"object": "dog", "box": [0.1, 0.2, 0.5, 0.9]}]',
        '[{"object": "cat", "box": [0, 0, 1, 1]}, {"object": "couch", "box": [0, 0, 0.5, 1]}]',
        '[{"object": "couch", "region": [[0.1, 0.1], [0.9, 0.1], [0.5, 0.9]]}]',
        '[{"object": "dog", "box": [0, 0, 1, 1], "score": 0.4}]',
        '[{"object": "boat", "box": [0, 0, 1, 1]}, {"object": "dog", "box": [0, 0.4, 0.1, 0.6]}]',
    ],
)
def test_the_reasons_of_a_layout_add_up_to_the_score(
    layout: str, score: str, mirror: bool, made_photos: None
) -> None:
    answer = search_layout(parse_layout(layout), score_name=score, mirror=mirror, weak=True)
    assert answer.hits
    for hit in answer.hits:
        check_reasons(hit)


def test_the_reasons_of_photos_add_up_to_the_score(packaged_photos: Photos) -> None:
    for image_id in packaged_photos.values():
        answer = search_layout(layout_of_image(image_id), mirror=True, weak=True)
        assert answer.hits[0].image.pk == image_id
        assert answer.hits[0].score == pytest.approx(1, abs=1e-4)
        for hit in answer.hits:
            check_reasons(hit)
            for reason in hit.why:
                assert reason.query_box is not None


def reasons(text: str, objects: Sequence[Object]) -> tuple[Reason, ...]:
    """Why a photo with these objects answers a text."""
    query = read_query(text, components.vocabulary())
    detections = rows_of(objects)[: len(objects)]
    return TextReasons(query).of(np.ascontiguousarray(detections))


DOG: Object = ("dog", 0.91, LEFT)
DOG_TOO: Object = ("dog", 0.78, RIGHT)
FAINT_DOG: Object = ("dog", 0.2, MIDDLE)
CAT: Object = ("cat", 0.8, RIGHT)
COUCH: Object = ("couch", 0.7, LEFT)


@pytest.mark.parametrize(
    ("text", "objects", "sentence", "is_met"),
    [
        ("dog", [DOG], "dog: 91% sure", True),
        ("dogs", [DOG], "dogs: 91% sure", True),
        ("dog", [DOG, DOG_TOO], "dog: 2 found, 91% and 78% sure", True),
        ("dog", [DOG, FAINT_DOG], "dog: 91% sure", True),
        ("dog", [FAINT_DOG], "dog: perhaps 20% sure", False),
        ("dog", [FAINT_DOG] * 5, "dog: perhaps one of 5, each at most 20% sure", True),
        ("dog", [CAT], "dog: not found", False),
        ('"dog"', [DOG], "dog: 91% sure", True),
        ("big dog > 60%", [DOG], "big dog > 60%: 91% sure", True),
        ("dog", [DOG] * 12, "dog: 12 found, each 91% sure", True),
        ("puppy", [DOG], "puppy: dog, 91% sure", True),
        ("puppy", [DOG, DOG_TOO], "puppy: 2 dogs, 91% and 78% sure", True),
        ("puppy", [FAINT_DOG], "puppy: perhaps dog, 20% sure", False),
        ("pets", [DOG, DOG_TOO, CAT], "pets: cat (80%) and 2 dogs (91% and 78%)", True),
        ("people", [("person", 0.9, LEFT)], "people: 90% sure", True),
        ("2 dogs", [DOG, DOG_TOO], "2 dogs asked, 2 found, 91% and 78% sure", True),
        ("2 dogs", [DOG], "2 dogs asked, 1 found, 91% sure", False),
        ("2 dogs", [], "2 dogs asked, none found", False),
        ("1 dog", [FAINT_DOG], "1 dog asked, none found, perhaps 20% sure", False),
        ("3+ dogs", [DOG, DOG_TOO], "3+ dogs asked, 2 found, 91% and 78% sure", False),
        ("at most 1 dog", [], "at most 1 dog asked, none found", True),
        ("at most 1 dog", [FAINT_DOG], "at most 1 dog asked, none found", True),
        ("2 puppies", [DOG, DOG_TOO], "2 puppies asked, 2 found: 2 dogs, 91% and 78% sure", True),
        ("not 2 dogs", [DOG], "not 2 dogs, 1 found, 91% sure", True),
        ("not 2 dogs", [DOG, DOG_TOO], "not 2 dogs, 2 found, 91% and 78% sure", False),
        ("not 2 dogs", [], "not 2 dogs, none found", True),
        ("-dog", [], "no dog: none found", True),
        ("-dog", [("dog", 0.1, LEFT)], "no dog: none is sure", True),
        ("-dog", [DOG], "no dog: but 91% sure", False),
        ("-dog", [DOG, DOG_TOO], "no dog: but 2 found, 91% and 78% sure", False),
        ("no puppies", [DOG], "no puppies: but dog, 91% sure", False),
        (
            "person left of car",
            [("person", 0.9, LEFT), ("car", 0.8, RIGHT)],
            "person left of car: yes, 90% and 80% sure",
            True,
        ),
        (
            "person left of car",
            [("person", 0.9, RIGHT), ("car", 0.8, LEFT)],
            "person left of car: no, but both are there, 90% and 80% sure",
            False,
        ),
        (
            "person left of car",
            [("person", 0.9, LEFT), ("car", 0.1, RIGHT)],
            "person left of car: perhaps, 90% and 10% sure",
            False,
        ),
        (
            "person left of car",
            [("person", 0.9, RIGHT), ("car", 0.1, LEFT)],
            "person left of car: no, but perhaps both are there, 90% and 10% sure",
            False,
        ),
        ("person left of car", [DOG], "person left of car: not both found", False),
        (
            "puppy left of kitty",
            [DOG, CAT],
            "puppy left of kitty: yes, dog (91%) and cat (80%)",
            True,
        ),
        (
            "dog left of dog",
            [DOG, DOG_TOO],
            "dog left of dog: yes, 91% and 78% sure",
            True,
        ),
        ("no cat on couch", [DOG], "no cat on couch: none found", True),
        (
            "no cat on couch",
            CAT_ON_COUCH,
            "no cat on couch: but there is one, 90% and 80% sure",
            False,
        ),
        ("no cat on couch", [CAT, COUCH], "no cat on couch: both are there, but not so", True),
        (
            "no cat on couch",
            [("cat", 0.1, LEFT), COUCH],
            "no cat on couch: none is sure",
            True,
        ),
    ],
)
def test_a_reason_is_a_sentence(
    text: str, objects: list[Object], sentence: str, is_met: bool
) -> None:
    [reason] = reasons(text, objects)
    assert (reason.sentence, reason.is_met) == (sentence, is_met)


@pytest.mark.parametrize(
    ("text", "objects", "sentence", "is_met"),
    [
        ("only dogs", [DOG], "only dogs: nothing else found", True),
        ("only dogs", [DOG, ("cat", 0.2, RIGHT)], "only dogs: nothing else found", True),
        ("only dogs", [DOG, CAT], "only dogs: but cat too, 80% sure", False),
        (
            "only dogs",
            [DOG, CAT, CAT, COUCH],
            "only dogs: but 2 cats and couch too, 80%, 80% and 70% sure",
            False,
        ),
    ],
)
def test_what_else_there_is_is_a_sentence(
    text: str, objects: list[Object], sentence: str, is_met: bool
) -> None:
    [of_dogs, reason] = reasons(text, objects)
    assert (of_dogs.asked, of_dogs.sentence) == ("dogs", "dogs: 91% sure")
    assert (reason.sentence, reason.is_met) == (sentence, is_met)


def test_a_kind_of_what_may_be_there_is_nothing_else() -> None:
    [_, reason] = reasons("only animals", [("dog", 0.91, LEFT), ("car", 0.8, RIGHT)])
    assert reason.sentence == "only animals: but car too, 80% sure"


def test_reasons_come_in_the_order_of_the_best_alternative() -> None:
    asked = [reason.asked for reason in reasons("boat and car, cat and dog", [DOG, CAT])]
    assert asked == ["cat", "dog"]


def sentences(answer: Answer, name: str) -> list[str]:
    [hit] = [hit for hit in answer.hits if hit.image.name == name]
    return [reason.sentence for reason in hit.why]


def test_company_is_told_as_such(made_photos: None) -> None:
    answer = search_text("cat", company=True)
    assert sentences(answer, "a couch") == ["cat: not found, only its usual company: couch"]
    assert sentences(answer, "12 dogs") == ["cat: not found, only its usual company: 12 dogs"]
    answer = search_text("cat near couch", company=True)
    assert sentences(answer, "dog and cat") == ["cat near couch: not both found"]


def test_filters_alone_are_told_as_such(made_photos: None) -> None:
    assert sentences(search_text("wide -type:png"), "a couch") == ["wide: yes", "-type:png: yes"]
    assert sentences(search_text("couch wide"), "a couch") == ["couch: 70% sure"]


@pytest.mark.parametrize(
    ("box", "mirror", "sentence"),
    [
        ([0.05, 0.3, 0.4, 0.9], False, "cat: boxes overlap 100%, 90% sure"),
        ([0.6, 0.3, 0.95, 0.9], False, "cat: in another place, 90% sure"),
        ([0.6, 0.3, 0.95, 0.9], True, "cat: mirrored, boxes overlap 100%, 90% sure"),
    ],
)
def test_a_pair_of_objects_is_a_sentence(
    box: list[float], mirror: bool, sentence: str, made_photos: None
) -> None:
    layout = parse_layout(f'[{{"object": "cat", "box": {box}}}]')
    answer = search_layout(layout, mirror=mirror, weak=True)
    assert sentences(answer, "cat left of couch") == [sentence]
    [hit] = [hit for hit in answer.hits if hit.image.name == "cat left of couch"]
    [reason] = hit.why
    assert reason.mirrored == mirror
    assert reason.is_met == ("100%" in sentence)
    assert reason.query_box == pytest.approx(box)


def test_a_layout_without_area_is_like_nothing(made_photos: None) -> None:
    flat = Layout(np.array([[18, 0.9, 10, 10, 10, 90]], np.float32))
    for mirror in (False, True):
        answer = search_layout(flat, mirror=mirror, weak=True)
        assert all(0 <= hit.score <= 1 for hit in answer.hits)
        for hit in answer.hits:
            check_reasons(hit)


@pytest.mark.parametrize("name", CLASS_NAMES)
def test_the_plural_of_a_class_name_is_understood_as_it(name: str) -> None:
    assert components.vocabulary().class_named(plural(name)) == name


@pytest.mark.parametrize(
    ("number", "name", "words"),
    [
        (1, "dog", "dog"),
        (2, "dog", "2 dogs"),
        (3, "person", "3 people"),
        (2, "wine glass", "2 wine glasses"),
        (2, "sandwich", "2 sandwiches"),
        (2, "knife", "2 knives"),
        (2, "mouse", "2 mice"),
        (2, "sheep", "2 sheep"),
        (2, "toothbrush", "2 toothbrushes"),
        (5, "skis", "5 skis"),
    ],
)
def test_things_are_counted_in_english(number: int, name: str, words: str) -> None:
    assert shown_count(number, name) == words
