"""Saved searches: made, shared, renamed, deleted, had back; and kept as well as accounts are."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from gallery.access.roles import Role
from gallery.agreement import agree_after_crash
from gallery.errors import QueryRefused
from gallery.models import Image, SavedSearch
from gallery.rebuilding import rebuild_catalogue
from gallery.saved.kept_searches import (
    SearchesUnreadable,
    bring_searches,
    searches_text,
)
from gallery.saved.queries import parse_saved
from gallery.saved.saving import save_search
from tests.conftest import empty_data_folder
from tests.gallery.people import person

pytestmark = pytest.mark.django_db

LAYOUT = '[{"object":"cat","box":[0.1,0.1,0.9,0.9]}]'


def test_a_search_is_saved_shared_renamed_deleted_and_had_back(
    packaged_photos: dict[str, int], client: Client
) -> None:
    page = client.get("/search?q=kitten&weak=1&offset=0").content.decode()
    query = re.search(r'name="query" value="([^"]+)"', page)
    assert query is not None
    asked = query[1].replace("&amp;", "&")
    saved = client.post(reverse("save_search"), {"name": " Cats  at home ", "query": asked})
    address = saved["Location"]
    assert re.fullmatch(r"/searches/[a-z2-9]{10}/cats-at-home/", address)
    assert client.get(address)["Location"] == "/search?q=kitten&weak=1"
    assert "Saved as “Cats at home”" in client.get("/search?q=kitten&weak=1").content.decode()

    search = SavedSearch.objects.get()
    client.post(reverse("rename_search", args=[search.key]), {"name": "Katzen 猫"})
    listed = client.get(reverse("searches")).content.decode()
    assert "Katzen 猫" in listed
    assert "photo" in listed
    assert client.get(address)["Location"] == "/search?q=kitten&weak=1"

    gone = client.post(reverse("delete_search", args=[search.key]))
    assert client.get(address).status_code == 404
    form = client.get(gone["Location"]).content.decode()
    assert "“Katzen 猫” is deleted" in form
    client.post(
        reverse("save_search"), {"name": "Katzen 猫", "query": search.query, "key": search.key}
    )
    assert client.get(address)["Location"] == "/search?q=kitten&weak=1"


def test_drawings_and_photos_are_saved_as_well(
    packaged_photos: dict[str, int], client: Client
) -> None:
    cat = packaged_photos["chelsea"]
    drawing = save_search("", f"layout={LAYOUT}&mirror=1&offset=48", None)
    assert (drawing.name, drawing.query) == ("Drawing: cat", "layout=" + drawing.query[7:])
    assert drawing.query.endswith("&mirror=1")
    similar = save_search("", f"similar={cat}&part=0,0,0.5,1", None)
    assert similar.name.startswith("Like chelsea")
    for search in (drawing, similar):
        results = client.get(search.get_absolute_url(), follow=True)
        assert results.status_code == 200
        assert f"Saved as “{search.name}”" in results.content.decode()
    Image.objects.filter(pk=cat).delete()
    assert client.get(reverse("searches")).status_code == 200


@pytest.mark.parametrize(
    ("name", "query", "sentence"),
    [
        ("cats", "", "A saved search has words"),
        ("cats", "q=cat&layout=[]", "one."),
        ("cats", "q=(", "Brackets"),
        ("cats", "layout=[]", "This layout has no object in it"),
        ("cats", "similar=999999", "There is no photo 999999"),
        ("cats", "similar=x", "A photo is named by its number"),
        ("cats", "similar=" + "9" * 4000, "A photo is named by its number"),
        ("c" * 121, "q=cat", "The name has 121 characters; the limit is 120."),
        ("\x00\x07", "q=cat", "A saved search needs a name."),
        ("cats", "q=" + "c" * 40_000, "too long"),
    ],
)
def test_what_cannot_be_saved_is_refused_with_a_sentence(
    name: str, query: str, sentence: str, packaged_photos: dict[str, int], client: Client
) -> None:
    with pytest.raises(QueryRefused, match=re.escape(sentence)):
        save_search(name, query, None)
    page = client.post(reverse("save_search"), {"name": name, "query": query})
    assert page.status_code == 400
    assert not SavedSearch.objects.exists()


def test_the_same_search_is_saved_once(packaged_photos: dict[str, int]) -> None:
    first = save_search("cats", "q=cat&weak=0&company=&offset=48", None)
    assert save_search("others", "/search?q=cat", None) == first
    assert parse_saved(first.query).text == first.query == "q=cat"


def test_scripts_list_make_and_delete(packaged_photos: dict[str, int], client: Client) -> None:
    def post(**new: str) -> Any:
        return client.post("/api/v1/searches", json.dumps(new), content_type="application/json")

    made = post(name="cats", query="q=kitten")
    assert made.status_code == 201
    [listed] = client.get("/api/v1/searches").json()
    assert listed == made.json()
    assert client.get(listed["results_url"]).status_code == 200
    assert "Brackets" in post(query="q=(").json()["detail"]
    assert client.delete(f"/api/v1/searches/{listed['key']}").status_code == 204
    gone = client.delete(f"/api/v1/searches/{listed['key']}")
    assert gone.status_code == 404
    assert "no such saved search" in gone.json()["detail"]
    unknown = client.get("/api/v1/unknown")
    assert unknown.status_code == 404
    assert unknown.json()["detail"] == "There is nothing at this address."


def test_saved_searches_are_in_a_backup(gallery_data: Path, tmp_path: Path) -> None:
    ada = person("ada", Role.EDITOR)
    kept = save_search("cats", "q=cat", ada)
    call_command("backup", str(tmp_path / "backup"), verbosity=0)
    # A backup of an older gallery is brought up to date as well.
    call_command("backup", str(tmp_path / "backup"), verbosity=0)
    SavedSearch.objects.all().delete()
    ada.delete()
    stranger = SavedSearch.objects.create(name="dogs", query="q=dog")
    with empty_data_folder(tmp_path / "restored"):
        call_command("restore", str(tmp_path / "backup"), verbosity=0)
        back = SavedSearch.objects.get(key=kept.key)
        assert (back.name, back.query, back.made_at) == (kept.name, kept.query, kept.made_at)
        assert back.made_by is not None
        assert back.made_by.username == "ada"
        assert SavedSearch.objects.filter(pk=stranger.pk).exists()


def test_rebuilding_the_catalogue_keeps_them(gallery_data: Path) -> None:
    save_search("cats", "q=cat", None)
    rebuild_catalogue()
    assert SavedSearch.objects.get().name == "cats"
    text = searches_text().text
    waiting = gallery_data / "searches.jsonl"
    SavedSearch.objects.all().delete()
    waiting.write_text(text, encoding="utf-8")
    rebuild_catalogue()
    assert SavedSearch.objects.get().name == "cats"
    assert not waiting.exists()
    SavedSearch.objects.all().delete()
    waiting.write_text("{", encoding="utf-8")
    rebuild_catalogue()
    assert [path.read_text() for path in (gallery_data / "quarantine").iterdir()] == ["{"]
    # What a kill left waiting is taken over by the next worker.
    waiting.write_text(text, encoding="utf-8")
    agree_after_crash()
    assert SavedSearch.objects.get().name == "cats"
    assert not waiting.exists()


@pytest.mark.parametrize("text", ["{", "[]", '{"key": "x"}', "null"])
def test_a_text_that_has_no_searches_is_told(text: str, gallery_data: Path) -> None:
    with pytest.raises(SearchesUnreadable):
        bring_searches(text)
    assert not SavedSearch.objects.exists()
