"""What is wrong with a query at a place where a thing should be."""

from __future__ import annotations

from gallery.query.cursor import Cursor
from gallery.query.errors import QuerySyntaxError
from gallery.query.syntax import Count, Span
from gallery.query.tokens import Kind
from gallery.query.words import NoRelation

NOT_A_RELATION = {
    NoRelation.DEPTH: "What is in front and what is behind cannot be told in a photo. There are "
    "left of, right of, above, below, inside, on, near and touching.",
    NoRelation.WITHOUT_OF: "Say of what, like: person left of car",
    NoRelation.BETWEEN: "Things can be set in relation two at a time, like: "
    "dog left of person, or: dog near car",
}


def missing_name(
    cursor: Cursor, first: int, count: Count | None, size: str | None
) -> QuerySyntaxError:
    """Why no thing can be read at this place, after modifiers that began at `first`."""
    said = cursor.typed(first) if count is not None or size is not None else ""
    if count is not None and size is None:
        return _lone_count(cursor, said, count, cursor.span(first))
    if count is not None or size is not None:
        return QuerySyntaxError(
            f"“{said}” needs a thing right after it, like: {said} {_dogs(count)}",
            cursor.span(first),
        )
    relation = cursor.relation
    start = cursor.place
    if relation is not None:
        name, cursor.place = relation
        phrase = cursor.typed(start)
        if isinstance(name, NoRelation):
            return QuerySyntaxError(NOT_A_RELATION[name], cursor.span(start))
        return QuerySyntaxError(
            f"“{phrase}” needs something before it, like: person {phrase} car",
            cursor.span(start),
        )
    token = cursor.token
    cursor.place += 1
    if token is None:
        return QuerySyntaxError("Something is missing at the end.", cursor.span(first))
    match token.kind:
        case Kind.DASH:
            sentence = "Put “-” right before what should not be there, like: -chair"
        case Kind.SURER | Kind.UNSURER:
            sentence = (
                f"“{token.text}” needs a thing before it, like: cat > 60%. "
                "For how many, write: 3+ dogs"
            )
        case Kind.PERCENT:
            sentence = "“%” belongs to how sure a thing is, like: cat > 60%"
        case _:
            sentence = f"“{token.text}” cannot stand here. To search for it, put it in quotes."
    return QuerySyntaxError(sentence, token.span)


def _lone_count(cursor: Cursor, said: str, count: Count, span: Span) -> QuerySyntaxError:
    if cursor.kind is Kind.PERCENT:
        return QuerySyntaxError(f"Say what should be {said}% sure, like: cat > {said}%", span)
    return QuerySyntaxError(f"“{said}” needs a thing after it, like: {said} {_dogs(count)}", span)


def _dogs(count: Count | None) -> str:
    return "dogs" if count is not None and count != Count(1, 1) else "dog"
