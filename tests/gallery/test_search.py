from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from detector.labels import ID_BY_NAME, NAME_BY_ID
from gallery.errors import QueryRefused
from gallery.layouts import parse_layout
from gallery.photo_queries import layout_of_photo
from gallery.reasons import Reason, unit_box
from gallery.search import Answer, detections_of, search_layout, search_text
from tests.photos import MOTORCYCLE, MOTORCYCLE_AGAIN, PACKAGED

pytestmark = pytest.mark.django_db

Photos = dict[str, int]


def stems(answer: Answer) -> list[str]:
    return [Path(hit.image.name).stem for hit in answer.hits]


@pytest.mark.parametrize(
    ("text", "stem"),
    [
        ("cat", "chelsea"),
        ("cats", "chelsea"),
        ("kitten", "chelsea"),
        ("cup", "coffee"),
        ("dining table", "coffee"),
        ("motorcycle", "motorcycle_left"),
        ("motorbike", "motorcycle_left"),
        ("person", "astronaut"),
        ("woman", "astronaut"),
        ("ponies", "horse"),
        ("stallion", "horse"),
        ("boat", "rocket"),
    ],
)
def test_a_word_finds_the_photo_that_shows_it_first(
    text: str, stem: str, packaged_photos: Photos
) -> None:
    assert stems(search_text(text))[0] == stem


def test_several_words_find_the_photo_that_shows_all_of_them(packaged_photos: Photos) -> None:
    answer = search_text("cup dining table")
    assert stems(answer)[0] == "coffee"
    assert [reason.object for reason in answer.hits[0].why] == ["cup", "dining table"]


def test_commas_find_photos_that_show_either(packaged_photos: Photos) -> None:
    assert set(stems(search_text("cat, horse"))[:2]) == {"chelsea", "horse"}


def test_unknown_words_are_named_and_the_others_searched(packaged_photos: Photos) -> None:
    answer = search_text("qqxqq cat")
    assert answer.unknown_words == ("qqxqq",)
    assert stems(answer)[0] == "chelsea"


def test_only_unknown_words_find_nothing(packaged_photos: Photos) -> None:
    for score in ("objects", "original"):
        answer = search_text("qqxqq", score_name=score)
        assert (answer.hits, answer.total, answer.hidden) == ([], 0, 0)


@pytest.mark.parametrize("score", ["objects", "original"])
@pytest.mark.parametrize("text", ["cat", "pony", "ship, mug", "person cup"])
def test_scores_fall_and_lie_between_0_and_1(
    text: str, score: str, packaged_photos: Photos
) -> None:
    scores = [hit.score for hit in search_text(text, score_name=score).hits]
    assert scores == sorted(scores, reverse=True)
    assert all(0 < value <= 1.0001 for value in scores)


def is_true(reason: Reason, image_id: int) -> bool:
    """Whether the image's stored objects hold what a reason says of them."""
    return any(
        NAME_BY_ID[int(row[0])] == reason.object
        and reason.score == pytest.approx(float(row[1]))
        and reason.box == pytest.approx(unit_box(row))
        for row in detections_of(image_id)
    )


@pytest.mark.parametrize("text", ["kitten", "cup dining table", "pony", "cat, horse, boat"])
def test_each_reason_of_a_word_tells_of_an_object_in_the_photo(
    text: str, packaged_photos: Photos
) -> None:
    answer = search_text(text)
    assert answer.hits
    for hit in answer.hits:
        assert hit.why
        for reason in hit.why:
            assert is_true(reason, hit.image.pk)
            assert reason.query_box is None


def test_a_reason_is_a_sentence(packaged_photos: Photos) -> None:
    [reason] = search_text("kitten").hits[0].why
    assert 0.5 < reason.similarity < 1
    closeness = f"“kitten” is close to cat ({reason.similarity:.2f})"
    assert reason.sentence == f"{closeness}, {reason.score:.0%} sure"
    [reason] = search_text("cats").hits[0].why
    assert reason.sentence == f"cat: {reason.score:.0%} sure"


def test_weak_matches_are_cut_off_and_counted(packaged_photos: Photos) -> None:
    answer = search_text("cup")
    weak = sum(
        1
        for image_id in packaged_photos.values()
        if 0 < max_score(image_id, "cup") < answer.hits[-1].score
    )
    assert answer.total == len(answer.hits) < len(packaged_photos)
    assert answer.hidden <= weak
    everything = search_text("person, cat, cup, horse, motorcycle, boat")
    assert everything.total + everything.hidden <= len(packaged_photos)


def max_score(image_id: int, name: str) -> float:
    objects = detections_of(image_id)
    return float(objects[objects[:, 0] == ID_BY_NAME[name], 1].max(initial=0))


def test_pages_of_an_answer_agree_with_the_whole(packaged_photos: Photos) -> None:
    whole = search_text("person, cat, cup, horse, motorcycle, boat")
    assert whole.total >= 5
    pages = [
        search_text("person, cat, cup, horse, motorcycle, boat", limit=2, offset=offset)
        for offset in range(0, whole.total + 2, 2)
    ]
    assert [hit for page in pages for hit in page.hits] == whole.hits
    assert {(page.total, page.hidden) for page in pages} == {(whole.total, whole.hidden)}
    assert pages[-1].hits == []


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"limit": 0}, "limit should be from 1 to 1000, is 0"),
        ({"limit": 1001}, "limit should be from 1 to 1000"),
        ({"offset": -1}, "offset should be 0 or more, is -1"),
        ({"score_name": "best"}, "no score 'best'; there are: objects, original"),
    ],
)
def test_options_that_make_no_sense_are_refused(
    options: dict[str, int | str], sentence: str, packaged_photos: Photos
) -> None:
    with pytest.raises(QueryRefused, match=sentence):
        search_text("cat", **options)  # type: ignore[arg-type]  # Wrong on purpose.


def test_a_photo_finds_itself_first(packaged_photos: Photos) -> None:
    answer = search_layout(layout_of_photo(MOTORCYCLE))
    assert stems(answer)[0] == "motorcycle_left"
    assert answer.hits[0].score > 0.5
    reason = answer.hits[0].why[0]
    assert (reason.asked, reason.object) == ("motorcycle", "motorcycle")
    assert reason.similarity == pytest.approx(1, abs=0.01)
    assert reason.query_box == pytest.approx(reason.box, abs=0.01)


def test_a_photo_finds_another_of_the_same_thing(packaged_photos: Photos) -> None:
    answer = search_layout(layout_of_photo(MOTORCYCLE_AGAIN), query="right.png")
    assert answer.query == "right.png"
    assert stems(answer)[0] == "motorcycle_left"
    for hit in answer.hits:
        for reason in hit.why:
            assert is_true(reason, hit.image.pk)
            assert 0 <= reason.similarity <= 1
            assert reason.query_box is not None


def test_similar_photos_leave_the_photo_itself_out(packaged_photos: Photos) -> None:
    cat = packaged_photos["chelsea"]
    answer = search_layout(detections_of(cat), without_image_id=cat)
    assert cat not in [hit.image.pk for hit in answer.hits]
    with_itself = search_layout(detections_of(cat))
    assert with_itself.hits[0].image.pk == cat
    assert with_itself.total == answer.total + 1


def test_the_original_photo_score_never_looks_at_overlap(packaged_photos: Photos) -> None:
    layout = parse_layout('[{"object": "cat", "box": [0, 0, 0.1, 0.1]}]')
    elsewhere = parse_layout('[{"object": "cat", "box": [0.9, 0.9, 1, 1]}]')
    original = [
        search_layout(boxes, score_name="original").hits[0].score for boxes in (layout, elsewhere)
    ]
    assert original[0] == pytest.approx(original[1], abs=1e-5)


def test_a_layout_of_the_right_place_beats_one_of_the_wrong_place(
    packaged_photos: Photos,
) -> None:
    box = [round(side, 3) for side in unit_box(detections_of(packaged_photos["horse"])[0])]
    right = search_layout(parse_layout(f'[{{"object": "horse", "box": {box}}}]'))
    wrong = search_layout(parse_layout('[{"object": "horse", "box": [0, 0, 0.1, 0.1]}]'))
    assert stems(right)[0] == "horse"
    assert right.hits[0].score > 2 * max((hit.score for hit in wrong.hits), default=0)


def test_a_photo_without_objects_is_refused_with_a_sentence(packaged_photos: Photos) -> None:
    with pytest.raises(QueryRefused, match="No object was recognised"):
        search_layout(np.zeros((0, 6), np.float32))


def test_a_photo_that_was_not_ingested_has_no_objects(packaged_photos: Photos) -> None:
    assert detections_of(10**9).shape == (0, 6)


@pytest.mark.parametrize(
    "layout",
    [
        "",
        "dog",
        "{}",
        "[]",
        '[{"object": "dog"}]',
        '[{"object": "dog", "box": [0, 0, 1]}]',
        '[{"object": "dog", "box": [0, 0, 1, 2]}]',
        '[{"object": "dog", "box": [0, 0, 1, "NaN"]}]',
        '[{"object": "dog", "box": [0.5, 0, 0.5, 1]}]',
        '[{"object": "dog", "box": [1, 1, 0, 0]}]',
        '[{"object": "unicorn", "box": [0, 0, 1, 1]}]',
        '[{"object": "dog", "box": [0, 0, 1, 1], "score": 2}]',
        '[{"object": "dog", "box": [0, 0, 1, 1], "colour": "brown"}]',
        "[" + ",".join(['{"object": "dog", "box": [0, 0, 1, 1]}'] * 21) + "]",
        "[" * 10_000,
    ],
)
def test_a_layout_that_cannot_be_read_is_refused(layout: str) -> None:
    with pytest.raises(QueryRefused):
        parse_layout(layout)


def test_a_layout_is_read_in_the_detectors_frame() -> None:
    layout = parse_layout('[{"object": " Dog ", "box": [0, 0.5, 0.25, 1], "score": 0.5}]')
    np.testing.assert_array_equal(layout, [[ID_BY_NAME["dog"], 0.5, 0, 150, 75, 300]])


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(text=st.text(max_size=60), score=st.sampled_from(["objects", "original"]))
def test_any_text_is_answered_or_refused(
    text: str, score: str, packaged_photos: Photos, db: None
) -> None:
    try:
        answer = search_text(text, score_name=score)
    except QueryRefused:
        return
    assert len(answer.hits) == answer.total
    assert answer.hidden >= 0


def test_every_packaged_photo_can_be_searched_with(packaged_photos: Photos) -> None:
    for path in (PACKAGED / "camera.png", PACKAGED / "retina.jpg", PACKAGED / "coins.png"):
        layout = layout_of_photo(path)
        assert layout.shape[1] == 6
        assert (layout[:, 0] > 0).all()
        search_layout(layout)
