"""What all templates may use."""

from __future__ import annotations

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from gallery import components


def searched(request: HttpRequest) -> dict[str, object]:
    """`index`, what a search looks at: read once a page, where it is used at all."""
    return {"index": SimpleLazyObject(components.index)}
