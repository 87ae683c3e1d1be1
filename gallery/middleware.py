"""Watches requests, keeps other web sites out, and gives failures their sentence."""

from __future__ import annotations

import logging
import re
import secrets
import sqlite3
import time
from collections.abc import Callable
from urllib.parse import urlsplit

from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.core.signals import request_finished
from django.db import DatabaseError
from django.dispatch import receiver
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _

from gallery.checking import check_database
from gallery.errors import Refused
from gallery.logs import NO_REQUEST, request_id
from gallery.metrics import count_request

logger = logging.getLogger(__name__)
request_logger = logging.getLogger("gallery.requests")

BUSY_SENTENCE = _("The gallery is busy just now. Please try again in a moment.")
CATALOGUE_SENTENCE = _(
    "The gallery's catalogue cannot be read just now. The photos themselves are safe: "
    "docs/backup-and-repair.md tells how to bring it back."
)

FOREIGN_SENTENCE = _("Refused: this request came from another web site.")

ANSWERED_BY_DJANGO = (Http404, PermissionDenied, SuspiciousOperation)
SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}
# What a reverse proxy may call a request.
REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


class WatchMiddleware:
    """Gives each request an id, counts it and logs it.

    The id is that of the header X-Request-ID, where a reverse proxy has sent one, and goes back in
    the answer. What was searched for is not in the log.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.headers.get("X-Request-ID", "")
        chosen = given if REQUEST_ID.fullmatch(given) else secrets.token_hex(8)
        # Until the answer is sent: Django logs refusals after the last middleware.
        request_id.set(chosen)
        started = time.perf_counter()
        response = self.get_response(request)
        seconds = time.perf_counter() - started
        match = request.resolver_match
        view = match.view_name if match else ""
        method, status = request.method or "", response.status_code
        count_request(method, view, status, seconds)
        facts = {"method": method, "path": request.path, "view": view, "status": status}
        request_logger.info(
            "%s %s %d in %.1f ms",
            *(method, request.path, status, 1000 * seconds),
            extra={"facts": facts | {"milliseconds": round(1000 * seconds, 1)}},
        )
        response["X-Request-ID"] = chosen
        return response


@receiver(request_finished)
def _forget_request(**kwargs: object) -> None:
    request_id.set(NO_REQUEST)


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
        if writes and origin is not None and _host(origin) != request.get_host():
            return JsonResponse({"detail": str(FOREIGN_SENTENCE)}, status=403)
        return self.get_response(request)


class SentenceMiddleware:
    """Answers refusals, and failures of the database, with their sentence."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """None, which leaves every other failure to Django."""
        if isinstance(error, Refused):
            return _sentence(request, str(error), error.status)
        if isinstance(error, ANSWERED_BY_DJANGO):
            return None
        # A changed byte within a row shows as almost any error, so the rows are looked at.
        if not isinstance(error, DatabaseError) and not any(check_database()):
            return None
        logger.error("The catalogue does not answer.", exc_info=error)
        code = getattr(error.__cause__, "sqlite_errorcode", None)
        busy = code == sqlite3.SQLITE_BUSY
        return _sentence(request, str(BUSY_SENTENCE if busy else CATALOGUE_SENTENCE), 503)


def _sentence(request: HttpRequest, sentence: str, status: int) -> HttpResponse:
    if request.path.startswith("/api/"):
        return JsonResponse({"detail": sentence}, status=status)
    return render(request, "error.html", {"sentence": sentence}, status=status)


def _host(origin: str) -> str | None:
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return None
