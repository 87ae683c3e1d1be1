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

# What programs read speaks English, whatever they say that they prefer.
FOR_PROGRAMS = ("/api/", "/healthz", "/readyz", "/metrics", "/robots.txt")
# Browsers alone send it: a page's script asks the API for a person, in whose language it answers.
FROM_A_PAGE = ("Sec-Fetch-Site", "same-origin")
# Pictures and downloads are the same in every language, and caches keep one of each.
HAVE_WORDS = ("text/html", "application/json")
VERSION_LENGTH = 12


class LanguageMiddleware:
    """Answers in the language of the visitor's choice, else in the one that the browser prefers."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        language = _language_of(request)
        with translation.override(language):
            response = self.get_response(request)
        if response.headers.get("Content-Type", "").startswith(HAVE_WORDS):
            patch_vary_headers(response, ("Accept-Language", "Cookie"))
            if request.path.startswith(FOR_PROGRAMS):
                patch_vary_headers(response, FROM_A_PAGE[:1])
            response.headers.setdefault("Content-Language", language)
        return response


def _language_of(request: HttpRequest) -> str:
    header, value = FROM_A_PAGE
    if request.path.startswith(FOR_PROGRAMS) and request.headers.get(header) != value:
        return settings.LANGUAGE_CODE
    return translation.get_language_from_request(request)


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
