"""Saved searches: their page, their addresses, and saving, naming and deleting them."""

from __future__ import annotations

import time
from dataclasses import dataclass

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from detector import DetectorError
from featurestore.errors import StoreError
from gallery.access.visitors import visitor_of
from gallery.errors import QueryRefused, Refused
from gallery.hits import Answer
from gallery.models import SavedSearch
from gallery.saved.queries import saved_query_of
from gallery.saved.saving import rename_search, save_search

SEARCHES_ON_A_PAGE = 24
PHOTOS_SHOWN = 4
# Searches that are not done by then are shown without their photos.
PATIENCE_SECONDS = 2.0


@dataclass(frozen=True)
class ShownSearch:
    """A saved search with its best photos as they are now."""

    search: SavedSearch
    words: str
    """What it asks for in words; "" for a drawing or a photo."""
    answer: Answer | None
    """None where there was no time."""
    refusal: str = ""
    """Why it finds nothing any more."""


@require_safe
def searches(request: HttpRequest) -> HttpResponse:
    return _page(request)


@require_POST
def save(request: HttpRequest) -> HttpResponse:
    """Save a search and go to it."""
    try:
        search = save_search(
            request.POST.get("name", ""),
            request.POST.get("query", ""),
            visitor_of(request).user,
            key=request.POST.get("key", ""),
        )
    except QueryRefused as refusal:
        return _page(request, refusal)
    if "key" in request.POST:
        messages.success(request, _("“%(name)s” is back.") % {"name": search.name})
        return redirect("searches")
    return redirect(search)


@require_safe
def saved_search(request: HttpRequest, key: str, slug: str = "") -> HttpResponse:
    """Leads to the results, whatever its name was when the address was shared."""
    return redirect(saved_query_of(_search_or_404(key).query).address)


@require_POST
def rename(request: HttpRequest, key: str) -> HttpResponse:
    search = _search_or_404(key)
    try:
        rename_search(search, request.POST.get("name", ""))
    except QueryRefused as refusal:
        return _page(request, refusal)
    messages.success(request, _("It is called “%(name)s” now.") % {"name": search.name})
    return redirect("searches")


@require_POST
def delete(request: HttpRequest, key: str) -> HttpResponse:
    """Delete a saved search, and offer to have it back."""
    search = _search_or_404(key)
    search.delete()
    gone = {"deleted": search.name, "query": search.query, "key": search.key}
    return redirect(f"{reverse('searches')}?{urlencode(gone)}")


def _page(request: HttpRequest, refusal: QueryRefused | None = None) -> HttpResponse:
    rows = SavedSearch.objects.select_related("made_by").order_by("-made_at", "-pk")
    page = Paginator(rows, SEARCHES_ON_A_PAGE).get_page(request.GET.get("page"))
    deadline = time.monotonic() + PATIENCE_SECONDS
    context = {
        "page": page,
        "shown": [_shown(search, deadline) for search in page],
        "refusal": refusal,
        "deleted": {name: request.GET.get(name, "") for name in ("deleted", "query", "key")},
    }
    return render(request, "searches.html", context, status=400 if refusal else 200)


def _shown(search: SavedSearch, deadline: float) -> ShownSearch:
    query = saved_query_of(search.query)
    words = query.value if query.kind == "q" else ""
    if time.monotonic() > deadline:
        return ShownSearch(search, words, None)
    try:
        return ShownSearch(search, words, query.search(PHOTOS_SHOWN))
    except Refused as refusal:
        return ShownSearch(search, words, None, str(refusal))
    except (DetectorError, StoreError, OSError):
        # How its photo looks cannot be told just now; the results say why.
        return ShownSearch(search, words, None)


def _search_or_404(key: str) -> SavedSearch:
    try:
        return SavedSearch.objects.get(key=key)
    except (SavedSearch.DoesNotExist, ValueError):
        raise Http404(_("There is no such saved search; it may have been deleted.")) from None
