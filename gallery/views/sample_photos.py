"""Trying the gallery with the sample photos, and taking them out again."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from gallery.errors import Refused
from gallery.sample_photos import import_samples, remove_samples
from gallery.uploads import Outcome


@require_POST
def import_sample_photos(request: HttpRequest) -> HttpResponse:
    answers = import_samples()
    refused = [answer for answer in answers if answer.outcome is Outcome.REFUSED]
    if not answers:
        messages.error(request, _("The package that ships the sample photos is not installed."))
    elif refused:
        messages.error(request, refused[0].sentence)
    return redirect("dashboard")


@require_POST
def remove_sample_photos(request: HttpRequest) -> HttpResponse:
    try:
        removed = remove_samples()
    except Refused as refusal:
        messages.error(request, str(refusal))
    else:
        sentence = ngettext(
            "%(count)d sample photo is gone.", "%(count)d sample photos are gone.", removed
        )
        messages.success(request, sentence % {"count": removed})
    return redirect("dashboard")
