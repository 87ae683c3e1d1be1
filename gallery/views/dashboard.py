"""The first page: upload, the state of things, the collection in pictures."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from gallery import components
from gallery.access.visitors import visitor_of
from gallery.collection import object_figures, timeline
from gallery.dashboard import RECENT_IMAGES, IngestState, failure_groups, ingest_state
from gallery.duplicates.models import AlikePair
from gallery.duplicates.offered_sets import alike_ids
from gallery.groups.browsing import shown_groups
from gallery.import_command import import_command
from gallery.models import Image
from gallery.sample_photos import imported_samples, sample_credits, sample_paths
from gallery.tasks import retry_failed
from gallery.vitals import lately_disk_use, room, signs

GROUPS_SHOWN = 4


@require_safe
def dashboard(request: HttpRequest) -> HttpResponse:
    state = ingest_state()
    shown = _collection(state) if state.total else _first_visit(request)
    max_upload_mb = settings.MAX_UPLOAD_BYTES // 2**20
    return render(
        request, "dashboard.html", _progress(state) | shown | {"max_upload_mb": max_upload_mb}
    )


@require_safe
def ingest_progress(request: HttpRequest) -> HttpResponse:
    """The live part of the dashboard, as a fragment of HTML."""
    return render(request, "partials/ingest_state.html", _progress(ingest_state()))


def _progress(state: IngestState) -> dict[str, Any]:
    return {"state": state, "failures": failure_groups() if state.failed else []}


def _collection(state: IngestState) -> dict[str, Any]:
    return {
        "figures": object_figures(components.index()),
        "timeline": timeline(state.total),
        "recent": Image.objects.shown().newest_first()[:RECENT_IMAGES],
        "groups": shown_groups(most=GROUPS_SHOWN),
        "duplicate_sets": len(alike_ids(AlikePair.Kind.PIXELS)),
        "disk": lately_disk_use(),
        "room": room(),
        "signs": signs(),
        "samples": imported_samples().count(),
        "credits": sample_credits(),
    }


def _first_visit(request: HttpRequest) -> dict[str, Any]:
    visitor = visitor_of(request)
    if not visitor.may_edit:
        return {}
    # Where the gallery lies is told to those who look after it, or sit before it.
    is_at_home = visitor.may_own or visitor.user is None
    return {
        "import_command": import_command(with_folders=is_at_home),
        "samples_to_try": len(sample_paths()),
        "credits": sample_credits(),
    }


@require_POST
def retry(request: HttpRequest) -> HttpResponse:
    """Try failed photos again: all, those of one reason, or the one that is named."""
    failed = Image.objects.shown()
    if "photo" in request.POST:
        failed = failed.filter(pk=_image_id(request.POST["photo"]))
    if "reason" in request.POST:
        failed = failed.filter(failure=request.POST["reason"])
    retry_failed(failed)
    return redirect("dashboard")


def _image_id(text: str) -> int:
    # As many digits as an id can have and no database refuses.
    if not text.isdecimal() or len(text) > 18:
        raise Http404(_("There is no such photo to try again."))
    return int(text)
