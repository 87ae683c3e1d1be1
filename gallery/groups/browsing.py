"""Groups as they are looked through: the largest first, each with its most typical photos."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Count

from gallery.groups.models import GroupedPhoto, PhotoGroup
from gallery.models import Image, ImageQuerySet

COVERS = 4


@dataclass(frozen=True)
class ShownGroup:
    group: PhotoGroup
    photos: int
    covers: list[Image]
    """Its most typical photos."""


def shown_groups() -> list[ShownGroup]:
    """All groups that have photos, those with most first."""
    members = GroupedPhoto.objects.filter(image__trashed_at=None).order_by()
    counts = dict(members.values_list("group").annotate(photos=Count("pk")))
    groups = PhotoGroup.objects.in_bulk(counts)
    by_size = sorted(groups.values(), key=lambda group: (-counts[group.pk], group.pk))
    return [
        ShownGroup(group, counts[group.pk], list(photos_of(group)[:COVERS])) for group in by_size
    ]


def photos_of(group: PhotoGroup) -> ImageQuerySet:
    """The photos of a group, the most typical first."""
    return Image.objects.shown().filter(grouped__group=group).order_by("grouped__distance", "pk")
