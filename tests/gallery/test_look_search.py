"""Photos that look alike, lie alike, or both: by the functions, the API, the command and pages."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from PIL import Image as Pillow
from pytest_django import Settings

from featurestore.durable import write_durably
from featurestore.looks import EMBEDDING_DIMENSIONS
from gallery import components
from gallery.compared_looks import Mixture
from gallery.errors import QueryRefused
from gallery.hits import Answer
from gallery.look_projection import LookProjection, versions, write_projection
from gallery.look_search import Likeness, look_of_file, look_of_image, search_alike
from gallery.looking import fill_in_looks
from gallery.models import Image
from gallery.originals import thumbnail_path
from gallery.photo_queries import layout_of_photo
from gallery.search import layout_of_image
from gallery.tags.photo_tags import change_tags
from gallery.thumbnails import Size
from gallery.trash import move_to_trash
from tests.gallery.made_gallery import add_photo
from tests.gallery.served_gallery import MULTIPART, multipart
from tests.photos import CAT, COFFEE, MOTORCYCLE_AGAIN, drawn_png

pytestmark = pytest.mark.django_db

Photos = dict[str, int]


@pytest.fixture
def looked_at(packaged_photos: Photos) -> Photos:
    """Six photos whose looks are told, and one with no look and no object yet."""
    embedder = components.embedder()
    assert embedder is not None
    assert fill_in_looks(embedder)
    return packaged_photos


def like_file(path: Path, weight: float, *, weak: bool = True, **options: Any) -> Answer:
    return search_alike(
        layout_of_photo(path), lambda: look_of_file(path), Likeness(weight), weak=weak, **options
    )


def names(answer: Answer) -> list[str]:
    return [Path(hit.image.name).stem for hit in answer.hits]


def test_the_photo_that_looks_most_like_it_comes_first_and_says_so(looked_at: Photos) -> None:
    answer = like_file(MOTORCYCLE_AGAIN, 1)
    best = answer.hits[0]
    assert names(answer)[0] == "motorcycle_left"
    assert [reason.asked for reason in best.why] == ["look"]
    assert best.why[0].sentence == f"Looks alike: {round(100 * best.score)}%"
    assert best.score > 0.7 > max([0, *(hit.score for hit in answer.hits[1:])])
    [same, *_] = like_file(CAT, 1).hits
    assert same.score == pytest.approx(1, abs=0.02)


def test_the_weight_leads_from_the_layout_to_the_look_without_a_jump(looked_at: Photos) -> None:
    found = [like_file(MOTORCYCLE_AGAIN, weight) for weight in (0, 0.001, 0.5, 0.999, 1)]
    scores = [answer.hits[0].score for answer in found]
    assert scores[0] == pytest.approx(scores[1], abs=0.01)
    assert scores[3] == pytest.approx(scores[4], abs=0.01)
    assert min(scores) <= scores[2] <= max(scores)
    for answer in found:
        for hit in answer.hits:
            assert sum(reason.part for reason in hit.why) == pytest.approx(hit.score, abs=1e-3)
    assert {reason.asked for reason in found[2].hits[0].why} >= {"look", "motorcycle"}


def test_a_mixture_is_neither_moved_by_the_one_alone() -> None:
    layouts, looks = np.array([0.4, 0.1], np.float32), np.array([0.2, 0.8], np.float32)
    assert Mixture.of(0, 0.8, layouts).scores(looks, layouts).tolist() == layouts.tolist()
    assert Mixture.of(1, 0.8, layouts).scores(looks, layouts).tolist() == looks.tolist()
    middle = Mixture.of(0.5, 0.8, layouts).scores(looks, layouts)
    assert middle.tolist() == pytest.approx([0.6 * (0.5 + 0.125), 0.6 * (0.125 + 0.5)])
    nothing = np.zeros(2, np.float32)
    assert Mixture.of(0.5, 0.8, nothing).scores(looks, nothing).tolist() == looks.tolist()
    assert Mixture.of(0.5, 0.0, layouts).scores(nothing, layouts).tolist() == layouts.tolist()


def test_words_say_what_may_be_found(looked_at: Photos) -> None:
    assert names(like_file(COFFEE, 1, only="cat")) in (["chelsea"], [])
    every = search_alike(
        layout_of_photo(COFFEE), lambda: look_of_file(COFFEE), Likeness(0.5), only="cup", weak=True
    )
    assert names(every) == ["coffee"]
    # What a person says of a photo is an answer as well.
    change_tags([looked_at["chelsea"]], add=["summer party"])
    for weight in (0, 1):
        assert names(like_file(CAT, weight, only="summer party")) == ["chelsea"]
    with pytest.raises(QueryRefused):
        like_file(COFFEE, 0, only="(")


def test_what_is_in_the_trash_or_has_no_look_yet_is_left_out_and_counted(
    looked_at: Photos,
) -> None:
    move_to_trash([looked_at["motorcycle_left"]])
    add_photo("new.png", [])
    answer = like_file(MOTORCYCLE_AGAIN, 1)
    assert "motorcycle_left" not in names(answer)
    assert answer.without_look == 1


def test_a_photo_without_a_look_is_looked_at_when_it_is_asked_with(
    packaged_photos: Photos,
) -> None:
    image = Image.objects.get(pk=packaged_photos["chelsea"])
    vector = look_of_image(image.pk, lambda: thumbnail_path(image, Size.GRID))
    assert float(vector @ look_of_file(CAT)) > 0.98
    answer = search_alike(layout_of_image(image.pk), lambda: vector, Likeness(1))
    assert (answer.total, answer.without_look) == (0, 6)


def test_a_photo_with_no_object_has_a_look(looked_at: Photos, tmp_path: Path) -> None:
    plain = tmp_path / "plain.png"
    Pillow.new("RGB", (300, 200), (90, 120, 200)).save(plain)
    assert like_file(plain, 0.5).total >= 0


def test_without_looks_there_is_a_sentence(looked_at: Photos, settings: Settings) -> None:
    settings.LOOK_URL = components.LOOKS_OFF
    components.embedder.cache_clear()
    try:
        with pytest.raises(QueryRefused, match="switched off"):
            like_file(COFFEE, 1)
        assert like_file(COFFEE, 0).total
    finally:
        components.embedder.cache_clear()


@pytest.mark.parametrize(
    ("by", "weight", "expected"),
    [
        (None, None, 0),
        ("look", None, 1),
        ("layout", 0.7, 0),
        ("both", None, 0.5),
        ("both", 0.25, 0.25),
        (None, 0.7, 0.7),
    ],
)
def test_ways_and_weights(by: str | None, weight: float | None, expected: float) -> None:
    assert Likeness.of(by, weight).weight == expected


def test_the_api_compares_looks(looked_at: Photos, client: Client) -> None:
    cat = looked_at["chelsea"]
    answer = client.get(f"/api/v1/images/{cat}/similar?by=look&weak=1").json()
    assert cat not in [hit["id"] for hit in answer["results"]]
    assert answer["without_look"] == 0
    for facts in ("by=colour", "weight=2", "weight=nan", "by=look&score=original", "q=("):
        response = client.get(f"/api/v1/images/{cat}/similar?by=look&{facts}")
        assert response.status_code == 400, facts
        assert response.json()["detail"]


def post_photo(client: Client, path: Path, query: str) -> Any:
    body = multipart([(path.name, path.read_bytes())], field="file")
    return client.post(f"/api/v1/search/photo?{query}", body, content_type=MULTIPART)


def test_the_api_answers_with_the_best_hits_picture(looked_at: Photos, client: Client) -> None:
    response = post_photo(client, CAT, "by=look&format=image")
    assert response.status_code == 200
    assert response["Content-Type"] == "image/png"
    assert response.content == CAT.read_bytes()
    answer = post_photo(client, CAT, "by=look&output_limit=1&weak=1").json()
    assert [hit["name"] for hit in answer["results"]] == ["chelsea.png"]
    nothing = post_photo(client, CAT, "format=image&q=elephant")
    assert nothing.status_code == 404
    assert nothing.json()["detail"] == "No photo of the gallery is like this one."
    assert post_photo(client, CAT, "format=video").status_code == 400
    assert post_photo(client, CAT, "output_limit=0").status_code == 400


def search(*arguments: object) -> Any:
    output = io.StringIO()
    call_command("search", *map(str, arguments), "--json", stdout=output)
    return json.loads(output.getvalue())


def test_the_command_compares_looks(looked_at: Photos) -> None:
    found = search("--photo", MOTORCYCLE_AGAIN, "--by", "look")["results"]
    assert found[0]["name"] == "motorcycle_left.png"
    assert found[0]["why"][0]["asked"] == "look"
    both = search("--photo", MOTORCYCLE_AGAIN, "--look-weight", "0.5", "--only", "motorcycle")
    assert both["results"][0]["name"] == "motorcycle_left.png"
    for arguments in (("cat", "--by", "look"), ("--photo", CAT, "--look-weight", "3")):
        with pytest.raises(CommandError):
            search(*arguments)


def test_pages_offer_the_look_and_say_what_is_missing(looked_at: Photos, client: Client) -> None:
    cat = looked_at["chelsea"]
    page = client.get(f"/photos/{cat}/similar").content.decode()
    assert all(words in page for words in ('name="weight"', "Similar look"))
    add_photo("new.png", [])
    page = client.get(f"/photos/{cat}/similar?by=look&weak=1&q=motorcycle").content.decode()
    assert "The look of 1 photo is still being made" in page
    assert "Same layout" in page
    assert client.get(f"/photos/{cat}/similar?by=nothing").status_code == 400
    assert client.get(f"/photos/{cat}/similar?weight=x").status_code == 400
    body = multipart([("again.png", MOTORCYCLE_AGAIN.read_bytes())], field="photo")
    address = client.post("/search/photo", body, content_type=MULTIPART)["Location"]
    page = client.get(f"{address}?by=look").content.decode()
    assert all(words in page for words in ("motorcycle_left", "Looks alike"))
    drawn = multipart([("drawn.png", drawn_png())], field="photo")
    address = client.post("/search/photo", drawn, content_type=MULTIPART)["Location"]
    assert client.get(f"{address}?by=look").status_code == 200


def test_what_was_learnt_of_looks_is_what_they_are_compared_in(looked_at: Photos) -> None:
    model_id = components.look_model_id()
    assert model_id is not None
    assert names(like_file(MOTORCYCLE_AGAIN, 1, weak=False)) == ["motorcycle_left"]
    # A look in which only the sum counts, so that all photos look the same.
    same = LookProjection(
        model_id,
        np.zeros(EMBEDDING_DIMENSIONS, np.float16),
        np.ones((EMBEDDING_DIMENSIONS, 1), np.float16),
    )
    versions().add(lambda path: write_projection(path, same), {})
    assert len(like_file(MOTORCYCLE_AGAIN, 1).hits) == len(looked_at)
    versions().back()
    assert names(like_file(MOTORCYCLE_AGAIN, 1, weak=False)) == ["motorcycle_left"]
    # A file that was damaged is told in the log, and costs nobody a search.
    versions().add(lambda path: write_durably(path, lambda file: file.write_bytes(b"?")), {})
    assert names(like_file(MOTORCYCLE_AGAIN, 1, weak=False)) == ["motorcycle_left"]
