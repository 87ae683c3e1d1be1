"""A query cut into words, signs, quoted names and filters."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto

from django.utils.translation import gettext as _

from gallery.query.errors import QuerySyntaxError
from gallery.query.filters import LIKE, check_key, read_filter
from gallery.query.syntax import Filter, Span
from gallery.query.typed_text import INVISIBLE_JOINERS, QUOTE, TypedText, plain
from gallery.query.words import NUMBERS

# They may stand within a word, between two of its letters: "t-shirt", "o'clock", "col·lecció".
WORD_JOINERS = "-'·" + INVISIBLE_JOINERS
OR_SIGNS = ",;|/"
SURER_SIGNS = ">≥⩾"
UNSURER_SIGNS = "<≤⩽"
BRACKETS = "()[]{}"
OPERATOR_SIGNS = OR_SIGNS + SURER_SIGNS + UNSURER_SIGNS + "+"
# A filter's value that has them needs quotes.
VALUE_ENDS = frozenset(",;" + QUOTE)


class Kind(Enum):
    WORD = auto()
    QUOTED = auto()
    FILTER = auto()
    OR = auto()
    AND = auto()
    NOT = auto()
    """ "-" or "!" right before what is not wanted."""
    DASH = auto()
    """ "-" by itself, as in "2 - 4 dogs"."""
    PLUS = auto()
    """ "+" right behind a number."""
    SURER = auto()
    """ ">" or ">="."""
    UNSURER = auto()
    """ "<" or "<="."""
    PERCENT = auto()


@dataclass(frozen=True)
class Token:
    kind: Kind
    text: str
    """Of words and quoted names, plain."""
    span: Span
    follows_blank: bool = False
    """Whether there are only blanks before it, back to the token before."""
    filter: Filter | None = None

    @property
    def number(self) -> int | None:
        """What a word like "2" or "two" counts."""
        if self.kind is not Kind.WORD:
            return None
        return int(self.text) if self.text.isdecimal() else NUMBERS.get(self.text)


def tokenize(typed: TypedText) -> tuple[Token, ...]:
    """Cut a text into tokens; blanks and punctuation without a meaning part them.

    Raises QuerySyntaxError for an open quote, brackets and filters that cannot be read.
    """
    return tuple(_Scanner(typed).tokens())


def texts(tokens: Sequence[Token], place: int, length: int) -> tuple[str, ...]:
    """The words from a place on, as many as asked for; none where there are fewer."""
    following = tokens[place : place + length]
    if len(following) < length or any(token.kind is not Kind.WORD for token in following):
        return ()
    return tuple(token.text for token in following)


class _Scanner:
    def __init__(self, typed: TypedText) -> None:
        self._typed = typed
        self._signs = typed.signs
        self._place = 0
        self._tokens: list[Token] = []
        self._only_blanks = True

    def tokens(self) -> list[Token]:
        while self._place < len(self._signs):
            sign = self._signs[self._place]
            if sign.isspace() or sign == "_":
                self._place += 1
            elif sign == QUOTE:
                self._quoted()
            elif _begins_word(sign):
                self._word()
            elif sign == "-":
                self._dashes()
            elif _is_symbol(sign):
                self._add(Kind.WORD, plain(self._text_to(stop := self._symbols_end())), stop)
            else:
                self._sign(sign)
        return self._tokens

    def _add(self, kind: Kind, text: str, stop: int, read: Filter | None = None) -> None:
        span = self._typed.span(self._place, stop)
        self._tokens.append(Token(kind, text, span, self._only_blanks, read))
        self._only_blanks = True
        self._place = stop

    def _text_to(self, stop: int) -> str:
        return self._signs[self._place : stop]

    def _at(self, place: int) -> str:
        """The sign at a place, a blank beyond either end."""
        return self._signs[place] if 0 <= place < len(self._signs) else " "

    def _sign(self, sign: str) -> None:
        after = self._place + 1
        if sign in OR_SIGNS:
            self._add(Kind.OR, sign, after)
        elif sign == "&":
            self._add(Kind.AND, sign, after)
        elif sign == "+":
            glued = self._at(self._place - 1).isdecimal() and self._tokens[-1].number is not None
            self._add(Kind.PLUS if glued else Kind.AND, sign, after)
        elif sign in SURER_SIGNS or sign in UNSURER_SIGNS:
            kind = Kind.SURER if sign in SURER_SIGNS else Kind.UNSURER
            after += self._at(after) == "="
            self._add(kind, self._text_to(after), after)
        elif sign == "%":
            self._add(Kind.PERCENT, sign, after)
        elif sign in BRACKETS:
            raise QuerySyntaxError(
                _(
                    "Brackets have no meaning in a search. Write every alternative in full, "
                    "like: cat on couch, dog on couch"
                ),
                self._typed.span(self._place, after),
            )
        elif sign == "!" and self._may_negate(self._place, after):
            self._add(Kind.NOT, sign, after)
        else:
            self._place = after
            self._only_blanks = False

    def _dashes(self) -> None:
        stop = self._place
        while self._at(stop) == "-":
            stop += 1
        if self._may_negate(self._place, stop):
            while self._place < stop:
                self._add(Kind.NOT, "-", self._place + 1)
        elif stop - self._place == 1 and self._at(stop).isspace() and self._is_free(self._place):
            self._add(Kind.DASH, "-", stop)
        else:
            self._place = stop
            self._only_blanks = False

    def _may_negate(self, start: int, stop: int) -> bool:
        """Whether signs stand before a word and not behind one."""
        following = self._at(stop)
        return self._is_free(start) and (
            following == QUOTE or _begins_word(following) or _is_symbol(following)
        )

    def _is_free(self, start: int) -> bool:
        before = self._at(start - 1)
        return not (_continues_word(before) or before == QUOTE or before in "%-")

    def _word(self) -> None:
        stop = self._word_end()
        text = plain(self._text_to(stop))
        if self._at(stop) == ":":
            self._filter(text, stop + 1)
        else:
            self._add(Kind.WORD, text, stop)

    def _word_end(self) -> int:
        stop = self._place + 1
        while True:
            sign, after = self._at(stop), self._at(stop + 1)
            if _continues_word(sign):
                stop += 1
            elif (sign in WORD_JOINERS and _begins_word(after)) or (
                sign == "." and after.isdecimal() and self._at(stop - 1).isdecimal()
            ):
                stop += 2
            else:
                return stop

    def _symbols_end(self) -> int:
        stop = self._place + 1
        while True:
            sign = self._at(stop)
            if _is_symbol(sign) or unicodedata.category(sign).startswith("M"):
                stop += 1
            elif sign in INVISIBLE_JOINERS and _is_symbol(self._at(stop + 1)):
                stop += 2
            else:
                return stop

    def _closing_quote(self, start: int) -> int:
        """The place of the quote that closes the one at start."""
        closing = self._signs.find(QUOTE, start + 1)
        if closing < 0:
            raise QuerySyntaxError(
                _('This quote is never closed. Names in quotes look like: "hot dog"'),
                self._typed.span(start, len(self._signs)),
            )
        return closing

    def _quoted(self) -> None:
        closing = self._closing_quote(self._place)
        text = plain(self._signs[self._place + 1 : closing])
        if not any(_begins_word(sign) or _is_symbol(sign) for sign in text):
            raise QuerySyntaxError(
                _("There is no word between these quotes."),
                self._typed.span(self._place, closing + 1),
            )
        self._add(Kind.QUOTED, text, closing + 1)

    def _filter(self, key: str, start: int) -> None:
        """Read a filter whose value comes behind the colon before `start`."""
        check_key(key, self._typed.span(self._place, start))
        while start < len(self._signs) and self._at(start).isspace():
            start += 1
        if self._at(start) == QUOTE:
            closing = self._closing_quote(start)
            value, stop = self._typed.characters[start + 1 : closing], closing + 1
        else:
            stop = start
            while not (self._at(stop).isspace() or self._at(stop) in VALUE_ENDS):
                stop += 1
            value = self._typed.characters[start:stop]
        # A photo's name may well have quotes and dashes of its own, and models know capitals.
        value = value.strip() if key in ("name", LIKE) else plain(value)
        read = read_filter(key, value, self._typed.span(self._place, stop))
        self._add(Kind.FILTER, key, stop, read)


def _begins_word(sign: str) -> bool:
    return unicodedata.category(sign)[0] in "LN"


def _continues_word(sign: str) -> bool:
    return unicodedata.category(sign)[0] in "LNM"


def _is_symbol(sign: str) -> bool:
    """Whether a sign is one like an emoji, which names something that nobody can say otherwise."""
    return unicodedata.category(sign)[0] == "S" and sign not in OPERATOR_SIGNS
