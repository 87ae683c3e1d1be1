"""Duplicates in the JSON API."""

from __future__ import annotations

from datetime import datetime

from django.http import HttpRequest
from ninja import Query, Router, Schema
from pydantic import Field

from gallery.duplicates.alike_sets import alike_sets
from gallery.duplicates.models import AlikePair
from gallery.duplicates.offered_sets import alike_ids

router = Router()


class AlikeImage(Schema):
    id: int
    name: str
    width: int
    height: int
    size: int = Field(description="bytes")
    uploaded_at: datetime
    best: bool = Field(description="the one to keep: most pixels, then bytes, then the oldest")


class DuplicatePage(Schema):
    total: int = Field(description="sets of photos")
    sets: list[list[AlikeImage]]


class DuplicatePlace(Schema):
    kind: AlikePair.Kind = Field(
        AlikePair.Kind.PIXELS, description='"pixels": one photo in several files; or "scene"'
    )
    limit: int = Field(50, ge=1, le=1000)
    offset: int = Field(0, ge=0, le=10**9)


@router.get("/duplicates", response=DuplicatePage)
def duplicates(request: HttpRequest, page: Query[DuplicatePlace]) -> DuplicatePage:
    """Sets of photos that are nearly the same, but for those that people keep together.

    Of a large set its newest 48 photos, and others once these are decided about.
    """
    ids = alike_ids(page.kind)
    sets = [
        [
            AlikeImage(
                id=photo.image.pk,
                name=photo.image.name,
                width=photo.image.width,
                height=photo.image.height,
                size=photo.image.size,
                uploaded_at=photo.image.uploaded_at,
                best=photo.is_best,
            )
            for photo in some.photos
        ]
        for some in alike_sets(ids[page.offset : page.offset + page.limit])
    ]
    return DuplicatePage(total=len(ids), sets=sets)
