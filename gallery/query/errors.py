"""What the query language refuses; the text of each error is a sentence for the person who typed.

QuerySyntaxError (ValueError)     a query that breaks the rules of the language
"""

from __future__ import annotations

from gallery.query.syntax import Span


class QuerySyntaxError(ValueError):
    """A query that breaks the rules of the language; `span` is the part that is to blame."""

    def __init__(self, sentence: str, span: Span) -> None:
        super().__init__(sentence)
        self.span = span
