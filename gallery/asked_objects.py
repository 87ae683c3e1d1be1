"""What a query asks of the objects of photos: its things as conditions on weighted classes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from django.utils.translation import gettext as _

from featurestore import conditions
from featurestore.conditions import NOTHING, Asked
from gallery.errors import QueryRefused
from gallery.query.printer import print_condition
from gallery.query.syntax import Condition, Conjunction, Only, Relation, Thing
from gallery.seen_kinds import is_placeless, surely_meant, without_hints
from gallery.word_lookup import WordLookup

# Parts of the frame from which a box is big and up to which it is small. COCO calls an object
# small below 32² pixels, which is little of the photos of today.
BIG_AREA = 0.2
SMALL_AREA = 0.04


@dataclass(frozen=True)
class AskedPart:
    """One condition of an alternative."""

    condition: conditions.Condition
    label: str
    """As the language writes it; a query has it once."""
    said: str
    """In the reader's words."""


class AskedObjects:
    """Makes conditions of things, as far as their words are understood."""

    def __init__(self, words: WordLookup, translated_from: str = "") -> None:
        """Of a translated query, what was typed tells the reader best what was asked for."""
        self._words = words
        self._typed = translated_from

    def alternative(self, conjunction: Conjunction) -> list[AskedPart]:
        """The understood conditions of a conjunction."""
        found: dict[str, AskedPart] = {}
        for condition in conjunction.conditions:
            for asked, meant in self._conditions(condition):
                label = print_condition(asked)
                # What is typed twice asks for nothing more.
                found.setdefault(label, AskedPart(meant, label, self._typed_at(asked) or label))
        several = sum(_asks_for(part.condition) for part in found.values()) > 1
        return [
            replace(part, condition=_without_hints(part.condition)) if several else part
            for part in found.values()
        ]

    def _conditions(self, condition: Condition) -> Iterator[tuple[Condition, conditions.Condition]]:
        """Conditions of the query language, each with what it asks of objects."""
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
                    yield condition, conditions.Only(known)

    def _presence(self, thing: Thing) -> Iterator[tuple[Thing, conditions.Presence]]:
        tag = self._words.tag(thing)
        asked = self._asked(thing)
        if asked is None and tag is None:
            return
        if asked is not None and is_placeless(asked.kind):
            # What the photo as a whole looks like has no number and no size.
            seen = Asked(asked.kind, min_score=asked.min_score)
            if thing.negated:
                seen = replace(seen, kind=surely_meant(seen.kind))
            yield thing, conditions.Presence(seen, negated=thing.negated, tag=tag or "")
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
            thing,
            conditions.Presence(
                asked or Asked(NOTHING, min_score=(thing.min_score or 0) / 100),
                least,
                most,
                thing.negated,
                tag="" if says_how else tag or "",
            ),
        )

    def _check_places(self, things: tuple[Thing, ...], of: Condition) -> None:
        """A tag says neither where a thing is nor what else there is."""
        for thing in things:
            if self._words.meaning(thing) is None and self._words.tag(thing) is not None:
                raise QueryRefused(
                    _(
                        "“%(words)s” is a tag, which does not say where in the photo it is, nor "
                        "what else is there. Search for: %(tag)s"
                    )
                    % {"words": thing.words, "tag": self._words.tag(thing)},
                    span=of.span,
                )

    def _relation(self, relation: Relation) -> Iterator[tuple[Condition, conditions.Condition]]:
        subject, other = self._placed(relation.subject), self._placed(relation.object)
        if subject is not None and other is not None:
            meant = conditions.Relation(subject, relation.name, other, relation.negated)
            yield relation, meant
        if not relation.negated:
            # How many is asked of the photo as a whole; so is a thing whose partner is unknown.
            for thing, partner in ((relation.subject, other), (relation.object, subject)):
                if thing.count is not None or partner is None:
                    yield from self._presence(thing)

    def _typed_at(self, condition: Condition) -> str:
        """What was typed where a condition is; empty of a query that was not translated."""
        return " ".join(self._typed[slice(*condition.span)].split())

    def _placed(self, thing: Thing) -> Asked | None:
        """What a thing asks for, where that lies somewhere."""
        asked = self._asked(thing)
        return None if asked is None or is_placeless(asked.kind) else asked

    def _asked(self, thing: Thing) -> Asked | None:
        meaning = self._words.meaning(thing)
        if meaning is None:
            return None
        return Asked(
            meaning.kind,
            min_score=(thing.min_score or 0) / 100,
            min_area=BIG_AREA if thing.size == "big" else 0.0,
            max_area=SMALL_AREA if thing.size == "small" else 1.0,
        )


def _asks_for(condition: conditions.Condition) -> bool:
    """Whether it asks for something, not against it."""
    return not isinstance(condition, conditions.Only) and not condition.negated


def _without_hints(condition: conditions.Condition) -> conditions.Condition:
    """A condition of several for which looks count that do not merely hint at it."""
    if not isinstance(condition, conditions.Presence) or condition.negated:
        return condition
    kind = without_hints(condition.asked.kind)
    return replace(condition, asked=replace(condition.asked, kind=kind))
