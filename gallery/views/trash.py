"""The trash: photos go there, come back, and go for good."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from gallery.chosen_photos import MOST_PHOTOS, chosen_ids
from gallery.errors import EditRefused, Refused
from gallery.figures import grouped
from gallery.models import Image
from gallery.originals import delete_images
from gallery.trash import kept_for, move_to_trash, moved_at, restore_from_trash
from gallery.views.refusing import refused

PHOTOS_ON_A_PAGE = 120
# Goes before the moment in the tags of a message that offers to undo a move.
UNDO = "undo-"
BATCH = 500


@never_cache
@require_safe
def trash(request: HttpRequest) -> HttpResponse:
    photos = Image.objects.trashed().order_by("-trashed_at", "-pk")
    page = Paginator(photos, PHOTOS_ON_A_PAGE).get_page(request.GET.get("page"))
    now = timezone.now()
    shown = [
        (image, max(0, -((now - kept_for() - image.trashed_at) // timedelta(days=1))))
        for image in page
        if image.trashed_at is not None
    ]
    facts = {"page": page, "shown": shown, "days": settings.TRASH_DAYS}
    return render(request, "trash.html", facts)


@require_POST
def move(request: HttpRequest) -> HttpResponse:
    """Move the chosen photos to the trash; a script is answered as JSON."""
    try:
        count, moment = move_to_trash(chosen_ids(request.POST))
    except Refused as refusal:
        return refused(request, refusal, "photos")
    if not request.accepts("text/html"):
        return JsonResponse(
            {"moved": count, "moment": text_of_moment(moment), "sentence": sentence_of_move(count)}
        )
    tell_of_move(request, count, moment)
    return redirect("photos")


@require_POST
def restore(request: HttpRequest) -> HttpResponse:
    """Bring back the chosen photos, or all that were moved at a `moment`."""
    try:
        if "moment" in request.POST:
            moved = moved_at(_moment(request.POST["moment"]))
            count = restore_from_trash(moved.values_list("pk", flat=True))
        else:
            count = restore_from_trash(chosen_ids(request.POST))
    except Refused as refusal:
        return refused(request, refusal, "trash")
    sentence = ngettext(
        "%(count)s photo is back in the gallery.",
        "%(count)s photos are back in the gallery.",
        count,
    ) % {"count": grouped(count)}
    if not request.accepts("text/html"):
        return JsonResponse({"restored": count, "sentence": sentence})
    messages.success(request, sentence)
    return redirect("photos" if "moment" in request.POST else "trash")


@never_cache
@require_POST
def delete_for_good(request: HttpRequest) -> HttpResponse:
    """Delete chosen photos of the trash, or `all`, for ever; it asks first, unless told `sure`.

    Of all there are at most as many as a form can name, those that lay there longest.
    """
    in_trash = Image.objects.trashed()
    try:
        ids = (
            list(in_trash.order_by("trashed_at").values_list("pk", flat=True)[:MOST_PHOTOS])
            if "all" in request.POST
            else chosen_ids(request.POST)
        )
    except Refused as refusal:
        return refused(request, refusal, "trash")
    if "sure" not in request.POST:
        facts = {"count": len(ids), "photos": ",".join(map(str, ids))}
        return render(request, "delete_for_good.html", facts)
    count = 0
    for start in range(0, len(ids), BATCH):
        doomed = list(in_trash.filter(pk__in=ids[start : start + BATCH]))
        delete_images(doomed)
        count += len(doomed)
    sentence = ngettext(
        "%(count)s photo is deleted for good.", "%(count)s photos are deleted for good.", count
    )
    messages.success(request, sentence % {"count": grouped(count)})
    return redirect("trash")


def tell_of_move(request: HttpRequest, count: int, moment: datetime) -> None:
    """Say on the next page what was moved to the trash, beside a button that undoes it."""
    tags = UNDO + text_of_moment(moment) if count else ""
    messages.success(request, sentence_of_move(count), extra_tags=tags)


def sentence_of_move(count: int) -> str:
    if not count:
        return _("Nothing was moved: what was chosen is deleted already.")
    sentence = ngettext(
        "%(count)s photo moved to the trash.", "%(count)s photos moved to the trash.", count
    )
    return sentence % {"count": grouped(count)}


def text_of_moment(moment: datetime) -> str:
    """By which a move can be undone."""
    return moment.astimezone(UTC).isoformat()


def _moment(text: str) -> datetime:
    """Raises EditRefused."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None or not 1970 <= moment.year < 9999:
        raise EditRefused(_("It is not known any more what is to be undone."))
    return moment
