"""A place among the tokens of a query, and what stands there."""

from __future__ import annotations

from collections.abc import Callable, Set

from gallery.query.counts import read_count
from gallery.query.phrases import name_length, relation_at
from gallery.query.syntax import Span
from gallery.query.tokens import Kind, Token, texts
from gallery.query.words import AND_WORD, NEGATIONS, OR_WORD, NoRelation


class Cursor:
    """Goes from the first token to the last."""

    def __init__(self, text: str, tokens: tuple[Token, ...], names: Callable[[str], bool]) -> None:
        """`text`: as typed; `names`: whether several words are one name."""
        self.tokens = tokens
        self.place = 0
        self._text = text
        self._names = names
        self._name_lengths: dict[int, int] = {}

    @property
    def token(self) -> Token | None:
        """None at the end."""
        return self.tokens[self.place] if self.place < len(self.tokens) else None

    @property
    def kind(self) -> Kind | None:
        token = self.token
        return None if token is None else token.kind

    @property
    def word(self) -> str:
        """The word at this place; "" where there is none or a name of several words begins."""
        token = self.token
        if token is None or token.kind is not Kind.WORD or self.name_length:
            return ""
        return token.text

    @property
    def name_length(self) -> int:
        """How many words the name of several words has that begins here; 0: none does."""
        if self.place not in self._name_lengths:
            length = name_length(self.tokens, self.place, self._names)
            self._name_lengths[self.place] = length
        return self._name_lengths[self.place]

    @property
    def relation(self) -> tuple[str | NoRelation, int] | None:
        """The relation that begins here, and the place behind it."""
        return relation_at(self.tokens, self.place) if self.word else None

    @property
    def is_or(self) -> bool:
        return self.kind is Kind.OR or self.word == OR_WORD

    @property
    def is_negation(self) -> bool:
        """Whether "no" or "-" stands here, and not "no more than 2"."""
        if self.kind is Kind.NOT:
            return True
        return self.word in NEGATIONS and read_count(self.tokens, self.place) is None

    @property
    def ends_condition(self) -> bool:
        """Whether nothing stands here that could go on with what is before it."""
        joins = self.kind is Kind.AND or self.word == AND_WORD
        return self.token is None or self.is_or or joins

    def has_words(self, words: tuple[str, ...]) -> bool:
        return self.word == words[0] and texts(self.tokens, self.place, len(words)) == words

    def skip(self, words: Set[str]) -> None:
        """Go past all words of a set."""
        while self.word in words:
            self.place += 1

    def span(self, start: int) -> Span:
        """From the token at start to the one before this place."""
        last = max(start, self.place - 1)
        return self.tokens[start].span[0], self.tokens[last].span[1]

    def typed(self, start: int) -> str:
        """What was typed from the token at start to the one before this place."""
        first, stop = self.span(start)
        return " ".join(self._text[first:stop].split())
