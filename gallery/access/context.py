"""What templates know of the visitor."""

from __future__ import annotations

from django.db import DatabaseError
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from gallery.access.visitors import TokenRefused, Visitor, visitor_of


def access(request: HttpRequest) -> dict[str, object]:
    """`access`, a Visitor; nobody where a page of refusal cannot find out who asks."""
    return {"access": SimpleLazyObject(lambda: _visitor(request))}


def _visitor(request: HttpRequest) -> Visitor:
    try:
        return visitor_of(request)
    except (TokenRefused, DatabaseError):
        return Visitor()
