"""The French catalogue is whole, and what visitors read is in their language."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polib
import pytest
from django.conf import settings
from django.test import Client
from django.utils import translation

from detector.labels import CLASS_NAMES, ID_BY_NAME
from detector.look_labels import LOOK_NAMES, names_in
from gallery import components
from gallery.alt_text import alt_text
from gallery.explaining import TextReasons
from gallery.figures import grouped, percentage
from gallery.look_names import look_called, shown_look, typed_look
from gallery.object_names import NAMES, class_called, shown_name
from gallery.query.words import RESERVED_WORDS
from gallery.shown_hits import text_colours
from gallery.suggesting import Gallery, suggest
from gallery.templatetags.pictures import meaning_in_words
from gallery.text_query import read_query
from tests.gallery.catalogues import Message, bare_texts, of_python, of_script, of_template
from tests.gallery.served_gallery import REPOSITORY

FOLDER = Path(settings.LOCALE_PATHS[0]) / "fr" / "LC_MESSAGES"
DOMAINS = ("django", "djangojs")
TEMPLATES = sorted((REPOSITORY / "templates").rglob("*.html"))
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%%|</?\w+[^>]*>")
FRENCH = {"Accept-Language": "fr-CH, fr;q=0.9, en;q=0.5"}


def catalogue(domain: str) -> polib.POFile:
    return polib.pofile(str(FOLDER / f"{domain}.po"))


def texts_of(entry: polib.POEntry) -> list[str]:
    return list(entry.msgstr_plural.values()) if entry.msgid_plural else [entry.msgstr]


def asked_for(domain: str) -> Iterator[tuple[Path, Message]]:
    """Every message of the sources with where it is."""
    if domain == "djangojs":
        for path in sorted((REPOSITORY / "gallery" / "static").rglob("*.js")):
            yield from ((path, message) for message in of_script(path.read_text()))
        return
    for path in sorted((REPOSITORY / "gallery").rglob("*.py")):
        yield from ((path, message) for message in of_python(path.read_text()))
    for path in TEMPLATES:
        yield from ((path, message) for message in of_template(path.read_text()))


@pytest.mark.parametrize("domain", DOMAINS)
def test_every_sentence_of_the_sources_is_in_the_catalogue(domain: str) -> None:
    known = {(entry.msgctxt or "", entry.msgid, entry.msgid_plural) for entry in catalogue(domain)}
    missing = {message: path.name for path, message in asked_for(domain) if message not in known}
    assert missing == {}, "run `make messages`"


@pytest.mark.parametrize("domain", DOMAINS)
def test_every_sentence_is_translated_with_the_same_blanks_to_fill(domain: str) -> None:
    for entry in catalogue(domain):
        assert entry.translated(), entry.msgid
        assert not entry.fuzzy, entry.msgid
        forms = {frozenset(PLACEHOLDER.findall(one)) for one in (entry.msgid, entry.msgid_plural)}
        for text in texts_of(entry):
            assert frozenset(PLACEHOLDER.findall(text)) in forms, text
            # A blank that does not break stands before high signs and within quotation marks.
            assert not re.search(r" [;:?!»]|« |'|“", re.sub(r"<[^>]*>|cat > |name:", "", text)), (
                text
            )


@pytest.mark.parametrize("domain", DOMAINS)
def test_the_compiled_catalogue_says_the_same(domain: str) -> None:
    compiled = polib.mofile(str(FOLDER / f"{domain}.mo"))
    said = {(entry.msgctxt, entry.msgid): texts_of(entry) for entry in compiled}
    assert said == {(entry.msgctxt, entry.msgid): texts_of(entry) for entry in catalogue(domain)}


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_no_template_speaks_one_language_only(template: Path) -> None:
    assert bare_texts(template) == []


def test_every_class_has_french_names_that_mean_it_alone() -> None:
    assert set(NAMES) == set(CLASS_NAMES)
    with translation.override("fr"):
        for name in CLASS_NAMES:
            for shown in (shown_name(name), shown_name(name, 2)):
                # The English numbers come first.
                assert class_called(shown) == name or shown in RESERVED_WORDS, shown
                assert ID_BY_NAME.get(shown, ID_BY_NAME[name]) == ID_BY_NAME[name], shown
        assert class_called("ŒUF") is None
        assert class_called("Téléphone PORTABLE") == class_called("telephone portable")
    assert class_called("chien") is None


def test_every_look_has_a_french_name_that_means_it_alone() -> None:
    assert list(names_in("fr")) == list(LOOK_NAMES)
    with translation.override("fr"):
        typed = [name for name in LOOK_NAMES if typed_look(name) is not None]
        assert len(typed) > 970
        for name in typed:
            shown = shown_look(name)
            assert shown == shown.strip() != ""
            singular = shown.split(" (")[0]
            plural = singular if singular.endswith(("s", "x")) else f"{singular}s"
            assert look_called(shown) == look_called(plural) == typed_look(name), shown
        assert (look_called("Châteaux"), look_called("chateau")) == ("castle", "castle")
        assert look_called("lapins angora") == "angora"
        assert look_called("fort") is None
    assert shown_look("castle") == "castle"
    assert look_called("château") is None


def test_reasons_say_what_was_typed_and_keep_the_colours_of_the_parts_of_the_query() -> None:
    objects = np.array([[ID_BY_NAME["cat"], 0.91, 0, 0, 9, 9]], np.float32)
    with translation.override("fr"):
        query = read_query("2+ Chiens near vélo, Chats", components.vocabulary())
        assert text_colours(query) == {"2+ dog near bicycle": 0, "cat": 1, "2+ dog": 0}
        [reason] = TextReasons(query).of(objects)
        assert (reason.asked, reason.sentence) == ("cat", "Chats\xa0: certitude 91\u202f%")
        # What is typed twice asks for nothing more, whatever its letters.
        twice = read_query("2 chiens near 2 CHIENS", components.vocabulary())
        assert twice.said == (("2 chiens near 2 CHIENS", "2 chiens"),)


def test_french_names_are_understood_and_become_the_words_of_the_language() -> None:
    with translation.override("fr"):
        query = read_query("3+ Chiens near vélo, verre à vin -chat", components.vocabulary())
        assert query.printed == "3+ dog near bicycle, wine glass -cat"
        assert query.said == (("3+ Chiens near vélo", "3+ Chiens"), ("verre à vin", "-chat"))
        assert query.is_translated
        [suggestion, *_] = suggest("chi", 3, Gallery(components.vocabulary(), {}))
        assert (suggestion.label, suggestion.hint, suggestion.text) == ("dog", "chien", "dog ")
        query = read_query("châteaux, berger allemand", components.vocabulary())
        assert query.printed == "castle, german shepherd"
        meaning = query.readings[0].meaning
        assert meaning is not None
        assert meaning_in_words(meaning) == "château"
        looks = {LOOK_NAMES.index("castle"): 3}
        [suggestion, *_] = suggest("châte", 5, Gallery(components.vocabulary(), {}, looks))
        assert (suggestion.label, suggestion.hint, suggestion.photos) == ("castle", "château", 3)
    assert not read_query("3+ dogs", components.vocabulary()).is_translated


def test_sentences_numbers_and_pictures_are_told_in_french() -> None:
    left, right = (0.0, 0.4, 0.2, 0.6), (0.8, 0.4, 1.0, 0.6)
    with translation.override("fr"):
        words = alt_text([("dog", left), ("dog", left), ("person", right)])
        assert words == "Deux chiens à gauche, une personne à droite"
        assert (grouped(12345), grouped(1.25, 1)) == ("12\xa0345", "1,2")
        assert percentage(0.914) == "91\u202f%"
    assert (grouped(12345), percentage(0.914)) == ("12,345", "91%")


@pytest.mark.django_db
def test_pages_follow_the_browser_and_then_the_choice(gallery_data: Path) -> None:
    client = Client()
    page = client.get("/login", headers=FRENCH)
    assert '<html lang="fr" dir="ltr">' in page.content.decode()
    assert "Se connecter" in page.content.decode()
    assert page["Content-Language"] == "fr"
    assert {"Accept-Language", "Cookie"} <= set(page["Vary"].split(", "))
    assert '<html lang="en"' in client.get("/login").content.decode()
    assert (
        '<html lang="en"'
        in client.get("/login", headers={"Accept-Language": "tlh"}).content.decode()
    )
    chosen = client.post("/language", {"language": "en", "next": "/photos/"}, headers=FRENCH)
    assert (chosen.status_code, chosen["Location"]) == (302, "/photos/")
    assert chosen.cookies["language"]["httponly"]
    assert '<html lang="en"' in client.get("/login", headers=FRENCH).content.decode()
    astray = client.post("/language", {"language": "fr", "next": "https://elsewhere.test/"})
    assert astray["Location"] == "/"


@pytest.mark.django_db
def test_programs_read_english_and_scripts_of_pages_what_the_visitor_reads(
    gallery_data: Path,
) -> None:
    client = Client()
    refused = client.get("/api/v1/search?q=(", headers=FRENCH)
    assert "Brackets have no meaning" in refused.json()["detail"]
    asked = client.get("/api/v1/search?q=(", headers=FRENCH | {"Sec-Fetch-Site": "same-origin"})
    assert "Les parenthèses" in asked.json()["detail"]
    assert "Sec-Fetch-Site" in asked["Vary"]
    assert client.get("/readyz", headers=FRENCH).status_code in (200, 503)


@pytest.mark.django_db
def test_scripts_have_their_texts_at_an_address_that_may_be_kept(gallery_data: Path) -> None:
    client = Client()
    page = client.get("/photos/", headers=FRENCH).content.decode()
    [address] = re.findall(r'<script defer src="(/script-texts/fr\.js\?v=\w+)">', page)
    texts = client.get(address)
    assert texts["Content-Type"].startswith("text/javascript")
    assert "immutable" in texts["Cache-Control"]
    assert "Copier" not in texts.content.decode()
    assert "Adresse copi" in texts.content.decode()
    assert client.get("/script-texts/fr.js")["Cache-Control"] == "no-cache"
    assert client.get("/script-texts/tlh.js").status_code == 404
    assert "script-texts" not in client.get("/photos/").content.decode()
