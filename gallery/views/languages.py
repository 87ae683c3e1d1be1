"""The visitor's language: chosen, and as texts for scripts."""

from __future__ import annotations

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.utils import translation
from django.utils.cache import patch_cache_control
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe
from django.views.i18n import JavaScriptCatalog
from django.views.i18n import set_language as remember_language

from gallery.languages import catalogue_version

A_YEAR = 365 * 24 * 3600


@require_POST
def choose_language(request: HttpRequest) -> HttpResponse:
    """Remember the language `language` in a cookie, and go on to `next`, a path of this gallery."""
    return remember_language(request)


@require_safe
def script_texts(request: HttpRequest, language: str) -> HttpResponseBase:
    """What scripts say in a language, as Django's catalogue, which is a script itself.

    A browser may keep it for good where the address says which version it is.
    """
    if language not in dict(settings.LANGUAGES):
        raise Http404(_("The gallery does not speak this language."))
    with translation.override(language):
        response = JavaScriptCatalog.as_view(packages=["gallery"])(request)
    if request.GET.get("v") == catalogue_version(language):
        patch_cache_control(response, public=True, max_age=A_YEAR, immutable=True)
    else:
        patch_cache_control(response, no_cache=True)
    return response
