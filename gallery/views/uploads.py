"""Uploading by form or by script."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST

from gallery.uploads import Outcome, UploadAnswer, receive_upload


@require_POST
def upload(request: HttpRequest) -> HttpResponse:
    """Answers each file by itself, as a page or, where the script asks, as JSON.

    Where no file of the request was taken, the status is 400, or 507 for want of room.
    """
    answers = [receive_upload(file) for file in request.FILES.getlist("photos")]
    taken = any(answer.outcome != Outcome.REFUSED for answer in answers)
    status = 200 if taken else max((answer.status for answer in answers), default=400)
    if request.accepts("text/html"):
        return render(request, "uploaded.html", {"answers": answers}, status=status)
    return JsonResponse({"results": [_as_json(answer) for answer in answers]}, status=status)


def _as_json(answer: UploadAnswer) -> dict[str, str | None]:
    return {
        "name": answer.name,
        "outcome": answer.outcome,
        "sentence": answer.sentence,
        "url": answer.image.get_absolute_url() if answer.image else None,
    }
