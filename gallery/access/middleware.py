"""Lets nobody to a view who may not see it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, JsonResponse
from django.shortcuts import render
from django.utils.cache import patch_cache_control
from django.utils.translation import gettext, gettext_noop
from django.utils.translation import gettext_lazy as _
from ninja.utils import check_csrf

from gallery.access.binding import came_directly
from gallery.access.roles import Role
from gallery.access.rules import RULES, Needs, may, methods_of
from gallery.access.visitors import ATTRIBUTE, TokenRefused, Visitor, visitor_of
from gallery.middleware import CATALOGUE_SENTENCE, SAFE_METHODS

logger = logging.getLogger(__name__)

WHO_ARE_YOU = _("Please sign in, or send an API token as: Authorization: Bearer …")
TOKEN_UNKNOWN = _("This API token is unknown or revoked.")
NO_RULE = _("The gallery has no rule of who may come here, so nobody may.")
NO_CSRF_TOKEN = _(
    "A write with a signed-in browser needs the header X-CSRFToken; scripts send an API token."
)
ROLELESS = gettext_noop("Your account has no role; this is for %(whom)s.")
YOU_ARE = {
    Role.READER: gettext_noop("You are a reader; this is for %(whom)s."),
    Role.EDITOR: gettext_noop("You are an editor; this is for %(whom)s."),
    Role.OWNER: gettext_noop("You are an owner; this is for %(whom)s."),
}
#: A role → the roles that have what it may do.
AT_LEAST = {
    Needs.READER: _("readers, editors and owners"),
    Needs.EDITOR: _("editors and owners"),
    Needs.OWNER: _("owners"),
}


class AccessMiddleware:
    """Refuses what the rules do not allow, with a sentence or with the way to the login page."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        visitor = getattr(request, ATTRIBUTE, Visitor())
        if (visitor.user or visitor.token) and not response.has_header("Cache-Control"):
            # No cache on the way may keep what only some may see.
            patch_cache_control(response, private=True)
        return response

    def process_view(
        self, request: HttpRequest, view: Callable[..., HttpResponse], args: Any, kwargs: Any
    ) -> HttpResponse | None:
        """None, which lets the request go on to its view, or the refusal."""
        route = request.resolver_match.route if request.resolver_match else ""
        method = "GET" if request.method == "HEAD" else request.method or ""
        needs = RULES.get((method, route))
        if needs is None:
            allowed = methods_of(route)
            if allowed:
                return HttpResponseNotAllowed(allowed)
            logger.error("The route %r has no rule in gallery/access/rules.py.", route)
            return _refuse(request, str(NO_RULE), 403)
        if needs == Needs.NOTHING:
            return None
        try:
            visitor = visitor_of(request)
        except TokenRefused:
            return _who_are_you(request, str(TOKEN_UNKNOWN))
        except DatabaseError as error:
            logger.error("The catalogue does not answer.", exc_info=error)
            return _refuse(request, str(CATALOGUE_SENTENCE), 503)
        if may(visitor, needs, directly=came_directly(request)):
            return _forged(request, visitor)
        if visitor.user or visitor.token:
            return _refuse(request, _why_not(visitor, needs), 403)
        if needs != Needs.WATCHING and not _speaks_json(request):
            return redirect_to_login(request.get_full_path() if method == "GET" else "/")
        return _who_are_you(request, str(WHO_ARE_YOU))


def _forged(request: HttpRequest, visitor: Visitor) -> HttpResponse | None:
    """Refuse an API call that a browser's session came with, and perhaps not its person's will.

    Forms are looked at by Django's own middleware.
    """
    if visitor.user is None or not _is_api(request) or request.method in SAFE_METHODS:
        return None
    return _refuse(request, str(NO_CSRF_TOKEN), 403) if check_csrf(request) else None


def _why_not(visitor: Visitor, needs: Needs) -> str:
    if visitor.token:
        if needs in (Needs.PERSON, Needs.OWNER):
            return gettext("This is not for API tokens: please sign in by name and password.")
        if visitor.role == Role.READER:
            sentence = gettext("This API token may only read; this is for %(whom)s.")
        else:
            sentence = gettext("This API token belongs to nobody of a role; this is for %(whom)s.")
    else:
        sentence = gettext(YOU_ARE.get(visitor.role, ROLELESS))
    return sentence % {"whom": AT_LEAST.get(needs, AT_LEAST[Needs.READER])}


def _who_are_you(request: HttpRequest, sentence: str) -> HttpResponse:
    response = _refuse(request, sentence, 401)
    response["WWW-Authenticate"] = "Bearer"
    return response


def _refuse(request: HttpRequest, sentence: str, status: int) -> HttpResponse:
    if _speaks_json(request) or status == 401:
        return JsonResponse({"detail": sentence}, status=status)
    return render(request, "error.html", {"sentence": sentence}, status=status)


def _is_api(request: HttpRequest) -> bool:
    return request.path.startswith("/api/")


def _speaks_json(request: HttpRequest) -> bool:
    return _is_api(request) or not request.accepts("text/html")
