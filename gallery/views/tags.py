"""Changing the tags of a photo on its page."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from gallery.chosen_photos import chosen_ids
from gallery.errors import EditRefused, Refused
from gallery.figures import grouped
from gallery.lookup import image_or_404
from gallery.tags.given_tags import give_tags, given_text, parse_given, take_back
from gallery.tags.photo_tags import change_tags
from gallery.views.photos import address_after_edit
from gallery.views.refusing import refused


@require_POST
def change(request: HttpRequest, image_id: int) -> HttpResponse:
    """Adds the tags of "add", which commas part, and takes that of "remove" away."""
    image = image_or_404(image_id)
    typed = request.POST.get("add", "")
    add = [name for name in typed.split(",") if name.strip()]
    try:
        change_tags([image.pk], add=add, remove=request.POST.getlist("remove"))
    except EditRefused as refusal:
        messages.error(request, str(refusal))
        return redirect(f"{address_after_edit(request, image, tags=typed)}#tags-title")
    return redirect(f"{address_after_edit(request, image)}#tags-title")


@require_POST
def change_many(request: HttpRequest) -> HttpResponse:
    """Give the chosen photos the `tags`, which commas part, or `undo` that.

    A script is answered as JSON.
    """
    undo = ""
    try:
        if "undo" in request.POST:
            take_back(parse_given(request.POST["undo"]))
            sentence = _("The tags are as they were.")
        else:
            names = [name for name in request.POST.get("tags", "").split(",") if name.strip()]
            given, count = give_tags(chosen_ids(request.POST), names)
            undo = given_text(given) if given else ""
            sentence = ngettext(
                "%(count)s photo is tagged: %(tags)s.",
                "%(count)s photos are tagged: %(tags)s.",
                count,
            ) % {"count": grouped(count), "tags": ", ".join(name.strip() for name in names)}
    except Refused as refusal:
        return refused(request, refusal, "photos")
    if not request.accepts("text/html"):
        return JsonResponse({"sentence": sentence, "undo": undo})
    messages.success(request, sentence)
    return redirect("photos")
