"""For those who watch the gallery: is it alive, is it ready, what are its figures."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from gallery.health import check_parts
from gallery.metrics import metrics_text

METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"


@never_cache
@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """That this process answers; it says nothing of anything else."""
    return HttpResponse("alive\n", content_type="text/plain")


@never_cache
@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """Each part with what is wrong with it; 503 where something is.

    What needs no part that is down still works: words are searched without a detector.
    """
    parts = check_parts()
    ready = all(part.is_well for part in parts)
    body = {"ready": ready, "parts": {part.name: part.problem or "ok" for part in parts}}
    return JsonResponse(body, status=200 if ready else 503)


@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    return HttpResponse(metrics_text(), content_type=METRICS_TYPE)
