from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image as Pillow
from PIL import ImageOps

from detector.labels import ID_BY_NAME
from gallery.errors import QueryRefused
from gallery.hits import Answer
from gallery.layouts import Layout, parse_layout, unit_box
from gallery.models import Image
from gallery.originals import delete_images
from gallery.photo_queries import layout_of_part, layout_of_photo
from gallery.scoring import TEXT_CUT_OFF
from gallery.search import (
    PHOTO_CUT_OFF,
    detections_of,
    layout_of_image,
    search_layout,
    search_text,
)
from tests.gallery.made_gallery import LEFT, RIGHT, Object, add_photo, row_of_boxes
from tests.gallery.query.strategies import LANGUAGE_TEXTS
from tests.photos import HORSE, MOTORCYCLE, MOTORCYCLE_AGAIN, PACKAGED

pytestmark = pytest.mark.django_db

Photos = dict[str, int]
SCORES = ["objects", "original"]
EVERYTHING = "person, cat, cup, horse, motorcycle, boat"


def stems(answer: Answer) -> list[str]:
    return [Path(hit.image.name).stem for hit in answer.hits]


def ids(answer: Answer) -> list[int]:
    return [hit.image.pk for hit in answer.hits]


@pytest.mark.parametrize(
    ("text", "stem"),
    [
        ("cat", "chelsea"),
        ("cats", "chelsea"),
        ("kitten", "chelsea"),
        ("pets", "chelsea"),
        ('"cat"', "chelsea"),
        ("1 cat", "chelsea"),
        ("big cat", "chelsea"),
        ("cat > 50%", "chelsea"),
        ("only cats", "chelsea"),
        ("cat -person", "chelsea"),
        ("cup", "coffee"),
        ("dining table", "coffee"),
        ("cup dining table", "coffee"),
        ("cup on dining table", "coffee"),
        ("cup inside dining table", "coffee"),
        ("motorcycle", "motorcycle_left"),
        ("motorbike", "motorcycle_left"),
        ("motorcycle, elephant", "motorcycle_left"),
        ("person", "astronaut"),
        ("woman", "astronaut"),
        ("1+ people -motorcycle", "astronaut"),
        ("ponies", "horse"),
        ("stallion", "horse"),
        ("boat", "rocket"),
        ("boat type:jpg", "rocket"),
        ("name:CHELSEA", "chelsea"),
        ("type:jpg", "rocket"),
        ("square", "astronaut"),
    ],
)
def test_a_search_finds_the_photo_that_shows_it_first(
    text: str, stem: str, packaged_photos: Photos
) -> None:
    assert stems(search_text(text))[0] == stem


@pytest.fixture
def made_photos(gallery_data: Path) -> None:
    person, car = ("person", 0.9), ("car", 0.9)
    photos: dict[str, list[Object]] = {
        "1 dog": row_of_boxes("dog", 1),
        "2 dogs": row_of_boxes("dog", 2),
        "3 dogs": row_of_boxes("dog", 3),
        "5 dogs": row_of_boxes("dog", 5),
        "big cat": [("cat", 0.9, (0.1, 0.1, 0.9, 0.9))],
        "small cat": [("cat", 0.9, (0.1, 0.1, 0.2, 0.2))],
        "cat on couch": [("cat", 0.9, (0.3, 0.2, 0.6, 0.6)), ("couch", 0.9, (0.1, 0.4, 0.9, 0.9))],
        "cat left of couch": [("cat", 0.9, LEFT), ("couch", 0.9, RIGHT)],
        "cat right of couch": [("cat", 0.9, RIGHT), ("couch", 0.9, LEFT)],
        "person in car": [(*person, (0.4, 0.4, 0.6, 0.6)), (*car, (0.1, 0.1, 0.9, 0.9))],
        "person above car": [(*person, (0.4, 0, 0.6, 0.2)), (*car, (0.3, 0.6, 0.7, 0.9))],
        "person below car": [(*person, (0.4, 0.8, 0.6, 1)), (*car, (0.3, 0.1, 0.7, 0.4))],
        "person near car": [(*person, (0.1, 0.1, 0.3, 0.6)), (*car, (0.35, 0.1, 0.8, 0.6))],
        "person far from car": [(*person, (0, 0.8, 0.1, 1)), (*car, (0.8, 0.8, 1, 1))],
        "horse and dog": [("horse", 0.9, LEFT), ("dog", 0.9, RIGHT)],
        "horse": [("horse", 0.8, LEFT)],
        "a doubtful horse": [("horse", 0.4, LEFT)],
    }
    for name, objects in photos.items():
        add_photo(name, objects)


@pytest.mark.usefixtures("made_photos")
@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("2 dogs", "2 dogs"),
        ("two dogs", "2 dogs"),
        ("2 puppies", "2 dogs"),
        ("exactly 3 dogs", "3 dogs"),
        ("4+ dogs", "5 dogs"),
        ("more than 3 dogs", "5 dogs"),
        ("4-6 dogs", "5 dogs"),
        ("at least 5 dogs", "5 dogs"),
        ("dog -horse and at most 1 dog", "1 dog"),
        ("big cat -couch", "big cat"),
        ("small cat", "small cat"),
        ("cat on couch", "cat on couch"),
        ("kitty on sofa", "cat on couch"),
        ("cat left of couch", "cat left of couch"),
        ("couch right of cat", "cat left of couch"),
        ("cat right of couch", "cat right of couch"),
        ("cat and couch and cat not on couch and cat not left of couch", "cat right of couch"),
        ("person inside car", "person in car"),
        ("person above car", "person above car"),
        ("person below car", "person below car"),
        ("person near car and no person inside car", "person near car"),
        ("person left of car and no person near car", "person far from car"),
        ("only horses", "horse"),
        ("only horses and dogs and 1 dog", "horse and dog"),
        ("horse -dog", "horse"),
        ("horse without dog", "horse"),
        ("horse > 70% -dog", "horse"),
        ("elephant, horse and dog", "horse and dog"),
    ],
)
def test_a_search_finds_the_photo_that_it_describes_first(text: str, name: str) -> None:
    answer = search_text(text)
    assert answer.hits[0].image.name == name
    if len(answer.hits) > 1:
        assert answer.hits[0].score > answer.hits[1].score


def test_a_certainty_leaves_out_what_is_less_sure(made_photos: None) -> None:
    assert set(stems(search_text("horse"))) == {"horse and dog", "horse", "a doubtful horse"}
    assert set(stems(search_text("horse > 50%"))) == {"horse and dog", "horse"}


def test_commas_find_photos_that_show_either(packaged_photos: Photos) -> None:
    assert set(stems(search_text("cat, horse"))[:2]) == {"chelsea", "horse"}


def test_unknown_words_are_named_and_the_others_searched(packaged_photos: Photos) -> None:
    answer = search_text("qqxqq cat")
    assert answer.text is not None
    assert answer.text.unknown_words == ["qqxqq"]
    assert stems(answer)[0] == "chelsea"


def test_a_correction_finds_what_was_meant(packaged_photos: Photos) -> None:
    wrong = search_text("motorcylce")
    assert wrong.text is not None
    [(word, corrected), *_] = wrong.text.readings[0].corrections
    assert word == "motorcycle"
    assert stems(search_text(corrected))[0] == "motorcycle_left"


def test_a_pinned_word_finds_its_class_only(made_photos: None) -> None:
    pets = search_text("pets")
    assert pets.text is not None
    exact = pets.text.readings[0].exact_query
    assert exact == '"cat"'
    assert set(stems(pets)) > set(stems(search_text(exact)))
    assert all("cat" in name for name in stems(search_text(exact)))


def test_a_part_that_is_taken_out_no_longer_counts(made_photos: None) -> None:
    answer = search_text("horse -dog")
    assert answer.text is not None
    [of_horse, of_dog] = [chip.without for chip in answer.text.chips]
    assert stems(search_text(of_dog))[0] == "horse and dog"
    assert "horse and dog" not in stems(search_text(of_horse))[:5]


@pytest.mark.parametrize("score", SCORES)
def test_only_unknown_words_find_nothing(score: str, packaged_photos: Photos) -> None:
    for weak in (False, True):
        answer = search_text("qqxqq", score_name=score, weak=weak)
        assert (answer.hits, answer.total, answer.hidden) == ([], 0, 0)


@pytest.mark.parametrize("score", SCORES)
@pytest.mark.parametrize("text", ["cat", "pony", "ship, mug", "person cup", "-cat", "only cats"])
def test_scores_fall_and_lie_between_0_and_1(
    text: str, score: str, packaged_photos: Photos
) -> None:
    scores = [hit.score for hit in search_text(text, score_name=score, weak=True).hits]
    assert scores == sorted(scores, reverse=True)
    assert all(0 < value <= 1.0001 for value in scores)


@pytest.fixture
def faint_photos(gallery_data: Path) -> None:
    """Dogs of all scores, and photos of what is often beside them or is not."""
    for score in (0.9, 0.5, 0.1, 0.051, 0.049, 0.04, 0.01, 0.004, 0.001):
        add_photo(f"dog {score}", [("dog", score, LEFT)])
    for number in range(3):
        add_photo(f"dog and cat {number}", [("dog", 0.9, LEFT), ("cat", 0.9, RIGHT)])
    add_photo("cat", [("cat", 0.9, LEFT)])
    add_photo("boat", [("boat", 0.9, LEFT)])


@pytest.mark.usefixtures("faint_photos")
@pytest.mark.parametrize("text", ["dog", "puppy", "dog and cat", "cat, dog", "dog -boat", "1 dog"])
def test_weaker_matches_come_behind_the_others(text: str) -> None:
    answer, weak = search_text(text), search_text(text, weak=True)
    assert answer.total == len(answer.hits) > 0
    assert all(hit.score >= np.float32(TEXT_CUT_OFF) for hit in answer.hits)
    assert weak.hits[: answer.total] == answer.hits
    assert weak.hidden == 0
    assert weak.total == len(weak.hits) >= answer.total + answer.hidden
    assert all(hit.score < TEXT_CUT_OFF for hit in weak.hits[answer.total :])


def test_the_weaker_matches_are_those_that_were_counted(faint_photos: None) -> None:
    answer, weak = search_text("dog"), search_text("dog", weak=True)
    assert (answer.total, answer.hidden) == (7, 3)
    behind = [hit.image.name for hit in weak.hits[answer.total :]]
    assert behind == ["dog 0.049", "dog 0.04", "dog 0.01"]
    assert weak.total == answer.total + answer.hidden


def test_company_comes_behind_the_weaker_matches(faint_photos: None) -> None:
    weak, company = search_text("dog", weak=True), search_text("dog", company=True)
    names = [hit.image.name for hit in company.hits]
    assert names[: weak.total] == [hit.image.name for hit in weak.hits]
    # Less than any dog, but often beside one.
    assert "cat" in names[weak.total :]
    assert "boat" not in names


@pytest.mark.usefixtures("faint_photos")
def test_weaker_likenesses_come_behind_the_others() -> None:
    layout = parse_layout(
        '[{"object": "dog", "box": [0.05, 0.3, 0.4, 0.9]},'
        ' {"object": "cat", "box": [0.05, 0.3, 0.4, 0.9]},'
        ' {"object": "boat", "box": [0.6, 0.3, 0.95, 0.9]}]'
    )
    answer, weak = search_layout(layout), search_layout(layout, weak=True)
    assert answer.hidden > 0
    assert all(hit.score >= np.float32(PHOTO_CUT_OFF) for hit in answer.hits)
    assert weak.hits[: answer.total] == answer.hits
    assert weak.total == answer.total + answer.hidden


@pytest.mark.usefixtures("faint_photos")
@pytest.mark.parametrize("weak", [False, True])
@pytest.mark.parametrize("size", [1, 2, 5, 100])
def test_pages_of_an_answer_agree_with_the_whole(size: int, weak: bool) -> None:
    layout = parse_layout('[{"object": "dog", "box": [0.1, 0.3, 0.5, 0.8]}]')
    searches: list[Callable[[int, int], Answer]] = [
        lambda limit, offset: search_text("dog, cat", limit=limit, offset=offset, weak=weak),
        lambda limit, offset: search_text("wide", limit=limit, offset=offset, weak=weak),
        lambda limit, offset: search_layout(layout, limit=limit, offset=offset, weak=weak),
    ]
    for search in searches:
        whole = search(1000, 0)
        assert whole.total == len(whole.hits) > 5
        pages = [search(size, offset) for offset in range(0, whole.total + size, size)]
        assert [hit for page in pages for hit in page.hits] == whole.hits
        assert {(page.total, page.hidden) for page in pages} == {(whole.total, whole.hidden)}
        assert pages[-1].hits == []


def test_a_page_far_behind_the_last_is_empty(packaged_photos: Photos) -> None:
    assert search_text(EVERYTHING, offset=10**9).hits == []


@pytest.mark.usefixtures("gallery_data")
def test_of_equal_scores_the_newest_comes_first() -> None:
    photos = [add_photo(f"{number}", row_of_boxes("dog", 1)).pk for number in range(20)]
    assert ids(search_text("dog")) == photos[::-1]
    assert ids(search_text("dog", limit=3, offset=4)) == photos[15:12:-1]
    layout = parse_layout('[{"object": "dog", "box": [0.1, 0.3, 0.5, 0.8]}]')
    assert ids(search_layout(layout)) == photos[::-1]


@pytest.mark.usefixtures("gallery_data")
def test_photos_that_are_not_there_are_not_found() -> None:
    kept, deleted, lost = (add_photo(name, row_of_boxes("dog", 1)) for name in "abc")
    add_photo("without features", None)
    add_photo("waiting", None, state=Image.State.RECEIVED)
    delete_images([deleted])
    # As a deletion that was cut off leaves it: the store still has its features.
    Image.objects.filter(pk=lost.pk).delete()
    layout = parse_layout('[{"object": "dog", "box": [0.1, 0.3, 0.5, 0.8]}]')
    for weak in (False, True):
        for answer in (
            search_text("dog", weak=weak),
            search_text("dog", weak=weak, score_name="original"),
            search_text("wide", weak=weak),
            search_text("dog wide", weak=weak),
            search_text("-cat", weak=weak),
            search_layout(layout, weak=weak),
        ):
            assert ids(answer) == [kept.pk]


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
    assert answer.hits[0].score > 0.9
    reason = answer.hits[0].why[0]
    assert reason.asked == "motorcycle"
    assert reason.query_box == pytest.approx(reason.objects[0].box, abs=0.01)


def test_a_photo_finds_another_of_the_same_thing(packaged_photos: Photos) -> None:
    answer = search_layout(layout_of_photo(MOTORCYCLE_AGAIN), query="right.png")
    assert answer.query == "right.png"
    assert stems(answer)[0] == "motorcycle_left"


@pytest.mark.parametrize("stem", ["astronaut", "horse", "motorcycle_left", "coffee"])
def test_a_mirrored_photo_finds_its_like_as_a_mirror(
    stem: str, packaged_photos: Photos, tmp_path: Path
) -> None:
    mirrored = tmp_path / "mirrored.png"
    with Pillow.open(PACKAGED / f"{stem}.png") as photo:
        ImageOps.mirror(photo.convert("RGB")).save(mirrored)
    layout = layout_of_photo(mirrored)
    plain, with_mirror = search_layout(layout), search_layout(layout, mirror=True)
    assert stems(with_mirror)[0] == stem
    best = with_mirror.hits[0]
    of_plain = next((hit.score for hit in plain.hits if hit.image.pk == best.image.pk), 0.0)
    assert best.score > of_plain
    assert all(reason.mirrored for reason in best.why)
    assert best.score > 0.5


def test_similar_photos_leave_the_photo_itself_out(packaged_photos: Photos) -> None:
    cat = packaged_photos["chelsea"]
    answer = search_layout(layout_of_image(cat), without_image_id=cat)
    assert cat not in ids(answer)
    with_itself = search_layout(layout_of_image(cat))
    assert with_itself.hits[0].image.pk == cat
    assert with_itself.total == answer.total + 1


def test_a_photo_that_is_not_there_can_be_left_out(packaged_photos: Photos) -> None:
    layout = layout_of_image(packaged_photos["chelsea"])
    assert ids(search_layout(layout, without_image_id=10**9)) == ids(search_layout(layout))


def test_a_layout_of_the_right_place_beats_one_of_the_wrong_place(
    packaged_photos: Photos,
) -> None:
    box = [round(side, 3) for side in unit_box(detections_of(packaged_photos["horse"])[0])]
    right = search_layout(parse_layout(f'[{{"object": "horse", "box": {box}}}]'))
    wrong = search_layout(parse_layout('[{"object": "horse", "box": [0, 0, 0.1, 0.1]}]'))
    assert stems(right)[0] == "horse"
    assert right.hits[0].score > 2 * max((hit.score for hit in wrong.hits), default=0)


def test_a_layout_that_was_written_and_read_finds_the_same(packaged_photos: Photos) -> None:
    for image_id in packaged_photos.values():
        layout = layout_of_image(image_id)
        answers = search_layout(layout), search_layout(parse_layout(layout.to_json()))
        assert ids(answers[0]) == ids(answers[1])
        for one, other in zip(answers[0].hits, answers[1].hits, strict=True):
            assert one.score == pytest.approx(other.score, abs=2e-3)


def test_a_part_of_a_photo_is_searched_with_where_it_is(packaged_photos: Photos) -> None:
    whole = layout_of_photo(PACKAGED / "coffee.png")
    cup = whole.objects[whole.objects[:, 0] == ID_BY_NAME["cup"]][0]
    xmin, ymin, xmax, ymax = unit_box(cup)
    part = layout_of_part(whole, (xmin, ymin, xmax, ymax), PACKAGED / "coffee.png")
    assert cup.tolist() in part.objects.tolist()
    assert len(part.objects) < len(whole.objects)
    answer = search_layout(part)
    assert stems(answer)[0] == "coffee"
    assert answer.hits[0].why[0].asked == "cup"


@pytest.fixture
def small_horse(tmp_path: Path) -> Path:
    """A horse that is too small to be seen in a large empty photo."""
    path = tmp_path / "small horse.png"
    wide = Pillow.new("RGB", (4000, 4000), (128, 128, 128))
    with Pillow.open(HORSE) as horse:
        wide.paste(horse.convert("RGB").resize((400, 328)), (3400, 3500))
    wide.save(path)
    return path


SMALL_HORSE = (0.85, 0.875, 0.95, 0.957)


def test_a_part_in_which_nothing_was_seen_is_looked_at_again(
    small_horse: Path, packaged_photos: Photos
) -> None:
    whole = layout_of_photo(small_horse)
    assert whole.within(SMALL_HORSE).is_faint
    part = layout_of_part(whole, SMALL_HORSE, small_horse)
    best = part.objects[0]
    assert int(best[0]) == ID_BY_NAME["horse"]
    xmin, ymin, xmax, ymax = unit_box(best)
    assert SMALL_HORSE[0] - 0.01 <= xmin < xmax <= SMALL_HORSE[2] + 0.01
    assert SMALL_HORSE[1] - 0.01 <= ymin < ymax <= SMALL_HORSE[3] + 0.01
    # At the other end of the photo, but a horse.
    assert "horse" in stems(search_layout(part, weak=True))


@pytest.mark.parametrize(
    "part",
    [
        (0.0, 0.0, 0.1, 0.1),
        (0.5, 0.5, 0.500001, 0.500001),
        (0.999999, 0.999999, 1.0, 1.0),
        (0.0, 0.0, 1e-9, 1.0),
    ],
)
def test_a_part_that_shows_nothing_has_no_object(
    part: tuple[float, float, float, float], small_horse: Path, packaged_photos: Photos
) -> None:
    empty = layout_of_part(Layout(np.zeros((0, 6), np.float32)), part, small_horse)
    assert empty.objects.shape == (0, 6)
    with pytest.raises(QueryRefused, match="No object was recognised"):
        search_layout(empty)


def test_a_photo_without_objects_is_refused_with_a_sentence(packaged_photos: Photos) -> None:
    with pytest.raises(QueryRefused, match="No object was recognised"):
        search_layout(Layout(np.zeros((0, 6), np.float32)))


def test_a_photo_that_was_not_ingested_has_no_objects(packaged_photos: Photos) -> None:
    assert detections_of(10**9).shape == (0, 6)


def test_an_empty_gallery_answers_everything_with_nothing(gallery_data: Path) -> None:
    layout = parse_layout('[{"object": "dog", "box": [0, 0, 1, 1]}]')
    for weak in (False, True):
        for score in SCORES:
            for text in ("dog", "-dog", "only dogs", "wide", "dog on cat", "qqxqq"):
                answer = search_text(text, score_name=score, weak=weak)
                assert (answer.hits, answer.total, answer.hidden) == ([], 0, 0)
            assert search_layout(layout, score_name=score, weak=weak, mirror=True).hits == []


@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    text=st.text(max_size=60) | LANGUAGE_TEXTS,
    score=st.sampled_from(SCORES),
    weak=st.booleans(),
)
def test_any_text_is_answered_or_refused(
    text: str, score: str, weak: bool, packaged_photos: Photos
) -> None:
    try:
        answer = search_text(text, score_name=score, weak=weak)
    except QueryRefused:
        return
    assert len(answer.hits) == answer.total
    assert answer.hidden >= 0
    for hit in answer.hits:
        assert sum(reason.part for reason in hit.why) == pytest.approx(hit.score, abs=1e-4)


def test_every_packaged_photo_can_be_searched_with(packaged_photos: Photos) -> None:
    for path in (PACKAGED / "camera.png", PACKAGED / "retina.jpg", PACKAGED / "coins.png"):
        layout = layout_of_photo(path)
        assert layout.objects.shape[1] == 6
        assert (layout.objects[:, 0] > 0).all()
        search_layout(layout)
