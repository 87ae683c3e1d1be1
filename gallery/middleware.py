"""Keeps other web sites from acting on the gallery through a visitor's browser."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

from django.http import HttpRequest, HttpResponse, JsonResponse

SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}


class SameOriginMiddleware:
    """Refuses writes whose Origin is another site.

    The JSON API takes no CSRF token, so that scripts can call it; browsers always name the
    Origin of a write, and scripts outside a browser have none to abuse.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        origin = request.headers.get("Origin")
        writes = request.method not in SAFE_METHODS
        if writes and origin is not None and urlsplit(origin).netloc != request.get_host():
            return JsonResponse(
                {"detail": "Refused: this request came from another web site."}, status=403
            )
        return self.get_response(request)
