"""The unfinished word of a query that is being typed, and what may stand in its place."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from gallery.query.typed_text import QUOTE, SAME_SIGNS, plain
from gallery.query.words import (
    AMOUNTS,
    JOINING_WORDS,
    MAX_RELATION_WORDS,
    NEGATIONS,
    NUMBERS,
    ONLY_WORD,
    OR_WORD,
    RELATION_PHRASES,
    SHAPES,
    SIZES,
)

# What parts words, but for blanks; a "-" does so only before a word.
SIGNS = re.escape(",;|/&+!<>≥≤()[]{}")
WORD_BEFORE = re.compile(rf"[^\s{SIGNS}{QUOTE}]*$")
WORD_AFTER = re.compile(rf"[^\s{SIGNS}{QUOTE}]*")
ENDS_WITH_SIGN = re.compile(rf"[{SIGNS}-]$")
WORDS_BEFORE = re.compile(r"(?:[^\W_]|['’-])+")
# Words after which a thing is named, or still has to be.
BEFORE_A_THING = (
    JOINING_WORDS
    | NEGATIONS
    | {OR_WORD, ONLY_WORD, "exactly", "least", "most", "than"}
    | SIZES.keys()
    | NUMBERS.keys()
    | AMOUNTS.keys()
)
# Words that a name of several words, or a relation, may have before its unfinished one.
MOST_WORDS_BEFORE = 3


@dataclass(frozen=True)
class Unfinished:
    """Where a query is being typed."""

    text: str
    """All of it, as typed."""
    start: int
    """From here to `stop` is the unfinished word, which may be empty."""
    stop: int
    quoted: bool = False
    """Whether a quote is open before it."""

    @property
    def word(self) -> str:
        """In lower case, as far as it is typed."""
        return plain(self.text[self.start : self.stop])

    @property
    def before(self) -> str:
        """With one sign for all quotes and dashes."""
        return self.text[: self.start].translate(SAME_SIGNS)

    @property
    def filter_key(self) -> str | None:
        """Whose value is being typed: "type" of "type:pn"."""
        key, colon, _ = self.word.partition(":")
        return key if colon else None

    @property
    def number_before(self) -> int | None:
        """How many are asked of what is being typed: 2 of "2 do"."""
        words = _words(self.before)
        if not words or not self.before.endswith(" "):
            return None
        return int(words[-1]) if words[-1].isdecimal() else NUMBERS.get(words[-1])

    @property
    def follows_thing(self) -> bool:
        """Whether a thing stands before it that may have a relation to another."""
        before = self.before.rstrip()
        if self.quoted or not before or ENDS_WITH_SIGN.search(before):
            return False
        if before.endswith(QUOTE):
            return True
        last = before.split()[-1]
        words = _words(before)
        if ":" in last or not words or words[-1].isdecimal():
            return False
        if words[-1] in BEFORE_A_THING or words[-1] in SHAPES:
            return False
        ends = (tuple(words[-length:]) for length in range(1, MAX_RELATION_WORDS + 1))
        return not any(end in RELATION_PHRASES for end in ends)

    def phrases(self) -> Iterator[tuple[int, str]]:
        """The word with 3, 2, 1 and no words before it: where each begins, and its text."""
        starts = (
            [] if self.quoted else [match.start() for match in re.finditer(r"\S+", self.before)]
        )
        for start in starts[-MOST_WORDS_BEFORE:]:
            phrase = plain(self.text[start : self.stop])
            if re.fullmatch(r"[\w' -]+", phrase):
                yield start, " ".join(phrase.split())
        yield self.start, self.word

    def completed(self, completion: str, start: int | None = None) -> tuple[str, int]:
        """The query with a completion from `start` on in place of the word, and the caret then."""
        start = self.start if start is None else start
        after = self.text[self.stop :]
        if self.quoted:
            completion += QUOTE
            after = after[1:]
        # A key goes on with its value; all else with the next word.
        blank = "" if completion.endswith(":") else " "
        text = self.text[:start] + completion + blank + after.lstrip()
        return text, start + len(completion) + len(blank)


def unfinished_at(text: str, caret: int) -> Unfinished:
    """What is being typed at a caret, 0..len(text), to the end of the word."""
    caret = min(max(caret, 0), len(text))
    signs = text.translate(SAME_SIGNS)
    left = signs[:caret]
    if left.count(QUOTE) % 2:
        start = left.rindex(QUOTE) + 1
        closing = signs.find(QUOTE, caret)
        return Unfinished(text, start, caret if closing < 0 else closing, quoted=True)
    match = WORD_BEFORE.search(left)
    assert match is not None
    start = match.start()
    if signs[start : start + 1] == "-":
        start = min(start + 1, caret)
    after = WORD_AFTER.match(signs, caret)
    return Unfinished(text, start, caret if after is None else after.end())


def _words(text: str) -> list[str]:
    return WORDS_BEFORE.findall(plain(text))
