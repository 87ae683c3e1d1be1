"""The languages of the pages: which one a visitor reads, and where its texts for scripts are."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import cache
from pathlib import Path

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import translation
from django.utils.cache import patch_vary_headers

# What programs read speaks English, whatever a browser says that it prefers.
FOR_PROGRAMS = ("/api/", "/healthz", "/readyz", "/metrics")
# Pictures and downloads are the same in every language, and caches keep one of each.
HAVE_WORDS = ("text/html", "application/json")
VERSION_LENGTH = 12


class LanguageMiddleware:
    """Answers in the language of the visitor's choice, else in the one that the browser prefers."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path.startswith(FOR_PROGRAMS):
            with translation.override(settings.LANGUAGE_CODE):
                return self.get_response(request)
        language = translation.get_language_from_request(request)
        with translation.override(language):
            response = self.get_response(request)
        if response.headers.get("Content-Type", "").startswith(HAVE_WORDS):
            patch_vary_headers(response, ("Accept-Language", "Cookie"))
            response.headers.setdefault("Content-Language", language)
        return response


def catalogue_address() -> str:
    """Where scripts find their texts in the active language; "" where they have them already."""
    language = translation.get_language() or settings.LANGUAGE_CODE
    if language == settings.LANGUAGE_CODE or language not in dict(settings.LANGUAGES):
        return ""
    return f"{reverse('script_texts', args=[language])}?v={catalogue_version(language)}"


@cache
def catalogue_version(language: str) -> str:
    """Another one whenever the texts for scripts are others."""
    path = Path(settings.LOCALE_PATHS[0]) / language / "LC_MESSAGES" / "djangojs.mo"
    data = path.read_bytes() if path.exists() else b""
    return hashlib.sha256(data).hexdigest()[:VERSION_LENGTH]
