"""The grammar of queries, which docs/query-language.md writes down."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from gallery.figures import grouped
from gallery.query.assembly import assemble
from gallery.query.complaints import NOT_A_RELATION
from gallery.query.counts import read_count
from gallery.query.cursor import Cursor
from gallery.query.errors import QuerySyntaxError
from gallery.query.printer import print_query
from gallery.query.syntax import (
    MAX_QUERY_LENGTH,
    Condition,
    Filter,
    Only,
    Query,
    Relation,
    ShapeFilter,
    Thing,
)
from gallery.query.things import read_thing
from gallery.query.tokens import Kind, Token, tokenize
from gallery.query.typed_text import read_typed
from gallery.query.words import (
    ARTICLES,
    JOINING_WORDS,
    LINKING_WORDS,
    ONLY_WORD,
    SHAPES,
    NoRelation,
)

NO_TWICE = gettext_lazy("Say “no” only once.")
NOT_BEFORE_RELATION = gettext_lazy("Say “not” before the relation, like: cat not near dog")
# Whether it is negated, how one thing lies to another, and the other.
_Link = tuple[bool, str, Thing]


def parse_query(text: str, names: Callable[[str], bool]) -> Query:
    """Read a query; `names` says whether several words, in lower case, are one name.

    A text that asks for nothing, like "" or "and", is a query without alternatives. Raises
    QuerySyntaxError for all that breaks the rules, and for more than MAX_QUERY_LENGTH characters.
    """
    typed = read_typed(text) if len(text) <= MAX_QUERY_LENGTH else None
    if typed is None or len(typed.characters) > MAX_QUERY_LENGTH:
        length = len(text if typed is None else typed.characters)
        raise QuerySyntaxError(
            _("This search has %(length)s characters; the limit is %(limit)s.")
            % {"length": grouped(length), "limit": MAX_QUERY_LENGTH},
            (0, len(text)),
        )
    query = _Parser(Cursor(text, tokenize(typed), names)).query()
    if len(print_query(query)) > MAX_QUERY_LENGTH:
        raise QuerySyntaxError(
            _("This search asks for too much; written out it has more than %(limit)s characters.")
            % {"limit": MAX_QUERY_LENGTH},
            (0, len(text)),
        )
    return query


class _Parser:
    """Reads tokens from first to last; only words that may join a relation are read twice."""

    def __init__(self, cursor: Cursor) -> None:
        self._cursor = cursor
        self._alternatives: list[list[Condition]] = [[]]
        self._filters: list[Filter] = []
        self._only: Token | None = None
        """The "only" of this alternative, which takes all things behind it."""
        self._only_things: list[Thing] = []

    def query(self) -> Query:
        cursor = self._cursor
        while cursor.token is not None:
            if cursor.is_or:
                self._end_alternative()
                cursor.place += 1
            elif not self._joins_others():
                self._condition()
        self._end_alternative()
        return assemble(self._alternatives, self._filters)

    def _end_alternative(self) -> None:
        if self._only is not None:
            if not self._only_things:
                raise QuerySyntaxError(
                    _("“only” needs a thing after it, like: only cats"), self._only.span
                )
            span = (self._only.span[0], self._only_things[-1].span[1])
            self._alternatives[-1].append(Only(tuple(self._only_things), span=span))
        self._only = None
        self._only_things = []
        self._alternatives.append([])

    def _joins_others(self) -> bool:
        """Go past one "and" or "the" that is not part of anything longer."""
        cursor = self._cursor
        joins = cursor.kind is Kind.AND or (
            cursor.word in JOINING_WORDS
            and cursor.relation is None
            and read_count(cursor.tokens, cursor.place) is None
        )
        cursor.place += joins
        return joins

    def _condition(self) -> None:
        cursor = self._cursor
        start = cursor.place
        negated = self._negation()
        condition = self._filter()
        if condition is not None:
            self._filters.append(replace(condition, negated=negated, span=cursor.span(start)))
        elif cursor.word == ONLY_WORD:
            if negated:
                raise QuerySyntaxError(_("“only” cannot be negated."), cursor.span(start))
            self._only = self._only or cursor.token
            cursor.place += 1
        else:
            thing = read_thing(cursor, start, negated=negated)
            links = self._links(thing)
            if links:
                self._add_relations(thing, links)
            else:
                self._add_thing(thing)

    def _add_thing(self, thing: Thing) -> None:
        if self._only is not None and not thing.negated:
            self._only_things.append(thing)
        else:
            self._alternatives[-1].append(thing)

    def _negation(self) -> bool:
        """Go past "no", "-" and what joins them to the thing that is not wanted."""
        cursor = self._cursor
        start = cursor.place
        if not cursor.is_negation:
            return False
        cursor.place += 1
        cursor.skip(ARTICLES | {"of", "with"})
        if cursor.ends_condition:
            raise QuerySyntaxError(
                _("“%(said)s” needs something after it, like: no chair")
                % {"said": cursor.tokens[start].text},
                cursor.span(start),
            )
        if cursor.is_negation:
            cursor.place += 1
            raise QuerySyntaxError(str(NO_TWICE), cursor.span(start))
        return True

    def _filter(self) -> Filter | None:
        cursor = self._cursor
        token = cursor.token
        shape = SHAPES.get(cursor.word)
        if token is None or (token.filter is None and shape is None):
            return None
        cursor.place += 1
        return token.filter if shape is None else ShapeFilter(shape)

    def _links(self, subject: Thing) -> list[_Link]:
        """What follows a thing: whether negated, relation and object, as often as they come."""
        cursor = self._cursor
        links: list[_Link] = []
        while True:
            start = cursor.place
            cursor.skip(LINKING_WORDS)
            negated = cursor.word == "not"
            cursor.place += negated
            relation = cursor.relation
            if relation is None:
                cursor.place = start
                return links
            name, cursor.place = relation
            if isinstance(name, NoRelation):
                raise QuerySyntaxError(str(NOT_A_RELATION[name]), cursor.span(start))
            if negated and subject.negated:
                raise QuerySyntaxError(str(NO_TWICE), cursor.span(start))
            if links and (subject.negated or links[-1][0]):
                raise QuerySyntaxError(
                    _(
                        "Say each relation that photos should not show by itself, like: "
                        "no cat on couch and no dog near tv"
                    ),
                    cursor.span(start),
                )
            links.append((negated, name, self._object(start)))

    def _object(self, start: int) -> Thing:
        """The thing behind a relation whose words began at `start`."""
        cursor = self._cursor
        cursor.skip(ARTICLES)
        if cursor.is_negation:
            cursor.place += 1
            raise QuerySyntaxError(str(NOT_BEFORE_RELATION), cursor.span(start))
        if cursor.ends_condition:
            phrase = cursor.typed(start)
            raise QuerySyntaxError(
                _("“%(said)s” needs something after it.") % {"said": phrase}, cursor.span(start)
            )
        thing = read_thing(cursor, cursor.place)
        if thing.negated:
            raise QuerySyntaxError(str(NOT_BEFORE_RELATION), cursor.span(start))
        return thing

    def _add_relations(self, subject: Thing, links: list[_Link]) -> None:
        span = subject.span
        wanted = replace(subject, negated=False)
        for negated, name, thing in links:
            whole = (span[0], thing.span[1])
            never = negated or subject.negated
            if self._only is not None and not never:
                raise QuerySyntaxError(
                    _(
                        "“only” takes things and no relation. Write the relation before it, like: "
                        "cat on couch and only cats and couches"
                    ),
                    whole,
                )
            if negated and wanted.span == subject.span:
                # "cat not on couch" asks for a cat as well.
                self._add_thing(wanted)
            self._alternatives[-1].append(Relation(wanted, name, thing, never, whole))
            wanted, span = thing, thing.span
