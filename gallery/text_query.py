"""What a typed query means: the objects it asks for, and how each of its parts was read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from django.db.models import Q
from django.utils.translation import gettext as _

from featurestore.conditions import ObjectQuery
from featurestore.tagged_scores import tags_asked
from gallery.asked_objects import AskedObjects
from gallery.errors import QueryRefused
from gallery.meanings import Meaning
from gallery.object_names import shown_name
from gallery.photo_filters import catalogue_condition
from gallery.query.changes import described, described_whole, with_exact, with_words, without
from gallery.query.errors import QuerySyntaxError
from gallery.query.parser import parse_query
from gallery.query.printer import print_condition, print_filter, print_query
from gallery.query.syntax import (
    MAX_QUERY_LENGTH,
    Condition,
    Description,
    Filter,
    Only,
    Query,
    Relation,
    Thing,
)
from gallery.query.translated import in_query_language
from gallery.seen_kinds import is_placeless
from gallery.vocabulary import Vocabulary
from gallery.word_lookup import KnownTags, WordLookup

# Relations in all alternatives together: each looks at pairs of objects in every photo.
MAX_RELATIONS = 8


@dataclass(frozen=True)
class Reading:
    """How one word of a query was read."""

    words: str
    """As typed, in lower case."""
    meaning: Meaning | None
    """None where no object class is near."""
    is_known: bool
    """Whether the word exists at all, as far as the gallery knows."""
    exact_query: str | None
    """The query with the word pinned to its best class; None where it names one."""
    corrections: tuple[tuple[str, str], ...] = ()
    """Words that may have been meant instead, each with the query so corrected."""
    tag: str | None = None
    """The tag that it names as well."""
    note: str = ""
    """What of the query the word cannot answer, and what is done instead."""

    @property
    def is_understood(self) -> bool:
        return self.meaning is not None or self.tag is not None


@dataclass(frozen=True)
class Chip:
    """A part of a query that can be taken out."""

    text: str
    """As the language writes it: "person left of car"."""
    readings: tuple[Reading, ...]
    """Of its words; none of a filter, which always means what it says."""
    without: str
    """The query without it; empty where nothing would be left."""
    is_description: bool = False
    described: str = ""
    """The query with a description in its place, where it was not understood."""


@dataclass(frozen=True)
class TextQuery:
    """A typed query, understood as far as possible."""

    text: str
    """As typed."""
    printed: str
    """As the language writes it."""
    is_translated: bool
    """Whether classes were typed by the names that the reader's language has for them."""
    objects: ObjectQuery
    """Without what was not understood."""
    labels: tuple[tuple[str, ...], ...]
    """The text of each condition of each alternative in `objects`."""
    said: tuple[tuple[str, ...], ...]
    """The same in the reader's words."""
    catalogue: Q
    """Which photos may be found at all."""
    has_filters: bool
    chips: tuple[Chip, ...]
    descriptions: tuple[Description, ...] = ()
    """What photos as a whole should show."""
    as_description: str = ""
    """The query with all of its words as one description; empty where it has one already."""

    @property
    def readings(self) -> list[Reading]:
        return [reading for chip in self.chips for reading in chip.readings]

    @property
    def unknown_words(self) -> list[str]:
        """Words that name no tag and that no object class is near to, as typed."""
        return [reading.words for reading in self.readings if not reading.is_understood]

    @property
    def tags(self) -> frozenset[str]:
        """Tags that may answer parts of it."""
        asked = (tags_asked(alternative) for alternative in self.objects.alternatives)
        return frozenset().union(*asked)

    @property
    def is_understood(self) -> bool:
        """Whether some of it is, or at least may have been mistyped."""
        readings = self.readings
        return not readings or any(each.is_understood or each.corrections for each in readings)

    @property
    def asks_for_objects(self) -> bool:
        return any(chip.readings for chip in self.chips)


def read_query(text: str, vocabulary: Vocabulary, tags: KnownTags | None = None) -> TextQuery:
    """Read a query in the language of docs/query-language.md.

    Args:
        tags: those that words may name besides.

    Raises QueryRefused where there is nothing to search for, or the language is not kept to.
    """
    words = WordLookup(text, vocabulary, tags)
    try:
        typed = parse_query(text, words.is_name)
    except QuerySyntaxError as error:
        raise QueryRefused(str(error), span=error.span) from error
    query = in_query_language(typed, stays=words.names_tag)
    if not query.alternatives and not query.filters:
        raise QueryRefused(
            _("There is no word to search for. Type what is in the photo, like: dog")
        )
    _check_relations(query)
    asked = AskedObjects(words, translated_from=text if query is not typed else "")
    compiled = [asked.alternative(conjunction) for conjunction in query.alternatives]
    understood = [found for found in compiled if found]
    descriptions = tuple(each for each in query.filters if isinstance(each, Description))
    whole = described_whole(query, text) if query.alternatives else None
    as_description = print_query(whole) if whole else ""
    return TextQuery(
        text=text,
        printed=print_query(query),
        is_translated=query is not typed,
        objects=ObjectQuery(tuple(tuple(part.condition for part in found) for found in understood)),
        labels=tuple(tuple(part.label for part in found) for found in understood),
        said=tuple(tuple(part.said for part in found) for found in understood),
        catalogue=catalogue_condition(query.filters),
        has_filters=len(descriptions) < len(query.filters),
        chips=tuple(_Reader(query, vocabulary, words).chips()),
        descriptions=descriptions,
        as_description=as_description if len(as_description) <= MAX_QUERY_LENGTH else "",
    )


def relations_of(query: Query) -> list[Relation]:
    """All relations of all alternatives."""
    return [
        condition
        for conjunction in query.alternatives
        for condition in conjunction.conditions
        if isinstance(condition, Relation)
    ]


def _check_relations(query: Query) -> None:
    relations = relations_of(query)
    if len(relations) > MAX_RELATIONS:
        raise QueryRefused(
            _(
                "This search asks %(number)s times how things lie to each other; "
                "the limit is %(limit)s."
            )
            % {"number": len(relations), "limit": MAX_RELATIONS},
            span=relations[MAX_RELATIONS].span,
        )


class _Reader:
    """Says how each part of a query was read."""

    def __init__(self, query: Query, vocabulary: Vocabulary, words: WordLookup) -> None:
        self._query = query
        self._vocabulary = vocabulary
        self._words = words

    def chips(self) -> Iterator[Chip]:
        for conjunction in self._query.alternatives:
            for condition in conjunction.conditions:
                readings = tuple(self._reading(thing) for thing in _things(condition))
                yield Chip(
                    text=print_condition(condition),
                    readings=readings,
                    without=self._print_without(condition),
                    described=self._print_described(condition, readings),
                )
        for item in self._query.filters:
            yield Chip(
                text=print_filter(item),
                readings=(),
                without=self._print_without(item),
                is_description=isinstance(item, Description),
            )

    def _reading(self, thing: Thing) -> Reading:
        meaning = self._words.meaning(thing)
        exact = None
        best = _best_name(meaning)
        if best is not None:
            exact = print_query(with_exact(self._query, thing, best))
        corrections: tuple[tuple[str, str], ...] = ()
        if self._words.tag(thing) is None and not self._vocabulary.is_usual(thing.words):
            corrections = tuple(
                (word, print_query(with_words(self._query, thing, word)))
                for word in self._vocabulary.corrections(thing.words)
            )
        return Reading(
            words=thing.words,
            meaning=meaning,
            is_known=self._vocabulary.knows(thing.words),
            exact_query=exact,
            corrections=corrections,
            tag=self._words.tag(thing),
            note=self._note(thing, meaning),
        )

    def _note(self, thing: Thing, meaning: Meaning | None) -> str:
        if meaning is None or not meaning.is_look:
            return ""
        related = any(thing in (one.subject, one.object) for one in relations_of(self._query))
        if not (related or thing.count or thing.size):
            return ""
        words = {"word": thing.words, "object": ", ".join(map(shown_name, meaning.class_names[:2]))}
        if is_placeless(meaning.kind):
            return (
                _(
                    "“%(word)s” is told by the look of a whole photo, so its number, size and "
                    "place are not known: photos that show it are found."
                )
                % words
            )
        return (
            _(
                "“%(word)s” is told by the look of a whole photo. Where number, size or place "
                "is asked, it stands for %(object)s."
            )
            % words
        )

    def _print_described(self, part: Condition, readings: Iterable[Reading]) -> str:
        is_understood = all(reading.is_understood for reading in readings)
        # A description holds for all alternatives.
        if is_understood or isinstance(part, Only) or len(self._query.alternatives) > 1:
            return ""
        return print_query(described(self._query, part))

    def _print_without(self, part: Condition | Filter) -> str:
        return print_query(without(self._query, part))


def _best_name(meaning: Meaning | None) -> str | None:
    """The class that a word could be pinned to; None where it stands for no other."""
    if meaning is None or meaning.is_named:
        return None
    if not meaning.is_look:
        return meaning.class_names[0]
    names = meaning.look_names + meaning.class_names
    # A name that says which of two it is, in parentheses, is none that can be typed.
    return names[0].lower() if len(names) > 1 and "(" not in names[0] else None


def _things(condition: Condition) -> tuple[Thing, ...]:
    match condition:
        case Thing():
            return (condition,)
        case Relation():
            return (condition.subject, condition.object)
        case Only():
            return condition.things
