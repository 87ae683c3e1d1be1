"""Search by words, by an uploaded photo, by a photo of the gallery and by a drawing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from detector import DetectorError
from featurestore.errors import StoreError
from gallery import describing
from gallery.canvas import QUICK_OBJECTS, SHAPES, drawable_objects, nearest_shape
from gallery.drawing import DRAWING_HEIGHT, DRAWING_WIDTH, drawn_layout
from gallery.errors import QueryRefused, Refused
from gallery.example_photo import ExamplePhoto
from gallery.hits import Answer
from gallery.layouts import Box, Layout, parse_layout, parse_part
from gallery.look_search import Likeness, read_likeness, search_alike
from gallery.lookup import image_or_404
from gallery.saved.queries import SavedQuery
from gallery.saved.saving import Savable
from gallery.search import search_layout, search_text
from gallery.shown_hits import ShownHit, shown_for_layout, shown_for_text, text_colours
from gallery.views.likeness import likeness_control
from gallery.views.photo_queries import detector_refusal, query_or_404

HITS_ON_A_PAGE = 48


@dataclass
class _Picture:
    """What a layout is searched with, as it is shown."""

    layout: Layout
    """All of its objects, also those outside the part that is searched with."""
    width: int
    height: int
    name: str
    shown: Mapping[str, object]
    """What the templates know it by."""
    photo: ExamplePhoto | None = None
    """A drawing is none: it has no parts, and looks like nothing."""


@require_safe
def results(request: HttpRequest) -> HttpResponse:
    """Photos that answer words, or a drawn layout."""
    if "layout" in request.GET:
        return _drawing_results(request, request.GET["layout"])
    text = request.GET.get("q", "")
    try:
        answer = search_text(
            text,
            limit=HITS_ON_A_PAGE,
            offset=_offset(request),
            weak=_is_set(request, "weak"),
            company=_is_set(request, "company"),
        )
    except QueryRefused as refusal:
        return _refused(request, refusal, {"text": text, "marked": _marked(text, refusal.span)})
    colours = text_colours(answer.text) if answer.text else {}
    hits = [shown_for_text(hit, colours) for hit in answer.hits]
    # As everybody can read it, where it has names of the visitor's language.
    words = answer.text.printed if answer.text and answer.text.is_translated else text
    query = SavedQuery.of("q", words, request.GET)
    return _results(request, answer, hits, {"text": text, "savable": Savable.of(query)})


@require_safe
def draw(request: HttpRequest) -> HttpResponse:
    """The canvas; its script asks for the results itself."""
    context: dict[str, object] = {
        "objects": (objects := drawable_objects()),
        "quick_objects": objects[:QUICK_OBJECTS],
        "shapes": SHAPES,
        "shape": request.GET.get("shape", SHAPES[0]),
        "mirror": _is_set(request, "mirror"),
    }
    text = request.GET.get("layout", "")
    try:
        context["layout"] = parse_layout(text).to_json() if text else ""
    except QueryRefused as refusal:
        return render(request, "draw.html", context | {"refusal": str(refusal)}, status=400)
    return render(request, "draw.html", context)


@require_safe
def photo_results(request: HttpRequest, token: str) -> HttpResponse:
    query = query_or_404(token)
    photo, shown = ExamplePhoto.of_query(query), {"photo_query": query}
    picture = _Picture(photo.objects, query.width, query.height, query.name, shown, photo)
    return _layout_results(request, picture)


@require_safe
def similar(request: HttpRequest, image_id: int) -> HttpResponse:
    image = image_or_404(image_id)
    photo, shown = ExamplePhoto.of_image(image), {"similar_to": image}
    picture = _Picture(photo.objects, image.width, image.height, image.name, shown, photo)
    return _layout_results(request, picture)


def _drawing_results(request: HttpRequest, text: str) -> HttpResponse:
    try:
        layout = parse_layout(text)
    except QueryRefused as refusal:
        return _refused(request, refusal, {"is_drawing": True})
    picture = _Picture(layout, DRAWING_WIDTH, DRAWING_HEIGHT, _("a drawing"), {"is_drawing": True})
    return _layout_results(request, picture)


def _layout_results(request: HttpRequest, picture: _Picture) -> HttpResponse:
    width, height, photo = picture.width, picture.height, picture.photo
    shown = dict(picture.shown) | {
        "picture": picture,
        "all_boxes": drawn_layout(picture.layout, width, height),
        "asked_boxes": drawn_layout(picture.layout, width, height),
        "mirror": _is_set(request, "mirror"),
        "mirror_address": _address(request, mirror=None if _is_set(request, "mirror") else "1"),
        "whole_address": _address(request, part=None),
    }
    likeness = Likeness()
    try:
        if photo is not None:
            # Where it cannot be read, the control is there to choose again.
            shown["control"] = likeness_control(request.path, request.GET, likeness)
            likeness = read_likeness(request.GET)
            shown["control"] = likeness_control(request.path, request.GET, likeness)
        part = _part(request)
        layout = picture.layout
        if part is not None and photo is not None:
            layout = photo.layout(part)
            shown |= {
                "part": part,
                "part_text": request.GET["part"],
                "asked_boxes": drawn_layout(layout, width, height),
            }
            if len(layout.objects) == 0 and not likeness.wants_look:
                raise QueryRefused(_("No object was recognised in this part of the photo."))
        shown["draw_address"] = _draw_address(layout, width, height)
        search: Callable[..., Answer] = partial(search_layout, layout)
        if photo is not None:
            look, only = partial(photo.look, part), request.GET.get("q", "")
            search = partial(search_alike, layout, look, likeness, only=only)
        answer = search(
            query=picture.name,
            without_image_id=photo.image_id if photo else None,
            mirror=_is_set(request, "mirror"),
            limit=HITS_ON_A_PAGE,
            offset=_offset(request),
            weak=_is_set(request, "weak"),
        )
    except Refused as refusal:
        return _refused(request, refusal, shown)
    except DetectorError as error:
        return _refused(request, detector_refusal(error), shown, status=503)
    except (StoreError, FileNotFoundError) as error:
        raise Http404(
            _("The picture of this photo is gone, so no part of it can be seen.")
        ) from error
    hits = [shown_for_layout(hit, layout, width, height) for hit in answer.hits]
    shown["savable"] = Savable.of(_layout_to_save(request, picture, layout))
    return _results(request, answer, hits, shown)


def _layout_to_save(request: HttpRequest, picture: _Picture, layout: Layout) -> SavedQuery:
    """A photo of the gallery by its id; of any other photo, which is gone tomorrow, its objects."""
    if picture.photo is not None and picture.photo.image_id is not None:
        return SavedQuery.of("similar", str(picture.photo.image_id), request.GET)
    return SavedQuery.of("layout", layout.to_json(), request.GET)


def _results(
    request: HttpRequest, answer: Answer, hits: list[ShownHit], query: dict[str, object]
) -> HttpResponse:
    offset = _offset(request)
    following, before = offset + HITS_ON_A_PAGE, max(0, offset - HITS_ON_A_PAGE)
    return render(
        request,
        "results.html",
        query
        | {
            "answer": answer,
            "hits": hits,
            "colours": text_colours(answer.text) if answer.text else {},
            "describing": answer.text is not None and describing.is_on(),
            "weak": _is_set(request, "weak"),
            "company": _is_set(request, "company"),
            "weaker_address": _address(request, weak="1"),
            "company_address": _address(request, weak="1", company="1"),
            "stronger_address": _address(request, weak=None, company=None),
            "first_place": offset + 1,
            "last_place": offset + len(hits),
            "next_address": _address(request, offset=str(following))
            if following < answer.total
            else None,
            "previous_address": _address(request, offset=str(before)) if offset else None,
        },
    )


def _refused(
    request: HttpRequest,
    refusal: Refused,
    query: dict[str, object] | None = None,
    status: int = 400,
) -> HttpResponse:
    context = (query or {}) | {"refusal": str(refusal)}
    return render(request, "results.html", context, status=status)


def _marked(text: str, span: tuple[int, int] | None) -> dict[str, object] | None:
    """The typed text in three, the second of which is to blame; None where no piece is."""
    if span is None or not text[slice(*span)].strip() or span == (0, len(text)):
        return None
    start, stop = span
    return {"before": text[:start], "piece": text[start:stop], "after": text[stop:]}


def _address(request: HttpRequest, **changes: str | None) -> str:
    """Where this page is with other facts in its address, at the first hits again."""
    query = request.GET.copy()
    for name, value in ({"offset": None} | changes).items():
        query.pop(name, None)
        if value is not None:
            query[name] = value
    # Layouts are full of these, and servers cut long addresses.
    facts = query.urlencode(safe=",:[]")
    return f"{request.path}?{facts}" if facts else request.path


def _draw_address(layout: Layout, width: int, height: int) -> str:
    """Where the objects of a layout can be drawn further."""
    shape = nearest_shape(width, height)
    facts = {"layout": layout.to_json()} | ({} if shape == SHAPES[0] else {"shape": shape})
    return f"{reverse('draw')}?{urlencode(facts)}"


def _part(request: HttpRequest) -> Box | None:
    text = request.GET.get("part")
    return parse_part(text) if text else None


def _is_set(request: HttpRequest, name: str) -> bool:
    return request.GET.get(name) == "1"


def _offset(request: HttpRequest) -> int:
    text = request.GET.get("offset", "0")
    if not text.isdecimal() or len(text) > 9:
        raise Http404(_("There is no such page of results."))
    return int(text)
