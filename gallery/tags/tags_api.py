"""Tags in the JSON API: of one photo, of many at once, and all that there are."""

from __future__ import annotations

from typing import Literal

from django.http import HttpRequest
from ninja import Router, Schema
from pydantic import Field

from gallery.lookup import image_or_404
from gallery.problem import Problem
from gallery.tags.photo_tags import change_tags, tags_of
from gallery.tags.tag_index import tag_index

router = Router(tags=["tags"])

MOST_AT_ONCE = 10_000
MOST_CHANGES = 60


class TagOfPhoto(Schema):
    name: str
    probability: float = Field(description="how sure it is, 0..1; 1 for what a person said")
    source: Literal["person", "machine"]


class TagsOfPhoto(Schema):
    tags: list[TagOfPhoto]


class TagChange(Schema):
    add: list[str] = Field([], max_length=MOST_CHANGES)
    remove: list[str] = Field(
        [], max_length=MOST_CHANGES, description="also what the machine suggests, for good"
    )


class TagChangeOfMany(TagChange):
    images: list[int] = Field(max_length=MOST_AT_ONCE, description="ids of photos")


class ChangedPhotos(Schema):
    photos: int = Field(description="how many photos there are of those")


class TagInUse(Schema):
    name: str
    photos: int


PROBLEMS = {400: Problem, 404: Problem, 507: Problem}


@router.get("/tags", response=list[TagInUse])
def tags(request: HttpRequest, beginning: str = "") -> list[TagInUse]:
    """All tags that photos show, those of most photos first."""
    counts = tag_index.beginning(beginning.lower())
    return [TagInUse(name=name, photos=photos) for name, photos in counts.items()]


@router.post("/tags", response={200: ChangedPhotos, **PROBLEMS})
def change_many(request: HttpRequest, change: TagChangeOfMany) -> ChangedPhotos:
    """Give many photos tags, or take tags away; ids that there are not are passed over."""
    return ChangedPhotos(photos=change_tags(change.images, add=change.add, remove=change.remove))


@router.get("/images/{int:image_id}/tags", response={200: TagsOfPhoto, 404: Problem})
def tags_of_photo(request: HttpRequest, image_id: int) -> TagsOfPhoto:
    """The tags of a photo: people's, then what the machine suggests and is sure of."""
    return _shown(image_or_404(image_id).pk)


@router.patch("/images/{int:image_id}/tags", response={200: TagsOfPhoto, **PROBLEMS})
def change_photo(request: HttpRequest, image_id: int, change: TagChange) -> TagsOfPhoto:
    """Add tags to a photo, or take some away; what people say counts before any machine."""
    row = image_or_404(image_id)
    change_tags([row.pk], add=change.add, remove=change.remove)
    return _shown(row.pk)


def _shown(image_id: int) -> TagsOfPhoto:
    return TagsOfPhoto(
        tags=[
            TagOfPhoto(
                name=tag.name,
                probability=round(tag.probability, 4),
                source="person" if tag.by_person else "machine",
            )
            for tag in tags_of(image_id)
        ]
    )
