"""The first page: upload, the state of things, the collection in numbers."""

from __future__ import annotations

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from gallery.dashboard import (
    FAILURES_SHOWN,
    RECENT_IMAGES,
    common_objects,
    disk_use,
    ingest_state,
)
from gallery.models import Image
from gallery.tasks import retry_failed


@require_safe
def dashboard(request: HttpRequest) -> HttpResponse:
    return render(
        request,
        "dashboard.html",
        {
            "state": ingest_state(),
            "objects": common_objects(),
            "recent": Image.objects.shown().newest_first()[:RECENT_IMAGES],
            "failures": Image.objects.shown().failed().newest_first()[:FAILURES_SHOWN],
            "disk": disk_use(),
            "max_upload_mb": settings.MAX_UPLOAD_BYTES // 2**20,
        },
    )


@require_safe
def ingest_progress(request: HttpRequest) -> HttpResponse:
    """The live part of the dashboard, as a fragment of HTML."""
    return render(
        request,
        "partials/ingest_state.html",
        {
            "state": ingest_state(),
            "failures": Image.objects.shown().failed().newest_first()[:FAILURES_SHOWN],
        },
    )


@require_POST
def retry(request: HttpRequest) -> HttpResponse:
    """Try failed photos again: all, or the one that is named."""
    failed = Image.objects.shown()
    if "photo" in request.POST:
        failed = failed.filter(pk=_image_id(request.POST["photo"]))
    retry_failed(failed)
    return redirect("dashboard")


def _image_id(text: str) -> int:
    # As many digits as an id can have and no database refuses.
    if not text.isdecimal() or len(text) > 18:
        raise Http404("There is no such photo to try again.")
    return int(text)
