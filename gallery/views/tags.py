"""Changing the tags of a photo on its page."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from gallery.errors import EditRefused
from gallery.lookup import image_or_404
from gallery.tags.photo_tags import change_tags
from gallery.views.photos import address_after_edit


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
