"""What programs that gather pages are told: that a gallery is private."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

DISALLOW_ALL = "User-agent: *\nDisallow: /\n"


@cache_control(public=True, max_age=24 * 3600)
@require_safe
def robots(request: HttpRequest) -> HttpResponse:
    """No search engine is to take photos or pages, also where nobody has to sign in."""
    return HttpResponse(DISALLOW_ALL, content_type="text/plain")
