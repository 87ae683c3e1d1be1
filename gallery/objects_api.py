"""The objects of a photo in the JSON API: read, corrected, and returned to what was detected."""

from __future__ import annotations

from typing import Literal

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from ninja import Router, Schema
from pydantic import Field, model_validator

from detector.labels import ID_BY_NAME
from gallery.errors import EditRefused, VersionMissing
from gallery.layouts import Box
from gallery.lookup import image_or_404
from gallery.photo_objects import (
    DraftObject,
    PhotoObjects,
    correct_objects,
    objects_of,
    revert_objects,
)
from gallery.problem import Problem

router = Router()

# More than a photo can have, so that too many get a sentence, and fewer than take long to read.
MOST_ITEMS = 1000


class ShownObject(Schema):
    class_id: int
    name: str
    score: float = Field(description="how sure the detector is, 0..1; 1 for what a person drew")
    box: Box = Field(description="xmin, ymin, xmax, ymax in 0..1 of the photo's sides")
    source: Literal["person", "detector"]
    sure: bool = Field(description="whether pages show it; searches know fainter ones as well")


class ShownObjects(Schema):
    version: str = Field(description="also the ETag: a change says by If-Match what it changes")
    corrected: bool = Field(description="whether a person has corrected the objects")
    objects: list[ShownObject]


class GivenObject(Schema):
    """Other fields, such as the score and the source that GET answers with, do not count."""

    class_id: int | None = Field(None, description="one of COCO's 80; or say its name")
    name: str | None = None
    box: Box

    @model_validator(mode="after")
    def _has_a_class(self) -> GivenObject:
        if self.class_id is None and self.name is None:
            raise ValueError("should have a class_id or a name")
        return self


class GivenObjects(Schema):
    objects: list[GivenObject] = Field(max_length=MOST_ITEMS, description="all that there are")


PROBLEMS = {400: Problem, 404: Problem, 409: Problem, 428: Problem, 507: Problem}


@router.get(
    "/images/{int:image_id}/objects",
    response={200: ShownObjects, 404: Problem},
    tags=["objects"],
)
def objects(request: HttpRequest, response: HttpResponse, image_id: int) -> ShownObjects:
    """All objects of a photo, faint ones among them, and whether a person corrected them."""
    return _shown(response, objects_of(image_or_404(image_id).pk))


@router.put(
    "/images/{int:image_id}/objects", response={200: ShownObjects, **PROBLEMS}, tags=["objects"]
)
def put_objects(
    request: HttpRequest, response: HttpResponse, image_id: int, given: GivenObjects
) -> ShownObjects:
    """Correct the objects of a photo: the list is all that there are from now on.

    An object with the class and the box of one that was detected stays as it was; all others are
    a person's, and certain. `If-Match` has the version that was looked at, or `*`.
    """
    row = image_or_404(image_id)
    drafts = [DraftObject(_class_id(one), one.box) for one in given.objects]
    return _shown(response, correct_objects(row, drafts, _version(request)))


@router.delete(
    "/images/{int:image_id}/objects", response={200: ShownObjects, **PROBLEMS}, tags=["objects"]
)
def delete_objects(request: HttpRequest, response: HttpResponse, image_id: int) -> ShownObjects:
    """Take all corrections of a photo back; answers with what the detector found."""
    row = image_or_404(image_id)
    return _shown(response, revert_objects(row, _version(request)))


def _class_id(given: GivenObject) -> int:
    named = None if given.name is None else ID_BY_NAME.get(given.name.strip().lower())
    if given.name is not None and named is None:
        raise EditRefused(_("The gallery knows no object “%(name)s”.") % {"name": given.name[:50]})
    if given.class_id is not None and named not in (None, given.class_id):
        raise EditRefused(
            _("Class %(id)s is not called “%(name)s”.")
            % {"id": given.class_id, "name": (given.name or "")[:50]}
        )
    class_id = given.class_id if named is None else named
    assert class_id is not None
    return class_id


def _version(request: HttpRequest) -> str:
    text = request.headers.get("If-Match", "").strip()
    version = text.removeprefix("W/").strip('"')
    if not version:
        raise VersionMissing(
            _(
                "Send the version of the objects that you have looked at as the header If-Match, "
                "or * to replace any."
            )
        )
    return version


def _shown(response: HttpResponse, found: PhotoObjects) -> ShownObjects:
    response["ETag"] = f'"{found.version}"'
    response["Cache-Control"] = "private, no-cache"
    return ShownObjects(
        version=found.version,
        corrected=found.is_corrected,
        objects=[
            ShownObject(
                class_id=thing.class_id,
                name=thing.name,
                score=round(thing.score, 4),
                box=thing.box,
                source="person" if thing.by_person else "detector",
                sure=thing.is_sure,
            )
            for thing in found.objects
        ],
    )
