"""Words of the query language itself that a query may go on with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date

from django.utils.translation import gettext_lazy

from featurestore.relations import RELATIONS
from gallery import describing
from gallery.query.filters import KEYS, LIKE
from gallery.query.unfinished import Unfinished
from gallery.query.words import ENDINGS, RELATION_PHRASES
from gallery.suggestion import Suggestion, suggestion

YEARS_SUGGESTED = 3

# What follows a thing, and what stands before one.
AFTER_A_THING = {
    "and": gettext_lazy("both in one photo"),
    **dict.fromkeys(RELATIONS, gettext_lazy("how they lie to each other")),
    "or": gettext_lazy("one or the other"),
    "without": gettext_lazy("with one, without the other"),
}
BEFORE_A_THING = {
    "only": gettext_lazy("and nothing else"),
    "without": gettext_lazy("photos that do not show it"),
    "big": gettext_lazy("large in the picture"),
    "small": gettext_lazy("small in the picture"),
    "several": gettext_lazy("three or more"),
    "at least": gettext_lazy("how many"),
    "at most": gettext_lazy("how many"),
}
SHAPES_SAID = {
    "wide": gettext_lazy("the shape of the photo"),
    "tall": gettext_lazy("the shape of the photo"),
    "square": gettext_lazy("the shape of the photo"),
}
FILTERS_SAID = {
    "after": gettext_lazy("uploaded since then"),
    "before": gettext_lazy("uploaded before then"),
    LIKE: gettext_lazy("what the whole picture shows, in your words"),
    "name": gettext_lazy("what the photo’s name holds"),
    "tag": gettext_lazy("what the photo is tagged with"),
    "type": gettext_lazy("the kind of file"),
}


def language_words(place: Unfinished) -> Iterator[Suggestion]:
    """Words of the language itself that begin so."""
    if place.follows_thing:
        yield from phrases_of(place, AFTER_A_THING)
        yield from _other_relations(place)
    else:
        yield from phrases_of(place, BEFORE_A_THING)
    for key in KEYS:
        if key.startswith(place.word) and (key != LIKE or describing.is_on()):
            yield suggestion(place, "language", f"{key}:", str(FILTERS_SAID[key]))
    for shape, said in SHAPES_SAID.items():
        if shape.startswith(place.word):
            yield suggestion(place, "language", shape, str(said), is_complete=True)


def _other_relations(place: Unfinished) -> Iterator[Suggestion]:
    """Other words for `RELATIONS` that begin so: "next to"."""
    for start, phrase in place.phrases():
        for words, relation in RELATION_PHRASES.items():
            spoken = " ".join(words)
            begins = len(phrase) > 1 and spoken.startswith(phrase) and spoken != phrase
            if begins and isinstance(relation, str) and spoken not in RELATIONS:
                yield suggestion(place, "language", spoken, f"→ {relation}", start=start)


def phrases_of(place: Unfinished, said: Mapping[str, object]) -> Iterator[Suggestion]:
    """Those of some words, each with what it says, that begin so."""
    for words, hint in said.items():
        for start, phrase in place.phrases():
            if words.startswith(phrase) and words != phrase:
                yield suggestion(place, "language", words, str(hint), start=start)
                break


def filter_values(place: Unfinished, key: str) -> Iterator[Suggestion]:
    """What a filter may be asked for, but for tags."""
    values = []
    if key in ("after", "before"):
        values = _dates()
    elif key == "type":
        values = sorted(set(ENDINGS.values()))
    for value in values:
        if f"{key}:{value}".startswith(place.word):
            yield suggestion(place, "language", f"{key}:{value}", is_complete=True)


def _dates() -> list[str]:
    today = date.today()
    years = [str(today.year - ago) for ago in range(YEARS_SUGGESTED)]
    return [f"{today:%Y-%m}", *years]
