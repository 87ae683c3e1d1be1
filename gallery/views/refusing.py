"""A change that is refused: why, for a script, or as a note on a page."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect

from gallery.errors import Refused


def refused(request: HttpRequest, refusal: Refused, page: str) -> HttpResponse:
    """Say why a form was refused.

    Args:
        page: name or address of the page that is shown next; a script stays where it is.
    """
    if not request.accepts("text/html"):
        return JsonResponse({"detail": str(refusal)}, status=refusal.status)
    messages.error(request, str(refusal))
    return redirect(page)
