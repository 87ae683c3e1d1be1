"""What is wrong with a query at a place where a thing should be."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from gallery.query.cursor import Cursor
from gallery.query.errors import QuerySyntaxError
from gallery.query.syntax import Count, Span
from gallery.query.tokens import Kind
from gallery.query.words import NoRelation

NOT_A_RELATION = {
    NoRelation.DEPTH: gettext_lazy(
        "What is in front and what is behind cannot be told in a photo. There are "
        "left of, right of, above, below, inside, on, near and touching."
    ),
    NoRelation.WITHOUT_OF: gettext_lazy("Say of what, like: person left of car"),
    NoRelation.BETWEEN: gettext_lazy(
        "Things can be set in relation two at a time, like: dog left of person, or: dog near car"
    ),
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
            _("“%(said)s” needs a thing right after it, like: %(example)s")
            % {"said": said, "example": f"{said} {_dogs(count)}"},
            cursor.span(first),
        )
    relation = cursor.relation
    start = cursor.place
    if relation is not None:
        name, cursor.place = relation
        phrase = cursor.typed(start)
        if isinstance(name, NoRelation):
            return QuerySyntaxError(str(NOT_A_RELATION[name]), cursor.span(start))
        return QuerySyntaxError(
            _("“%(said)s” needs something before it, like: %(example)s")
            % {"said": phrase, "example": f"person {phrase} car"},
            cursor.span(start),
        )
    token = cursor.token
    cursor.place += 1
    if token is None:
        return QuerySyntaxError(_("Something is missing at the end."), cursor.span(first))
    match token.kind:
        case Kind.DASH:
            sentence = _("Put “-” right before what should not be there, like: -chair")
        case Kind.SURER | Kind.UNSURER:
            sentence = _(
                "“%(said)s” needs a thing before it, like: cat > 60%%. For how many, write: 3+ dogs"
            ) % {"said": token.text}
        case Kind.PERCENT:
            sentence = _("“%” belongs to how sure a thing is, like: cat > 60%")
        case _:
            sentence = _("“%(said)s” cannot stand here. To search for it, put it in quotes.") % {
                "said": token.text
            }
    return QuerySyntaxError(sentence, token.span)


def _lone_count(cursor: Cursor, said: str, count: Count, span: Span) -> QuerySyntaxError:
    if cursor.kind is Kind.PERCENT:
        return QuerySyntaxError(
            _("Say what should be %(said)s%% sure, like: cat > %(said)s%%") % {"said": said}, span
        )
    return QuerySyntaxError(
        _("“%(said)s” needs a thing after it, like: %(example)s")
        % {"said": said, "example": f"{said} {_dogs(count)}"},
        span,
    )


def _dogs(count: Count | None) -> str:
    return "dogs" if count is not None and count != Count(1, 1) else "dog"
