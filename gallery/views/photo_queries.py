"""Photos to search with: taken in, and shown beside their results."""

from __future__ import annotations

import logging

from django.http import FileResponse, Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST, require_safe

from detector import DetectorError
from gallery.errors import QueryRefused, Refused
from gallery.photo_queries import PhotoQuery, keep_photo_query, load_photo_query
from gallery.uploads import check_size, clean_name, uploaded_path

logger = logging.getLogger(__name__)

NO_DETECTOR = _("The detector does not answer just now. Please try again in a moment.")


@require_POST
def photo_query(request: HttpRequest) -> HttpResponse:
    """Takes a photo to search with and leads to its results.

    A page's script, which asks for JSON, is told their address, or why there are none.
    """
    try:
        query = _kept_photo(request)
    except Refused as refusal:
        return _refused(request, refusal, refusal.status)
    except DetectorError as error:
        return _refused(request, detector_refusal(error), 503)
    if _is_script(request):
        return JsonResponse({"address": reverse("photo_results", args=[query.token])})
    return redirect("photo_results", query.token)


@require_safe
def picture(request: HttpRequest, token: str) -> FileResponse:
    return FileResponse(query_or_404(token).picture_path.open("rb"), content_type="image/jpeg")


def query_or_404(token: str) -> PhotoQuery:
    try:
        return load_photo_query(token)
    except KeyError:
        raise Http404(
            gettext("This search by photo is no longer kept. Please choose the photo again.")
        ) from None


def detector_refusal(error: DetectorError) -> QueryRefused:
    """What a visitor is told; what exactly went wrong goes to the log."""
    logger.warning("A search by photo failed: %s", error)
    return QueryRefused(str(NO_DETECTOR))


def _kept_photo(request: HttpRequest) -> PhotoQuery:
    """Raises Refused or DetectorError."""
    file = request.FILES.get("photo")
    if file is None:
        raise QueryRefused(gettext("Choose a photo to search with."))
    check_size(file.size or 0)
    return keep_photo_query(uploaded_path(file), clean_name(file.name or ""))


def _refused(request: HttpRequest, refusal: Refused, status: int) -> HttpResponse:
    if _is_script(request):
        return JsonResponse({"detail": str(refusal)}, status=status)
    return render(request, "results.html", {"refusal": str(refusal)}, status=status)


def _is_script(request: HttpRequest) -> bool:
    return not request.accepts("text/html")
