"""What was typed, in plain characters that still know where they were typed."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

from gallery.query.syntax import NOWHERE, Span

QUOTE = '"'
# Keyboards and word processors put their own quotes, dashes and apostrophes.
SAME_SIGNS = str.maketrans(
    dict.fromkeys("“”„‟«»「」『』", QUOTE)
    | dict.fromkeys("‘’‛`", "'")
    | dict.fromkeys("‐‑‒–−", "-")
    | dict.fromkeys("،、", ",")
    | {"؛": ";"}
    | {"٪": "%"}
)
# They hold some letters and emoji together, and show nothing by themselves.
INVISIBLE_JOINERS = "\u200c\u200d"
# Control, format and private characters, halves of surrogate pairs, line and paragraph ends.
BLANK_CATEGORIES = frozenset(["Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"])


@dataclass(frozen=True)
class TypedText:
    """A query in NFKC form, without control characters."""

    characters: str
    signs: str
    """The same, place by place, with one sign for all quotes, apostrophes and dashes."""
    origins: tuple[Span, ...]
    """For each character, the part of the typed text that it came from."""

    def span(self, start: int, stop: int) -> Span:
        """Where in the typed text the characters from start to stop are."""
        if not self.origins:
            return NOWHERE
        first = self.origins[min(start, len(self.origins) - 1)]
        return first[0], max(first[1], self.origins[stop - 1][1])


def read_typed(text: str) -> TypedText:
    """The NFKC form of a text, place by place.

    A character is taken together with the marks behind it, because these may melt into one.
    """
    pieces: list[str] = []
    origins: list[Span] = []
    start = 0
    while start < len(text):
        stop = start + 1
        while stop < len(text) and _melts(text[stop]):
            stop += 1
        piece = _without_controls(unicodedata.normalize("NFKC", text[start:stop]))
        pieces.append(piece)
        origins += [(start, stop)] * len(piece)
        start = stop
    characters = "".join(pieces)
    return TypedText(characters, characters.translate(SAME_SIGNS), tuple(origins))


def plain(text: str) -> str:
    """Words as the syntax tree holds them: in NFKC form and lower case, one blank between."""
    lowered = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).lower())
    return " ".join(_without_controls(lowered).translate(SAME_SIGNS).replace("_", " ").split())


def _melts(character: str) -> bool:
    """Whether NFKC may join a character to the one before: marks, Korean vowels and endings."""
    return (
        unicodedata.category(character).startswith("M")
        or "\u1160" <= character <= "\u11ff"
        or character in "\uff9e\uff9f"
    )


def _without_controls(text: str) -> str:
    return "".join(
        " "
        if unicodedata.category(character) in BLANK_CATEGORIES
        and character not in INVISIBLE_JOINERS
        else character
        for character in text
    )
