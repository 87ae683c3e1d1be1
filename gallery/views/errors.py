"""Every refusal as a page with a sentence, in the gallery's own look."""

from __future__ import annotations

from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _

SENTENCES = {
    400: _("The gallery could not make sense of this request."),
    403: _(
        "This is not allowed from where the request came. Please reload the page and try again."
    ),
    404: _("There is nothing at this address."),
    500: _("Something went wrong here, and it is written in the log. Nothing was lost."),
}
WRONG_NAME = _(
    "The gallery does not answer to the name in this address. Whoever looks after it can add the "
    "name to ALLOWED_HOSTS."
)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    if isinstance(exception, DisallowedHost):
        return _error(request, 400, f"{SENTENCES[400]} {WRONG_NAME}")
    return _error(request, 400)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _error(request, 403)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    if not request.accepts("text/html"):
        # A page's script shows the sentence, such as where somebody has signed in meanwhile.
        return JsonResponse({"detail": str(SENTENCES[403])}, status=403)
    return _error(request, 403)


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    # Views say in the exception what they did not find; Django's resolver puts a dictionary there.
    sentence = exception.args[0] if exception.args else None
    return _error(request, 404, sentence if isinstance(sentence, str) else None)


def server_error(request: HttpRequest) -> HttpResponse:
    return _error(request, 500)


def _error(request: HttpRequest, status: int, sentence: str | None = None) -> HttpResponse:
    told = sentence or str(SENTENCES[status])
    if request.path.startswith("/api/"):
        return JsonResponse({"detail": told}, status=status)
    return render(request, "error.html", {"sentence": told}, status=status)
