"""The JSON API: the functions behind the pages, for scripts. Described at /api/v1/docs."""

from __future__ import annotations

import logging
from datetime import datetime

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from ninja import File, NinjaAPI, Query, Schema, Status, UploadedFile
from ninja.errors import ValidationError
from pydantic import Field

from detector import DetectorError
from detector.labels import NAME_BY_ID
from featurestore.index import Index
from gallery import components
from gallery.duplicates.api import router as duplicates_router
from gallery.edits import rename_image
from gallery.errors import PhotoRefused, Refused
from gallery.groups.api import router as groups_router
from gallery.hits import DEFAULT_LIMIT, MAX_LIMIT
from gallery.layouts import Box, layout_problem, unit_box
from gallery.lookup import image_or_404
from gallery.models import Image
from gallery.objects_api import router as objects_router
from gallery.originals import delete_images
from gallery.problem import Problem
from gallery.search import detections_of
from gallery.search_api import router as search_router
from gallery.searches_api import router as searches_router
from gallery.tags.tags_api import router as tags_router
from gallery.trash import move_to_trash
from gallery.trash_api import router as trash_router
from gallery.tus_api import router as resumable_uploads
from gallery.uploads import Outcome, UploadAnswer, receive_upload

logger = logging.getLogger(__name__)

api = NinjaAPI(
    title="Image Gallery",
    version="1",
    description="Upload photos and find them by what is in them, how many and where. Where the "
    "gallery demands a login, each call needs an API token.",
    # Has the page of the API ask for the token; gallery.access looks at it.
    openapi_extra={
        "components": {"securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}},
        "security": [{"token": []}],
    },
)
api.add_router("", search_router)
api.add_router("", searches_router)
api.add_router("", trash_router)
api.add_router("", objects_router)
api.add_router("", groups_router)
api.add_router("", duplicates_router)
api.add_router("", resumable_uploads)
api.add_router("", tags_router)


class FoundObject(Schema):
    name: str
    score: float
    box: Box = Field(description="xmin, ymin, xmax, ymax in 0..1 of the photo's sides")


class Photo(Schema):
    id: int
    name: str
    sha256: str
    media_type: str
    size: int = Field(description="bytes")
    width: int
    height: int
    uploaded_at: datetime
    state: str
    failure: str
    original_url: str
    objects: list[FoundObject]


class PhotoChange(Schema):
    name: str


class PhotoPage(Schema):
    total: int
    photos: list[Photo]


class Page(Schema):
    limit: int = Field(DEFAULT_LIMIT, ge=1, le=MAX_LIMIT)
    offset: int = Field(0, ge=0, le=10**9)


class UploadResult(Schema):
    name: str
    outcome: Outcome
    sentence: str
    id: int | None


class UploadResults(Schema):
    results: list[UploadResult]


@api.exception_handler(Refused)
def refused(request: HttpRequest, refusal: Refused) -> HttpResponse:
    status = 415 if isinstance(refusal, PhotoRefused) else refusal.status
    return api.create_response(request, {"detail": str(refusal)}, status=status)


@api.exception_handler(ValidationError)
def not_understood(request: HttpRequest, error: ValidationError) -> HttpResponse:
    first = error.errors[0]
    if first["loc"][:2] == ("body", "layout"):
        sentence = layout_problem({**first, "loc": first["loc"][2:]})
        return api.create_response(request, {"detail": sentence}, status=400)
    place = [str(part) for part in first["loc"] if part not in ("query", "body", "page", "file")]
    sentence = f"{'.'.join(place)}: {first['msg']}." if place else f"{first['msg']}."
    return api.create_response(request, {"detail": sentence}, status=400)


@api.exception_handler(Http404)
def not_found(request: HttpRequest, error: Http404) -> HttpResponse:
    return api.create_response(request, {"detail": str(error) or "Not found."}, status=404)


@api.exception_handler(DetectorError)
def detector_failed(request: HttpRequest, error: DetectorError) -> HttpResponse:
    logger.warning("A request failed for want of a detector: %s", error)
    sentence = "The detector does not answer just now. Please try again in a moment."
    return api.create_response(request, {"detail": sentence}, status=503)


@api.post(
    "/images",
    response={
        201: UploadResults,
        200: UploadResults,
        400: UploadResults,
        507: UploadResults,
    },
)
def upload(request: HttpRequest, photos: File[list[UploadedFile]]) -> Status[UploadResults]:
    """Upload photos.

    201: some were stored; 200: the others were there already; 400: all were refused, 507: for want
    of room.
    """
    answers = [receive_upload(photo) for photo in photos]
    outcomes = {answer.outcome for answer in answers}
    if Outcome.STORED in outcomes:
        status = 201
    elif Outcome.DUPLICATE in outcomes:
        status = 200
    else:
        status = max(answer.status for answer in answers)
    return Status(status, UploadResults(results=[_upload_result(answer) for answer in answers]))


@api.get("/images", response=PhotoPage)
def images(request: HttpRequest, page: Query[Page]) -> PhotoPage:
    """All photos, newest first."""
    shown = Image.objects.shown()
    rows = shown.newest_first()[page.offset : page.offset + page.limit]
    index = components.index()
    photos = [_photo(request, row, index) for row in rows]
    return PhotoPage(total=shown.count(), photos=photos)


@api.get("/images/{int:image_id}", response={200: Photo, 404: Problem})
def image(request: HttpRequest, image_id: int) -> Photo:
    """One photo with its objects."""
    return _photo(request, image_or_404(image_id))


@api.patch("/images/{int:image_id}", response={200: Photo, 400: Problem, 404: Problem})
def change_image(request: HttpRequest, image_id: int, change: PhotoChange) -> Photo:
    """Rename a photo."""
    row = image_or_404(image_id)
    rename_image(row, change.name)
    return _photo(request, row)


@api.delete("/images/{int:image_id}", response={204: None, 404: Problem})
def delete_image(request: HttpRequest, image_id: int, for_good: bool = False) -> Status[None]:
    """Move a photo to the trash, from which it can be restored for some weeks.

    With `for_good=true` it is deleted for ever, also from the trash.
    """
    row = image_or_404(image_id, trashed=for_good)
    if for_good:
        delete_images([row])
    else:
        move_to_trash([row.pk])
    return Status(204, None)


def _upload_result(answer: UploadAnswer) -> UploadResult:
    return UploadResult(
        name=answer.name,
        outcome=answer.outcome,
        sentence=answer.sentence,
        id=answer.image.pk if answer.image else None,
    )


def _photo(request: HttpRequest, row: Image, index: Index | None = None) -> Photo:
    detections = detections_of(row.pk, index)
    return Photo(
        id=row.pk,
        name=row.name,
        sha256=row.sha256,
        media_type=row.media_type,
        size=row.size,
        width=row.width,
        height=row.height,
        uploaded_at=row.uploaded_at,
        state=row.state,
        failure=row.failure,
        original_url=request.build_absolute_uri(reverse("original", args=[row.pk])),
        objects=[
            FoundObject(name=NAME_BY_ID[int(found[0])], score=float(found[1]), box=unit_box(found))
            for found in detections
        ],
    )
