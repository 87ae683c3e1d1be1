"""Groups in the JSON API."""

from __future__ import annotations

from django.http import Http404, HttpRequest
from ninja import Query, Router, Schema
from pydantic import Field

from detector.labels import ID_BY_NAME
from gallery.groups.browsing import photos_of, shown_groups
from gallery.groups.models import PhotoGroup
from gallery.problem import Problem

router = Router()


class Group(Schema):
    key: str = Field(description="stays the same while photos come and go")
    title: str = Field(description="what a person named it, else what is typical of it")
    typical: list[str] = Field(
        description="objects, tags and looks by which it differs from the rest, the first most"
    )
    objects: list[str] = Field(description="those of them that are objects")
    photos: int


class GroupPhoto(Schema):
    id: int
    name: str
    sha256: str


class GroupPage(Schema):
    total: int
    photos: list[GroupPhoto]


class GroupPlace(Schema):
    limit: int = Field(50, ge=1, le=1000)
    offset: int = Field(0, ge=0, le=10**9)


@router.get("/groups", response=list[Group])
def groups(request: HttpRequest) -> list[Group]:
    """Groups of photos that look alike, the largest first."""
    return [
        Group(
            key=shown.group.key,
            title=shown.group.title,
            typical=shown.group.typical,
            objects=[name for name in shown.group.typical if name in ID_BY_NAME],
            photos=shown.photos,
        )
        for shown in shown_groups()
    ]


@router.get("/groups/{key}/images", response={200: GroupPage, 404: Problem})
def images_of_group(request: HttpRequest, key: str, page: Query[GroupPlace]) -> GroupPage:
    """The photos of a group, the most typical first."""
    group = PhotoGroup.objects.filter(key=key).first()
    if group is None:
        raise Http404("There is no such group any more; photos are grouped anew as they come.")
    rows = photos_of(group)
    photos = [
        GroupPhoto(id=row.pk, name=row.name, sha256=row.sha256)
        for row in rows[page.offset : page.offset + page.limit]
    ]
    return GroupPage(total=rows.count(), photos=photos)
