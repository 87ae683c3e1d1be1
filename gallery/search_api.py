"""Searches in the JSON API: by words, by a drawing, and for what is like a photo."""

from __future__ import annotations

from functools import partial
from typing import Literal

from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from ninja import Body, File, Form, Query, Router, Schema, UploadedFile
from pydantic import Field

from featurestore.errors import StoreError
from gallery.answers import SearchResults, search_results
from gallery.example_photo import ExamplePhoto
from gallery.hits import DEFAULT_LIMIT, MAX_LIMIT, Answer
from gallery.layouts import LayoutObjects, layout_of, parse_part
from gallery.look_search import Likeness, search_alike
from gallery.lookup import image_or_404
from gallery.original_response import original_response
from gallery.problem import Problem
from gallery.scoring import OBJECTS
from gallery.search import search_layout, search_text
from gallery.uploads import check_size, uploaded_path

router = Router()


class SearchPage(Schema):
    limit: int = Field(DEFAULT_LIMIT, ge=1, le=MAX_LIMIT)
    offset: int = Field(0, ge=0, le=10**9)
    score: str = Field(
        OBJECTS,
        description='"objects", or "original" for the original formulas, which know no counts, '
        "places and negation",
    )
    weak: bool = Field(False, description="show weaker matches as well")


class TextPage(SearchPage):
    company: bool = Field(
        False, description="show, last of all, photos of what is often seen with what is asked for"
    )


class LayoutPage(SearchPage):
    mirror: bool = Field(False, description="left and right may be exchanged")


class PhotoPart(LayoutPage):
    part: str | None = Field(
        None,
        description="search with a part of the photo only: xmin,ymin,xmax,ymax in 0..1",
    )
    by: str | None = Field(
        None,
        description='"layout" for the same objects in the same places, which it is without, '
        '"look" for photos that look alike, "both" for half of each',
    )
    weight: float | None = Field(
        None, ge=0, le=1, description="how much the look counts: 0 for layout, 1 for look"
    )
    q: str = Field("", description="only photos that answer these words, such as: dress")


class PhotoFile(PhotoPart):
    output_limit: int | None = Field(
        None, ge=1, le=MAX_LIMIT, description="another name of limit, also as a form's field"
    )
    format: Literal["json", "image"] = Field(
        "json", description='"image" answers with the best hit itself, as it was uploaded'
    )


class PhotoForm(Schema):
    output_limit: int | None = Field(None, ge=1, le=MAX_LIMIT)


@router.get("/search", response={200: SearchResults, 400: Problem})
def search(request: HttpRequest, q: str, page: Query[TextPage]) -> SearchResults:
    """Photos that answer a query, such as "2 dogs left of car -chair"."""
    return search_results(
        search_text(
            q,
            score_name=page.score,
            limit=page.limit,
            offset=page.offset,
            weak=page.weak,
            company=page.company,
        )
    )


@router.post("/search/layout", response={200: SearchResults, 400: Problem})
def search_by_layout(
    request: HttpRequest, layout: Body[LayoutObjects], page: Query[LayoutPage]
) -> SearchResults:
    """Photos whose objects lie like named boxes and areas."""
    answer = search_layout(
        layout_of(layout),
        query="layout",
        mirror=page.mirror,
        score_name=page.score,
        limit=page.limit,
        offset=page.offset,
        weak=page.weak,
    )
    return search_results(answer)


@router.get(
    "/images/{int:image_id}/similar",
    response={200: SearchResults, 400: Problem, 404: Problem, 503: Problem, 507: Problem},
)
def similar(request: HttpRequest, image_id: int, page: Query[PhotoPart]) -> SearchResults:
    """Photos that are like a photo of the gallery, or a part of it: in layout, look or both."""
    row = image_or_404(image_id)
    try:
        return search_results(_like(ExamplePhoto.of_image(row), row.name, page))
    except (StoreError, FileNotFoundError) as error:
        raise Http404("The picture of this photo is gone, so it has no parts.") from error


@router.post(
    "/search/photo",
    response={200: SearchResults, 400: Problem, 404: Problem, 415: Problem, 503: Problem},
    openapi_extra={
        "responses": {
            200: {"content": {"image/*": {"schema": {"type": "string", "format": "binary"}}}}
        }
    },
)
def search_by_photo(
    request: HttpRequest,
    file: File[UploadedFile],
    page: Query[PhotoFile],
    form: Form[PhotoForm],
) -> SearchResults | HttpResponse:
    """Photos that are like an uploaded photo, which is not kept: in layout, look or both."""
    check_size(file.size or 0)
    photo = ExamplePhoto.of_file(uploaded_path(file))
    page.limit = page.output_limit or form.output_limit or page.limit
    if page.format == "image":
        page.limit = 1
    answer = _like(photo, file.name or "", page)
    if page.format == "json":
        return search_results(answer)
    if not answer.hits:
        raise Http404(_("No photo of the gallery is like this one."))
    try:
        return original_response(answer.hits[0].image)
    except StoreError as error:
        raise Http404(str(error)) from error


def _like(photo: ExamplePhoto, name: str, page: PhotoPart) -> Answer:
    part = None if page.part is None else parse_part(page.part)
    return search_alike(
        photo.layout(part),
        partial(photo.look, part),
        Likeness.of(page.by, page.weight),
        query=name,
        without_image_id=photo.image_id,
        only=page.q,
        mirror=page.mirror,
        score_name=page.score,
        limit=page.limit,
        offset=page.offset,
        weak=page.weak,
    )
