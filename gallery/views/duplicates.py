"""Duplicates side by side: keep the best and move the others to the trash, or keep all."""

from __future__ import annotations

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from gallery.chosen_photos import chosen_ids, parse_ids
from gallery.duplicates.alike_sets import (
    alike_sets,
    keep_together,
    kept_pairs,
    offer_again,
)
from gallery.duplicates.comparing import waiting_photos
from gallery.duplicates.models import AlikePair
from gallery.duplicates.offered_sets import alike_ids
from gallery.errors import EditRefused, Refused
from gallery.figures import grouped
from gallery.models import Image
from gallery.trash import move_to_trash
from gallery.views.refusing import refused
from gallery.views.trash import sentence_of_move, tell_of_move, text_of_moment

SETS_ON_A_PAGE = 12


@never_cache
@require_safe
def duplicates(request: HttpRequest) -> HttpResponse:
    kind = _kind(request.GET.get("kind", ""))
    ids = {each: alike_ids(each) for each in AlikePair.Kind}
    page = Paginator(ids[kind], SETS_ON_A_PAGE).get_page(request.GET.get("page"))
    facts = {
        "kind": kind,
        "pixel_sets": len(ids[AlikePair.Kind.PIXELS]),
        "scene_sets": len(ids[AlikePair.Kind.SCENE]),
        "page": page,
        "sets": alike_sets(list(page)),
        "kept": kept_pairs(),
        "waiting": waiting_photos(),
    }
    return render(request, "duplicates.html", facts)


@require_POST
def tidy(request: HttpRequest) -> HttpResponse:
    """Move a set's photos to the trash, but for those to `keep`; a script is answered as JSON."""
    try:
        chosen = chosen_ids(request.POST)
        kept = parse_ids(request.POST.getlist("keep"))
        there = Image.objects.shown().filter(pk__in=kept).count()
        if not kept or there < len(kept):
            raise EditRefused(_("Choose one photo or several to keep; none was moved."))
        count, moment = move_to_trash(set(chosen) - set(kept))
        keep_together(kept)
    except Refused as refusal:
        return refused(request, refusal, _address(request))
    if not request.accepts("text/html"):
        return JsonResponse({"sentence": sentence_of_move(count), "moment": text_of_moment(moment)})
    if count:
        tell_of_move(request, count, moment)
    return redirect(_address(request))


@require_POST
def keep(request: HttpRequest) -> HttpResponse:
    """Keep all photos of a set, so that they are not offered again; with `undo`, offer them."""
    is_kept = "undo" not in request.POST
    try:
        keep_together(chosen_ids(request.POST), is_kept=is_kept)
    except Refused as refusal:
        return refused(request, refusal, _address(request))
    sentence = (
        _("All are kept, and not offered again.") if is_kept else _("They are offered again.")
    )
    if not request.accepts("text/html"):
        return JsonResponse({"sentence": sentence})
    messages.success(request, sentence)
    return redirect(_address(request))


@require_POST
def offer(request: HttpRequest) -> HttpResponse:
    """Offer again all that was kept."""
    count = offer_again()
    sentence = ngettext(
        "%(count)s pair is offered again.", "%(count)s pairs are offered again.", count
    )
    messages.success(request, sentence % {"count": grouped(count)})
    return redirect(_address(request))


def _kind(text: str) -> AlikePair.Kind:
    return AlikePair.Kind.SCENE if text == AlikePair.Kind.SCENE else AlikePair.Kind.PIXELS


def _address(request: HttpRequest) -> str:
    """The page that a form was sent from."""
    return f"{reverse('duplicates')}?kind={_kind(request.POST.get('kind', ''))}"
