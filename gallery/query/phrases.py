"""Several words that belong together: names of things, and relations."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from gallery.query.tokens import Kind, Token, texts
from gallery.query.words import AND_WORD, MAX_RELATION_WORDS, OR_WORD, RELATION_PHRASES, NoRelation

MAX_NAME_WORDS = 4
# A name of several words never has them, so that they always part conditions.
PARTING_WORDS = frozenset([AND_WORD, OR_WORD])


def name_length(tokens: Sequence[Token], place: int, names: Callable[[str], bool]) -> int:
    """How many words the longest name of several words has that begins at a place; 0: none."""
    longest = 0
    for token in tokens[place : place + MAX_NAME_WORDS]:
        stands_apart = longest > 0 and not token.follows_blank
        if token.kind is not Kind.WORD or stands_apart or token.text in PARTING_WORDS:
            break
        longest += 1
    for length in range(longest, 1, -1):
        if names(" ".join(texts(tokens, place, length))):
            return length
    return 0


def relation_at(tokens: Sequence[Token], place: int) -> tuple[str | NoRelation, int] | None:
    """The relation that the longest phrase at a place stands for, and the place behind it."""
    for length in range(MAX_RELATION_WORDS, 0, -1):
        relation = RELATION_PHRASES.get(texts(tokens, place, length))
        if relation is not None:
            return relation, place + length
    return None
