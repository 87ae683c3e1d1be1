"""The grid of all photos, and downloads of those that are selected in it."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from gallery.chosen_photos import chosen_ids
from gallery.errors import EditRefused
from gallery.models import Image
from gallery.timeline import GridPage, Place, PlaceUnknown, all_months, page_before, page_from
from gallery.zipping import zip_of

SIZES = ("small", "medium", "large")
SIZE_COOKIE = "grid-size"
A_YEAR = 365 * 24 * 3600


@require_safe
def photos(request: HttpRequest) -> HttpResponse:
    """A page of the grid.

    It begins with the place `from`, ends before the place `until`, or begins with a `month`. With
    `part` the months and all that stands around the photos are left out, as a script wants it.
    """
    asked = request.GET.get("size", "")
    size = asked or request.COOKIES.get(SIZE_COOKIE, "")
    size = size if size in SIZES else "medium"
    facts: dict[str, object] = {"page": _page(request), "size": size, "sizes": SIZES}
    if "part" in request.GET:
        return render(request, "partials/grid_page.html", facts)
    facts |= {"total": Image.objects.shown().count(), "months": all_months()}
    response = render(request, "photos.html", facts)
    if asked in SIZES:
        response.set_cookie(SIZE_COOKIE, asked, max_age=A_YEAR, samesite="Lax")
    return response


def _page(request: HttpRequest) -> GridPage:
    try:
        if "until" in request.GET:
            return page_before(Place.parse(request.GET["until"]))
        if "from" in request.GET:
            return page_from(Place.parse(request.GET["from"]))
        if "month" in request.GET:
            return page_from(Place.of_month(request.GET["month"]))
    except PlaceUnknown:
        raise Http404(_("There is no such page of photos.")) from None
    return page_from(None)


@require_POST
def download(request: HttpRequest) -> StreamingHttpResponse:
    """The originals of the chosen photos as a ZIP file, made while it is sent."""
    ids = chosen_ids(request.POST)
    if not Image.objects.shown().filter(pk__in=ids[:500]).exists() and len(ids) <= 500:
        raise EditRefused(_("None of these photos is there any more."))
    name = f"photos {timezone.localtime():%Y-%m-%d %H.%M}.zip"
    return StreamingHttpResponse(
        zip_of(ids),
        content_type="application/zip",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )
