"""Search by words, by an uploaded photo and by a photo of the gallery."""

from __future__ import annotations

from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from detector import DetectorError
from gallery.drawing import drawn_detections, drawn_query, drawn_reasons, telling_reasons
from gallery.errors import QueryRefused, Refused
from gallery.models import Image
from gallery.photo_queries import PhotoQuery, keep_photo_query, load_photo_query
from gallery.search import Answer, Hit, detections_of, search_layout, search_text
from gallery.uploads import check_size, clean_name, uploaded_path

HITS_ON_A_PAGE = 48


@require_GET
def text_results(request: HttpRequest) -> HttpResponse:
    text = request.GET.get("q", "")
    try:
        answer = search_text(text, limit=HITS_ON_A_PAGE, offset=_offset(request))
    except QueryRefused as refusal:
        return _refused(request, refusal, {"text": text[:100]})
    return _results(request, answer, {"text": text})


@require_POST
def photo_query(request: HttpRequest) -> HttpResponse:
    """Takes a photo to search with and leads to its results."""
    file = request.FILES.get("photo")
    if file is None:
        return _refused(request, QueryRefused("Choose a photo to search with."))
    try:
        check_size(file.size or 0)
        query = keep_photo_query(uploaded_path(file), clean_name(file.name or ""))
    except Refused as refusal:
        return _refused(request, refusal, status=refusal.status)
    except DetectorError:
        return _refused(
            request,
            QueryRefused("The detector does not answer just now. Please try again in a moment."),
            status=503,
        )
    return redirect("photo_results", query.token)


@require_GET
def photo_results(request: HttpRequest, token: str) -> HttpResponse:
    query = _query_or_404(token)
    shown = {
        "photo_query": query,
        "asked_boxes": drawn_detections(query.layout, query.width, query.height),
    }
    try:
        answer = search_layout(
            query.layout, query=query.name, limit=HITS_ON_A_PAGE, offset=_offset(request)
        )
    except QueryRefused as refusal:
        return _refused(request, refusal, shown)
    return _results(request, answer, shown, query.width, query.height)


@require_GET
def photo_query_picture(request: HttpRequest, token: str) -> FileResponse:
    return FileResponse(_query_or_404(token).picture_path.open("rb"), content_type="image/jpeg")


@require_GET
def similar(request: HttpRequest, image_id: int) -> HttpResponse:
    try:
        image = Image.objects.get(pk=image_id)
    except (Image.DoesNotExist, OverflowError):
        raise Http404(f"There is no photo {image_id}; it may have been deleted.") from None
    layout = detections_of(image_id)
    shown = {
        "similar_to": image,
        "asked_boxes": drawn_detections(layout, image.width, image.height),
    }
    try:
        answer = search_layout(
            layout,
            query=image.name,
            without_image_id=image_id,
            limit=HITS_ON_A_PAGE,
            offset=_offset(request),
        )
    except QueryRefused as refusal:
        return _refused(request, refusal, shown)
    return _results(request, answer, shown, image.width, image.height)


def _results(
    request: HttpRequest,
    answer: Answer,
    query: dict[str, object],
    query_width: int = 0,
    query_height: int = 0,
) -> HttpResponse:
    offset = _offset(request)
    return render(
        request,
        "results.html",
        query
        | {
            "answer": answer,
            "hits": [_shown(hit, query_width, query_height) for hit in answer.hits],
            "first_place": offset + 1,
            "last_place": offset + len(answer.hits),
            "next_offset": offset + HITS_ON_A_PAGE
            if offset + HITS_ON_A_PAGE < answer.total
            else None,
            "previous_offset": max(0, offset - HITS_ON_A_PAGE) if offset else None,
        },
    )


def _shown(hit: Hit, query_width: int, query_height: int) -> dict[str, object]:
    image = hit.image
    why = telling_reasons(hit.why)
    boxes = drawn_reasons(why, image.width, image.height)
    return {
        "image": image,
        "percent": round(100 * hit.score),
        "boxes": boxes,
        "reasons": list(zip(boxes, why, strict=True)),
        "query_boxes": drawn_query(why, query_width, query_height),
    }


def _refused(
    request: HttpRequest,
    refusal: Refused,
    query: dict[str, object] | None = None,
    status: int = 400,
) -> HttpResponse:
    context = (query or {}) | {"refusal": str(refusal)}
    return render(request, "results.html", context, status=status)


def _query_or_404(token: str) -> PhotoQuery:
    try:
        return load_photo_query(token)
    except KeyError:
        raise Http404(
            "This search by photo is no longer kept. Please choose the photo again."
        ) from None


def _offset(request: HttpRequest) -> int:
    text = request.GET.get("offset", "0")
    if not text.isdecimal() or len(text) > 9:
        raise Http404("There is no such page of results.")
    return int(text)
