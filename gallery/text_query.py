"""What a typed query means: the objects it asks for, and how each of its parts was read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from django.db.models import Q
from django.utils.translation import gettext as _

from featurestore import conditions
from featurestore.conditions import Asked, Kind, ObjectQuery
from featurestore.tagged_scores import tags_asked
from gallery.errors import QueryRefused
from gallery.figures import grouped
from gallery.meanings import Meaning
from gallery.object_names import shown_name
from gallery.photo_filters import catalogue_condition
from gallery.query.changes import described, described_whole, with_exact, with_words, without
from gallery.query.errors import QuerySyntaxError
from gallery.query.parser import parse_query
from gallery.query.printer import print_query
from gallery.query.syntax import (
    MAX_QUERY_LENGTH,
    Condition,
    Conjunction,
    Description,
    Filter,
    Only,
    Query,
    Relation,
    Thing,
)
from gallery.query.translated import in_query_language, is_called
from gallery.seen_kinds import is_placeless, surely_meant, without_hints
from gallery.vocabulary import Vocabulary

# Relations in all alternatives together: each looks at pairs of objects in every photo.
MAX_RELATIONS = 8
# Parts of the frame from which a box is big and up to which it is small. COCO calls an object
# small below 32² pixels, which is little of the photos of today.
BIG_AREA = 0.2
SMALL_AREA = 0.04


NO_KIND = Kind(np.empty(0, np.int64), np.empty(0, np.float32))


class KnownTags(Protocol):
    """The tags that photos of a gallery have, or may get."""

    def named(self, words: str) -> str | None:
        """The tag that words name, in singular or plural."""


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
    if len(text) > MAX_QUERY_LENGTH:
        raise QueryRefused(
            _("This search has %(length)s characters; the limit is %(limit)s.")
            % {"length": grouped(len(text)), "limit": MAX_QUERY_LENGTH}
        )
    try:
        is_name = _names(vocabulary, tags)
        typed = parse_query(text, lambda name: is_called(name) or is_name(name))
    except QuerySyntaxError as error:
        raise QueryRefused(str(error), span=error.span) from error
    query = in_query_language(typed)
    if not query.alternatives and not query.filters:
        raise QueryRefused(
            _("There is no word to search for. Type what is in the photo, like: dog")
        )
    _check_relations(query)
    reader = _Reader(query, vocabulary, tags)
    compiled = [reader.alternative(conjunction) for conjunction in query.alternatives]
    understood = [found for found in compiled if found]
    descriptions = tuple(each for each in query.filters if isinstance(each, Description))
    whole = described_whole(query, text) if query.alternatives else None
    return TextQuery(
        text=text,
        printed=print_query(query),
        is_translated=query is not typed,
        objects=ObjectQuery(tuple(tuple(c for c, label in found) for found in understood)),
        labels=tuple(tuple(label for c, label in found) for found in understood),
        catalogue=catalogue_condition(query.filters),
        has_filters=len(descriptions) < len(query.filters),
        chips=tuple(reader.chips()),
        descriptions=descriptions,
        as_description=print_query(whole) if whole else "",
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
    """Looks each word of a query up once."""

    def __init__(self, query: Query, vocabulary: Vocabulary, tags: KnownTags | None) -> None:
        self._query = query
        self._vocabulary = vocabulary
        self._known_tags = tags
        self._tags: dict[str, str | None] = {}
        self._meanings: dict[tuple[str, bool], Meaning | None] = {}

    def alternative(self, conjunction: Conjunction) -> list[tuple[conditions.Condition, str]]:
        """The understood conditions of a conjunction, each with its text."""
        found: dict[str, conditions.Condition] = {}
        for condition in conjunction.conditions:
            for part in self._conditions(condition):
                # What is typed twice asks for nothing more.
                found.setdefault(*part)
        several = sum(_asks_for(condition) for condition in found.values()) > 1
        return [
            (_without_hints(condition) if several else condition, label)
            for label, condition in found.items()
        ]

    def chips(self) -> Iterator[Chip]:
        for conjunction in self._query.alternatives:
            for condition in conjunction.conditions:
                readings = tuple(self._reading(thing) for thing in _things(condition))
                yield Chip(
                    text=_text(condition),
                    readings=readings,
                    without=self._print_without(condition),
                    described=self._print_described(condition, readings),
                )
        for item in self._query.filters:
            yield Chip(
                text=print_query(Query((), (item,))),
                readings=(),
                without=self._print_without(item),
                is_description=isinstance(item, Description),
            )

    def _conditions(self, condition: Condition) -> Iterator[tuple[str, conditions.Condition]]:
        match condition:
            case Thing():
                yield from self._presence(condition)
            case Relation():
                self._check_places((condition.subject, condition.object), condition)
                yield from self._relation(condition)
            case Only():
                self._check_places(condition.things, condition)
                asked = [self._asked(thing) for thing in condition.things]
                known = tuple(
                    one.kind for one in asked if one is not None and not is_placeless(one.kind)
                )
                for thing in condition.things:
                    yield from self._presence(thing)
                if known:
                    yield _text(condition), conditions.Only(known)

    def _presence(self, thing: Thing) -> Iterator[tuple[str, conditions.Condition]]:
        tag = self._tag(thing)
        asked = self._asked(thing)
        if asked is None and tag is None:
            return
        if asked is not None and is_placeless(asked.kind):
            # What the photo as a whole looks like has no number and no size.
            seen = Asked(asked.kind, min_score=asked.min_score)
            if thing.negated:
                seen = replace(seen, kind=surely_meant(seen.kind))
            yield _text(thing), conditions.Presence(seen, negated=thing.negated, tag=tag or "")
            return
        if asked is not None and thing.negated and thing.count is None:
            asked = replace(asked, kind=surely_meant(asked.kind))
        least, most = (thing.count.at_least, thing.count.at_most) if thing.count else (1, None)
        says_how = thing.size is not None or (least, most) != (1, None)
        if asked is None and says_how:
            raise QueryRefused(
                _(
                    "“%(words)s” is a tag, which says neither how many nor how big. "
                    "Search for: %(tag)s"
                )
                % {"words": thing.words, "tag": tag},
                span=thing.span,
            )
        yield (
            _text(thing),
            conditions.Presence(
                asked or Asked(NO_KIND, min_score=(thing.min_score or 0) / 100),
                least,
                most,
                thing.negated,
                tag="" if says_how else tag or "",
            ),
        )

    def _check_places(self, things: tuple[Thing, ...], of: Condition) -> None:
        """A tag says neither where a thing is nor what else there is."""
        for thing in things:
            if self._meaning(thing) is None and self._tag(thing) is not None:
                raise QueryRefused(
                    _(
                        "“%(words)s” is a tag, which does not say where in the photo it is, nor "
                        "what else is there. Search for: %(tag)s"
                    )
                    % {"words": thing.words, "tag": self._tag(thing)},
                    span=of.span,
                )

    def _relation(self, relation: Relation) -> Iterator[tuple[str, conditions.Condition]]:
        subject, other = self._placed(relation.subject), self._placed(relation.object)
        if subject is not None and other is not None:
            yield (
                _text(relation),
                conditions.Relation(subject, relation.name, other, relation.negated),
            )
        if not relation.negated:
            # How many is asked of the photo as a whole; so is a thing whose partner is unknown.
            for thing, partner in ((relation.subject, other), (relation.object, subject)):
                if thing.count is not None or partner is None:
                    yield from self._presence(thing)

    def _placed(self, thing: Thing) -> Asked | None:
        """What a thing asks for, where that lies somewhere."""
        asked = self._asked(thing)
        return None if asked is None or is_placeless(asked.kind) else asked

    def _asked(self, thing: Thing) -> Asked | None:
        meaning = self._meaning(thing)
        if meaning is None:
            return None
        return Asked(
            meaning.kind,
            min_score=(thing.min_score or 0) / 100,
            min_area=BIG_AREA if thing.size == "big" else 0.0,
            max_area=SMALL_AREA if thing.size == "small" else 1.0,
        )

    def _tag(self, thing: Thing) -> str | None:
        """The tag that a thing's words name; quotes ask for a class, where there is one."""
        if self._known_tags is None:
            return None
        if thing.quoted and self._vocabulary.exact_meaning(thing.words) is not None:
            return None
        if thing.words not in self._tags:
            self._tags[thing.words] = self._known_tags.named(thing.words)
        return self._tags[thing.words]

    def _meaning(self, thing: Thing) -> Meaning | None:
        key = thing.words, thing.quoted
        if key not in self._meanings:
            look_up = self._vocabulary.exact_meaning if thing.quoted else self._vocabulary.meaning
            if self._tag(thing) is not None and not thing.quoted:
                # Who tags shoes means no handbags, which only are the class that is nearest.
                look_up = self._vocabulary.own_meaning
            self._meanings[key] = look_up(thing.words)
        return self._meanings[key]

    def _reading(self, thing: Thing) -> Reading:
        meaning = self._meaning(thing)
        exact = None
        best = _best_name(meaning)
        if best is not None:
            exact = print_query(with_exact(self._query, thing, best))
        corrections: tuple[tuple[str, str], ...] = ()
        if self._tag(thing) is None and not self._vocabulary.is_usual(thing.words):
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
            tag=self._tag(thing),
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


def _names(vocabulary: Vocabulary, tags: KnownTags | None) -> Callable[[str], bool]:
    """Whether several words are one name."""
    if tags is None:
        return vocabulary.is_name
    return lambda phrase: vocabulary.is_name(phrase) or tags.named(phrase) is not None


def _asks_for(condition: conditions.Condition) -> bool:
    """Whether it asks for something, not against it."""
    return not isinstance(condition, conditions.Only) and not condition.negated


def _without_hints(condition: conditions.Condition) -> conditions.Condition:
    """A condition of several for which looks count that do not merely hint at it."""
    if not isinstance(condition, conditions.Presence) or condition.negated:
        return condition
    kind = without_hints(condition.asked.kind)
    return replace(condition, asked=replace(condition.asked, kind=kind))


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


def _text(condition: Condition) -> str:
    return print_query(Query((Conjunction((condition,)),)))
