"""Tags that people give: durable, searchable at once, and before what any machine suggests."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.utils import translation
from pytest_django import DjangoAssertNumQueries

from gallery import components
from gallery.agreement import agree_after_crash
from gallery.errors import EditRefused, QueryRefused
from gallery.models import Image, PhotoTag
from gallery.rebuilding import rebuild_catalogue
from gallery.search import search_text
from gallery.tags.photo_tags import change_tags, tags_of
from gallery.tags.tag_index import tag_index
from gallery.text_query import read_query

pytestmark = pytest.mark.django_db


def suggest(image_id: int, name: str, probability: float) -> None:
    """As a tagger does it."""
    PhotoTag.objects.create(
        image_id=image_id, name=name, key=name, tagger="fashion", probability=probability
    )


def found(query: str) -> list[int]:
    return [hit.image.pk for hit in search_text(query).hits]


def test_a_tag_is_found_at_once_in_all_ways_to_write_it(packaged_photos: dict[str, int]) -> None:
    horse, rocket = packaged_photos["horse"], packaged_photos["rocket"]
    assert found("tag:t-shirt") == []
    change_tags([horse], add=["Summer  Party", "T-shirt"])
    for query in ("summer party", "summer parties", "t-shirts", "tshirt", "tag:t-shirt"):
        assert found(query) == [horse], query
    assert found('tag:"summer party"') == [horse]
    said = StringIO()
    call_command("search", "summer parties", stdout=said)
    assert said.getvalue().startswith("“summer parties” was read as the tag “summer party”.\n")
    assert rocket in found("-tag:t-shirt")
    assert horse not in found("-tag:t-shirt")
    change_tags([horse], remove=["summer party"])
    assert found('tag:"summer party"') == []


def test_a_tag_in_the_words_of_the_reader_is_found_beside_what_they_mean(
    packaged_photos: dict[str, int],
) -> None:
    cat, horse = packaged_photos["chelsea"], packaged_photos["horse"]
    change_tags([horse], add=["sandale", "chat"])
    with translation.override("fr"):
        assert found("sandales") == [horse]
        assert set(found("chats")) == {cat, horse}
        assert found("cat") == found('"chat"') == [cat]
        query = read_query("chats, sandale, chien", components.vocabulary(), tag_index)
        assert query.printed == "chats, sandale, dog"
        assert query.tags == {"chat", "sandale"}
        [_, sandal, _] = query.readings
        assert sandal.meaning is not None
        assert sandal.meaning.look_names[0] == "sandal"


def test_commas_part_tags_and_objects_and_blanks_join_them(
    packaged_photos: dict[str, int],
) -> None:
    cat, cup = packaged_photos["chelsea"], packaged_photos["coffee"]
    rocket = packaged_photos["rocket"]
    suggest(rocket, "dress", 0.6)
    suggest(cup, "dress", 0.93)
    suggest(cup, "shoes", 0.3)
    assert found("dress") == [cup, rocket]
    assert found("shoe, cat") == [cat, cup]
    both = search_text("dress cup")
    assert both.hits[0].image.pk == cup
    assert sum(reason.part for reason in both.hits[0].why) == pytest.approx(both.hits[0].score)
    without = {hit.image.pk: hit.score for hit in search_text("cup -dress").hits}
    assert without[cup] < 0.1
    assert found("dress > 70%") == [cup]
    [reason] = search_text("dress").hits[0].why
    assert reason.sentence == "dress: tagged dress 93%"
    assert reason.is_met


def test_words_of_no_tag_ask_the_catalogue_once(
    gallery_data: Path, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    vocabulary = components.vocabulary()
    with django_assert_num_queries(1):
        read_query("big dog left of the old blue couch -chair, 2 cats", vocabulary, tag_index)


def test_what_people_say_counts_before_what_is_suggested(packaged_photos: dict[str, int]) -> None:
    cup, cat = packaged_photos["coffee"], packaged_photos["chelsea"]
    suggest(cup, "dress", 0.93)
    change_tags([cup], remove=["dress"])
    assert found("dress") == []
    assert found("tag:dress") == []
    assert tags_of(cup) == []
    change_tags([cup], add=["dress"])
    assert [(tag.name, tag.by_person) for tag in tags_of(cup)] == [("dress", True)]
    assert search_text("dress").hits[0].score == pytest.approx(1)
    # A person sees the dog that the detector does not.
    assert found("dog") != [cat]
    change_tags([cat], add=["dog"])
    assert found("dog")[0] == cat


def test_tags_outlive_kills_and_the_catalogue(packaged_photos: dict[str, int]) -> None:
    cat = packaged_photos["chelsea"]
    change_tags([cat], add=["tiger", "grandma's"])
    PhotoTag.objects.all().delete()
    agree_after_crash()
    assert [tag.name for tag in tags_of(cat)] == ["grandma's", "tiger"]
    rebuild_catalogue()
    assert found("tag:tiger") == [cat]
    # A change that the store has and the catalogue has not, and the other way round.
    PhotoTag.objects.all().delete()
    suggest(cat, "tiger", 0.9)
    PhotoTag.objects.create(image_id=packaged_photos["horse"], name="stray", key="stray")
    agree_after_crash()
    assert not PhotoTag.objects.filter(name="stray").exists()
    assert found("tag:tiger") == [cat]


@pytest.mark.parametrize("name", ["", " ,", "a" * 51, "tag:x", 'say "hi"', "!?"])
def test_a_tag_that_the_language_could_not_name_is_refused(
    packaged_photos: dict[str, int], name: str
) -> None:
    with pytest.raises(EditRefused):
        change_tags([packaged_photos["horse"]], add=[name])


@pytest.mark.parametrize("query", ["2 beaches", "big beach", "cat on beach", "only beaches"])
def test_what_a_tag_does_not_say_is_refused_in_a_sentence(
    packaged_photos: dict[str, int], query: str
) -> None:
    change_tags([packaged_photos["horse"]], add=["beach"])
    with pytest.raises(QueryRefused, match=r"“beach(es)?” is a tag"):
        search_text(query)


def test_a_tag_takes_the_place_of_a_class_that_is_merely_near(
    packaged_photos: dict[str, int],
) -> None:
    vocabulary = components.vocabulary()
    [before] = read_query("shoes", vocabulary).readings
    assert before.meaning is not None
    assert before.meaning.class_names == ["handbag"]
    [reading] = read_query("shoes", vocabulary, tag_index).readings
    assert reading.tag == "shoes"
    # Its look still tells a shoe.
    assert reading.meaning is not None
    assert (reading.meaning.class_names, reading.meaning.is_look) == ([], True)
    change_tags([packaged_photos["horse"]], add=["animal"])
    # Kinds of animals still are animals.
    assert {packaged_photos["horse"], packaged_photos["chelsea"]} <= set(found("animal"))


def test_tags_are_changed_on_the_page_and_by_scripts(
    packaged_photos: dict[str, int], client: Client
) -> None:
    cup, cat = packaged_photos["coffee"], packaged_photos["chelsea"]
    suggest(cup, "dress", 0.93)
    suggest(cup, "hat", 0.2)
    page = client.get(f"/photos/{cup}/").content.decode()
    assert "93%" in page
    assert "suggested by the machine" in page
    assert ">hat<" not in page
    client.post(f"/photos/{cup}/tags", {"remove": "dress"})
    client.post(f"/photos/{cup}/tags", {"add": "breakfast, my cup"})
    page_in_results = "?from=/search?q=cup&at=1"
    refused = client.post(
        f"/photos/{cup}/tags{page_in_results}", {"add": "fine, " + "a" * 60}, follow=True
    )
    assert "at most 50 characters" in refused.content.decode()
    # What was typed is still there, and so are the results that the photo was opened from.
    assert 'value="fine, aaa' in refused.content.decode()
    assert refused.redirect_chain[0][0].startswith(f"/photos/{cup}/{page_in_results}&tags=fine")

    def ask(method: str, address: str, body: object = None) -> Any:
        response = client.generic(
            method, f"/api/v1{address}", json.dumps(body), content_type="application/json"
        )
        return response.json()

    tags = ask("GET", f"/images/{cup}/tags")["tags"]
    assert [(tag["name"], tag["source"]) for tag in tags] == [
        ("breakfast", "person"),
        ("my cup", "person"),
    ]
    assert ask("POST", "/tags", {"images": [cup, cat, 10**6], "add": ["mine"]}) == {"photos": 2}
    suggested = client.get("/suggest", {"q": "min"}).json()["suggestions"]
    assert ("mine", 2) in {(one["label"], one["photos"]) for one in suggested}
    [value] = client.get("/suggest", {"q": "tag:my"}).json()["suggestions"]
    assert value["label"] == 'tag:"my cup"'
    changed = ask("PATCH", f"/images/{cup}/tags", {"remove": ["my cup"], "add": ["hat"]})
    assert [tag["name"] for tag in changed["tags"]] == ["breakfast", "hat", "mine"]
    assert ask("GET", "/tags?beginning=mi") == [{"name": "mine", "photos": 2}]
    assert "detail" in ask("PATCH", f"/images/{cup}/tags", {"add": ["x"], "remove": ["X"]})
    results = ask("GET", "/search?q=mine")
    assert {hit["id"] for hit in results["results"]} == {cup, cat}
    assert results["parts"][0]["readings"][0]["tag"] == "mine"


def test_deleted_photos_take_their_tags_with_them(packaged_photos: dict[str, int]) -> None:
    horse = packaged_photos["horse"]
    change_tags([horse], add=["beach"])
    Image.objects.filter(pk=horse).delete()
    assert found("tag:beach") == []
    assert PhotoTag.objects.count() == 0


def test_many_photos_are_tagged_at_once_and_exactly_that_is_taken_back(
    packaged_photos: dict[str, int], client: Client
) -> None:
    cup, cat, rocket = (packaged_photos[name] for name in ("coffee", "chelsea", "rocket"))
    suggest(cup, "mug", 0.9)
    suggest(rocket, "mug", 0.9)
    change_tags([cat], add=["mug"])
    change_tags([rocket], remove=["mug"])

    def post(**facts: object) -> dict[str, str]:
        answer = client.post("/photos/tags", facts, headers={"Accept": "application/json"})
        return {"status": str(answer.status_code), **answer.json()}

    answer = post(photos=f"{cup},{cat},{rocket},999", tags=" Mug,,Sale ")
    assert answer["sentence"] == "3 photos are tagged: Mug, Sale."
    names = {pk: [tag.name for tag in tags_of(pk) if tag.by_person] for pk in (cup, cat, rocket)}
    assert names == {key: ["mug", "sale"] for key in (cup, cat, rocket)}
    assert post(undo=answer["undo"])["sentence"] == "The tags are as they were."
    assert [(tag.name, tag.by_person) for tag in tags_of(cup)] == [("mug", False)]
    assert [(tag.name, tag.by_person) for tag in tags_of(cat)] == [("mug", True)]
    assert tags_of(rocket) == []
    assert post(photos=str(cat), tags="mug")["undo"] == ""
    for wrong in (
        {"photos": str(cat), "tags": " , "},
        {"photos": str(cat), "tags": ",".join("abcdefghijk")},
        {"photos": "", "tags": "mug"},
        {"undo": "[1]"},
        {"undo": '[{"name": "x", "images": ["a"], "refused": []}]'},
    ):
        refused = post(**wrong)
        assert refused["status"] == "400"
        assert refused["detail"]
    page = client.post("/photos/tags", {"photo": [cat], "tags": "sale"}, follow=True)
    assert b"1 photo is tagged: sale." in page.content
