"""A photo's page, its files, its deletion."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.cache import patch_cache_control
from django.utils.http import urlencode
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from featurestore.errors import StoreError
from gallery.access.visitors import visitor_of
from gallery.edits import rename_image
from gallery.errors import EditRefused, PhotoRefused
from gallery.lookup import image_or_404
from gallery.models import Image
from gallery.neighbours import address_in_results, neighbours_of, read_origin
from gallery.original_response import original_response
from gallery.originals import thumbnail_path
from gallery.photo_objects import drawn_objects, objects_of
from gallery.tags.photo_tags import tags_of
from gallery.thumbnails import Size
from gallery.trash import move_to_trash
from gallery.views.trash import tell_of_move

A_YEAR = 365 * 24 * 3600


@require_safe
def photo(request: HttpRequest, image_id: int) -> HttpResponse:
    image = image_or_404(image_id)
    objects = objects_of(image_id)
    boxes = drawn_objects(objects, image.width, image.height)
    origin = read_origin(request.GET.get("from", ""), request.GET.get("at", ""))
    tags = tags_of(image_id)
    shown = {
        "image": image,
        "tags": tags,
        "has_suggestions": any(not tag.by_person for tag in tags),
        "boxes": boxes,
        "is_corrected": objects.is_corrected,
        "neighbours": neighbours_of(image, origin),
    }
    return render(request, "photo.html", shown)


@require_safe
def thumbnail(request: HttpRequest, image_id: int, size: str) -> FileResponse:
    """A small JPEG; `size` is "grid" or "view".

    A browser may keep it for good where the address says which photo's it is. Of a photo in the
    trash those see it who may bring it back.
    """
    image = image_or_404(image_id, trashed=visitor_of(request).may_edit)
    try:
        file = thumbnail_path(image, Size[size.upper()]).open("rb")
    except (StoreError, PhotoRefused, FileNotFoundError) as error:
        raise Http404(str(error)) from error
    response = FileResponse(file, content_type="image/jpeg")
    if request.GET.get("v") == image.version:
        patch_cache_control(response, private=True, max_age=A_YEAR, immutable=True)
    else:
        patch_cache_control(response, private=True, no_cache=True)
    return response


@require_safe
def original(request: HttpRequest, image_id: int) -> HttpResponse:
    """The bytes as uploaded, always as a download: a browser never runs what is in them."""
    image = image_or_404(image_id)
    try:
        return original_response(image)
    except StoreError as error:
        raise Http404(str(error)) from error


@require_http_methods(["GET", "POST"])
def delete(request: HttpRequest, image_id: int) -> HttpResponse:
    """Asks on GET, moves to the trash on POST."""
    image = image_or_404(image_id)
    if request.method == "GET":
        return render(request, "delete.html", {"image": image, "days": settings.TRASH_DAYS})
    count, moment = move_to_trash([image.pk])
    tell_of_move(request, count, moment)
    return redirect(reverse("photos"))


@require_POST
def rename(request: HttpRequest, image_id: int) -> HttpResponse:
    image = image_or_404(image_id)
    try:
        rename_image(image, request.POST.get("name", ""))
    except EditRefused as refusal:
        messages.error(request, str(refusal))
    return redirect(address_after_edit(request, image))


def address_after_edit(request: HttpRequest, image: Image, **typed: str) -> str:
    """The page that a form was sent from: in the same results, with what was typed and refused."""
    origin = read_origin(request.GET.get("from", ""), request.GET.get("at", ""))
    address = address_in_results(image, origin)
    if not typed:
        return address
    return f"{address}{'&' if '?' in address else '?'}{urlencode(typed)}"
