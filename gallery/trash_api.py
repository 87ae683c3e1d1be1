"""The trash in the JSON API: what is in it, and the way back."""

from __future__ import annotations

from datetime import datetime

from django.http import Http404, HttpRequest
from ninja import Query, Router, Schema, Status
from pydantic import Field

from gallery.lookup import image_or_404
from gallery.models import Image
from gallery.problem import Problem
from gallery.trash import kept_for, restore_from_trash

router = Router()


class TrashedPhoto(Schema):
    id: int
    name: str
    sha256: str
    size: int = Field(description="bytes")
    trashed_at: datetime
    deleted_at: datetime = Field(description="when it is deleted for good")


class TrashPage(Schema):
    total: int
    photos: list[TrashedPhoto]


class TrashedPage(Schema):
    limit: int = Field(50, ge=1, le=1000)
    offset: int = Field(0, ge=0, le=10**9)


@router.post("/images/{int:image_id}/restore", response={204: None, 404: Problem})
def restore_image(request: HttpRequest, image_id: int) -> Status[None]:
    """Bring a photo back from the trash; one that is not there stays as it is."""
    restore_from_trash([image_or_404(image_id, trashed=True).pk])
    return Status(204, None)


@router.get("/trash", response=TrashPage)
def trash(request: HttpRequest, page: Query[TrashedPage]) -> TrashPage:
    """Photos in the trash, those last moved there first."""
    rows = Image.objects.trashed().order_by("-trashed_at", "-pk")
    photos = [_trashed(row) for row in rows[page.offset : page.offset + page.limit]]
    return TrashPage(total=rows.count(), photos=photos)


def _trashed(row: Image) -> TrashedPhoto:
    if row.trashed_at is None:
        raise Http404("This photo is not in the trash.")
    return TrashedPhoto(
        id=row.pk,
        name=row.name,
        sha256=row.sha256,
        size=row.size,
        trashed_at=row.trashed_at,
        deleted_at=row.trashed_at + kept_for(),
    )
