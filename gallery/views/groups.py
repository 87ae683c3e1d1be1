"""Groups of photos that look alike: all of them, and the photos of one."""

from __future__ import annotations

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from gallery import components
from gallery.errors import QueryRefused
from gallery.groups.browsing import photos_of, shown_groups
from gallery.groups.clustering import FEWEST_PHOTOS
from gallery.groups.models import PhotoGroup
from gallery.groups.names import rename_group
from gallery.models import Image
from gallery.tags.tag_index import tag_index

PHOTOS_ON_A_PAGE = 60
# The others are folded away.
TAGS_AT_ONCE = 24


@require_safe
def groups(request: HttpRequest) -> HttpResponse:
    tags = list(tag_index.beginning("").items())
    facts = {
        "tags": tags[:TAGS_AT_ONCE],
        "more_tags": tags[TAGS_AT_ONCE:],
        "shown": shown_groups(),
        "total": Image.objects.shown().count(),
        "fewest": FEWEST_PHOTOS,
        "looks_are_off": components.look_model_id() is None,
    }
    return render(request, "groups.html", facts)


@require_safe
def group(request: HttpRequest, key: str) -> HttpResponse:
    """The photos of a group, the most typical first."""
    return _page(request, _group_or_404(key))


@require_POST
def rename(request: HttpRequest, key: str) -> HttpResponse:
    """Name a group; with an empty name it is called after what it shows again."""
    found = _group_or_404(key)
    try:
        rename_group(found, request.POST.get("name", ""))
    except QueryRefused as refusal:
        return _page(request, _group_or_404(key), str(refusal))
    messages.success(request, _("It is called “%(name)s” now.") % {"name": found.title})
    return redirect(found)


def _page(request: HttpRequest, found: PhotoGroup, refusal: str = "") -> HttpResponse:
    page = Paginator(photos_of(found), PHOTOS_ON_A_PAGE).get_page(request.GET.get("page"))
    facts = {"group": found, "page": page, "refusal": refusal}
    return render(request, "group.html", facts, status=400 if refusal else 200)


def _group_or_404(key: str) -> PhotoGroup:
    try:
        return PhotoGroup.objects.get(key=key)
    except (PhotoGroup.DoesNotExist, ValueError):
        sentence = _("There is no such group any more; photos are grouped anew as they come.")
        raise Http404(sentence) from None
