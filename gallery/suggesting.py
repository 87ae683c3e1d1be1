"""What a query may go on with while it is typed: objects of the photos, words, the language."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice

from django.utils.translation import gettext as _
from rapidfuzz.distance import OSA

from detector.labels import CLASS_NAMES, ID_BY_NAME
from detector.look_labels import LOOK_NAMES
from gallery.look_names import shown_look, typed_look
from gallery.object_names import plainly, shown_name
from gallery.plurals import plural, singulars
from gallery.query.syntax import MAX_QUERY_LENGTH
from gallery.query.unfinished import Unfinished, unfinished_at
from gallery.suggested_language import AFTER_A_THING, filter_values, language_words, phrases_of
from gallery.suggestion import Suggestion, suggestion
from gallery.tags.names import tag_query
from gallery.vocabulary import Vocabulary

MOST_SUGGESTIONS = 8
MOST_OBJECTS = 6
MOST_WORDS = 4
MOST_TAGS = 3
MOST_OF_LANGUAGE = 5
# Shorter words are rather not complete yet than mistyped.
LEAST_MISTYPED = 3
LONG_BEGINNING = 5
# "Winner" is a person as well, but nobody looks for people so.
LEAST_SIMILARITY = 0.4


@dataclass(frozen=True)
class Gallery:
    """What suggestions are made from."""

    vocabulary: Vocabulary
    photos: Mapping[int, int]
    """How many photos surely show each class, by category id."""
    looks: Mapping[int, int] = field(default_factory=dict)
    """How many photos surely look like each class of the appearance model, by its number."""
    tags: Callable[[str], Mapping[str, int]] = lambda beginning: {}
    """How many photos have each tag that begins so."""

    def count(self, name: str) -> int:
        return self.photos.get(ID_BY_NAME[name], 0)

    def by_count(self) -> list[str]:
        """All class names, those that most photos show first."""
        return sorted(CLASS_NAMES, key=lambda name: -self.count(name))


def suggest(text: str, caret: int, gallery: Gallery) -> list[Suggestion]:
    """What a query may go on with at a caret, the likeliest first."""
    text = text[:MAX_QUERY_LENGTH]
    place = unfinished_at(text, caret)
    found = list(_found(place, gallery))
    once = {one.text.strip(): one for one in reversed(found)}
    # What is there already says nothing.
    kept = [one for one in found if once.get(one.text.strip()) is one]
    return [one for one in kept if one.text.strip() != text.strip() or one.photos is not None][
        :MOST_SUGGESTIONS
    ]


def _found(place: Unfinished, gallery: Gallery) -> Iterator[Suggestion]:
    key = place.filter_key
    if key is not None and not place.quoted:
        yield from _tag_values(place, gallery) if key == "tag" else filter_values(place, key)
        return
    if not place.word:
        if place.follows_thing:
            yield from phrases_of(place, AFTER_A_THING)
        else:
            yield from islice(_common_objects(place, gallery), MOST_OBJECTS)
        return
    if place.quoted:
        yield from _objects(place, gallery)
        return
    if place.word.rstrip("+").isdecimal():
        yield from _counted(place, gallery)
        return
    language = list(islice(language_words(place), MOST_OF_LANGUAGE))
    phrases = [one for one in language if _spans_words(one, place)]
    if phrases:
        # "next t" is rather "next to" than two things.
        yield from phrases
        return
    objects = list(islice(_objects(place, gallery), MOST_OBJECTS))
    objects += islice(_tags(place, gallery), MOST_TAGS)
    words = list(islice(_words(place, gallery), MOST_WORDS))
    if any(_spans_words(one, place) for one in objects):
        language = words = []
    if place.follows_thing:
        yield from language
        language = []
    # Nothing is mended that can still be something.
    if not objects and not words and not language:
        objects = list(islice(_mended(place, gallery), MOST_OBJECTS))
    room = MOST_SUGGESTIONS - min(len(language), 2) - min(len(words), 2)
    yield from objects[:room]
    yield from words
    yield from language


def _spans_words(one: Suggestion, place: Unfinished) -> bool:
    """Whether it takes the place of more than the unfinished word."""
    return not one.text.startswith(place.text[: place.start])


def _objects(place: Unfinished, gallery: Gallery) -> Iterator[Suggestion]:
    """Classes one of whose words begins so, those that most photos show first."""
    for start, phrase in place.phrases():
        names = [name for name in gallery.by_count() if _begins(name, phrase)]
        # A name that begins so comes before one that only has such a word.
        names.sort(key=lambda name: not name.startswith(tuple(singulars(phrase))))
        for name in names:
            yield _object(place, gallery, name, start)
        if names and start < place.start:
            # Two words that begin a name are hardly two things.
            return


def _begins(name: str, phrase: str) -> bool:
    # In the language of the query, and in the reader's.
    if plainly(shown_name(name)).startswith(plainly(phrase)):
        return True
    if " " in phrase:
        return name.startswith(phrase) or plural(name).startswith(phrase)
    words = (name, plural(name), *name.split(" "))
    return any(word.startswith(phrase) for word in words)


def _object(
    place: Unfinished, gallery: Gallery, name: str, start: int | None = None, hint: str = ""
) -> Suggestion:
    number = place.number_before
    label = name if number in (None, 1) or place.quoted else plural(name)
    shown = shown_name(name)
    hint = hint or ("" if shown == name else shown)
    return suggestion(place, "object", label, hint, start=start, photos=gallery.count(name))


def _common_objects(place: Unfinished, gallery: Gallery) -> Iterator[Suggestion]:
    """The classes that most photos show, without those that are asked for already."""
    asked = place.text.lower()
    for name in gallery.by_count():
        if gallery.count(name) and name not in asked:
            yield _object(place, gallery, name)


def _tags(place: Unfinished, gallery: Gallery) -> Iterator[Suggestion]:
    """Tags that begin so, those of most photos first."""
    for start, phrase in place.phrases():
        for name, photos in gallery.tags(phrase).items():
            if name not in CLASS_NAMES:
                yield suggestion(place, "word", name, _("a tag"), start=start, photos=photos)


def _tag_values(place: Unfinished, gallery: Gallery) -> Iterator[Suggestion]:
    """Tags that a filter may be asked for, those of most photos first."""
    for name, photos in gallery.tags(place.word.removeprefix("tag:")).items():
        yield suggestion(place, "language", tag_query(name), is_complete=True, photos=photos)


def _words(place: Unfinished, gallery: Gallery) -> Iterator[Suggestion]:
    """Words that stand for classes, those that are used most first."""
    if len(place.word) < 2:
        return
    yield from _looks(place, gallery)
    for word in gallery.vocabulary.nouns_beginning(place.word):
        meaning = gallery.vocabulary.meaning(word)
        if meaning is None or meaning.is_named or meaning.similarity < LEAST_SIMILARITY:
            continue
        names = meaning.class_names
        if not any(gallery.count(name) for name in names):
            continue
        more = f" +{len(names) - 2}" if len(names) > 2 else ""
        photos = gallery.count(names[0]) if len(names) == 1 else None
        number = place.number_before
        word = word if number in (None, 1) else plural(word)
        yield suggestion(
            place, "word", word, f"→ {', '.join(map(shown_name, names[:2]))}{more}", photos=photos
        )


def _looks(place: Unfinished, gallery: Gallery) -> Iterator[Suggestion]:
    """Names that photos as a whole look like, those that most photos do first."""
    seen = _("seen in the whole photo")
    for start, phrase in place.phrases():
        for number in sorted(gallery.looks, key=lambda number: -gallery.looks[number]):
            name = LOOK_NAMES[number]
            typed, shown = typed_look(name), shown_look(name)
            if typed is not None and _look_begins(typed, name, shown, phrase):
                hint = seen if shown == name else shown
                count = gallery.looks[number]
                yield suggestion(place, "word", typed, hint, start=start, photos=count)


def _look_begins(typed: str, name: str, shown: str, phrase: str) -> bool:
    # In the language of the query, and in the reader's.
    if typed.startswith(phrase):
        return True
    return shown != name and plainly(shown).startswith(plainly(phrase))


def _mended(place: Unfinished, gallery: Gallery) -> Iterator[Suggestion]:
    """What may have been meant by a word that nothing begins with."""
    word = place.word
    if len(word) < LEAST_MISTYPED:
        return
    most = 2 if len(word) >= LONG_BEGINNING else 1
    beginnings = {
        name: OSA.distance(word, name[: len(word)], score_cutoff=most) for name in CLASS_NAMES
    }
    near = [name for name in gallery.by_count() if beginnings[name] <= most]
    hint = _("did you mean this?")
    for name in sorted(near, key=beginnings.__getitem__):
        yield _object(place, gallery, name, hint=hint)
    for correction in gallery.vocabulary.corrections(word):
        named = gallery.vocabulary.class_named(correction)
        if named is None:
            yield suggestion(place, "word", correction, hint)
        elif named not in near:
            yield _object(place, gallery, named, hint=hint)


def _counted(place: Unfinished, gallery: Gallery) -> Iterator[Suggestion]:
    """ "2 people" for "2"."""
    number = place.word
    for one in islice(_common_objects(place, gallery), MOST_OBJECTS - 1):
        name = one.label if number == "1" else plural(one.label)
        yield suggestion(place, "language", f"{number} {name}", is_complete=True)
    if not number.endswith("+"):
        yield suggestion(place, "language", f"{number}+", _("so many or more"))
