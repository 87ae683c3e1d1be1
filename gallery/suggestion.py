"""One way to go on with a query that is being typed."""

from __future__ import annotations

from dataclasses import dataclass

from gallery.query.unfinished import Unfinished


@dataclass(frozen=True)
class Suggestion:
    """One way to go on."""

    kind: str
    """"object", "word" or "language"."""
    label: str
    """What is put in."""
    text: str
    """The whole query with it."""
    caret: int
    """Where one types on then."""
    is_complete: bool
    """Whether it can be searched for as it is then."""
    hint: str = ""
    photos: int | None = None
    """How many surely show it."""


def suggestion(
    place: Unfinished,
    kind: str,
    label: str,
    hint: str = "",
    *,
    start: int | None = None,
    photos: int | None = None,
    is_complete: bool | None = None,
) -> Suggestion:
    """What becomes of the query where a label is put in.

    Args:
        start: where the label begins; at the unfinished word where None.
        is_complete: all but words of the language are, unless it is said.
    """
    text, caret = place.completed(label, start)
    complete = kind != "language" if is_complete is None else is_complete
    return Suggestion(kind, label, text, caret, complete, hint, photos)
