"""Groups as they are looked through: the largest first, each with its most typical photos."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Count

from gallery.duplicates.models import AlikePair
from gallery.groups.models import GroupedPhoto, PhotoGroup
from gallery.models import Image, ImageQuerySet

COVERS = 4
# Of so many most typical photos, since some may be nearly the same.
COVERS_AMONG = 16


@dataclass(frozen=True)
class ShownGroup:
    group: PhotoGroup
    photos: int
    covers: list[Image]
    """Its most typical photos."""


def shown_groups(most: int | None = None) -> list[ShownGroup]:
    """Groups that have photos, those with most first: all, or so many."""
    members = GroupedPhoto.objects.filter(image__trashed_at=None).order_by()
    counts = dict(members.values_list("group").annotate(photos=Count("pk")))
    groups = PhotoGroup.objects.in_bulk(counts)
    by_size = sorted(groups.values(), key=lambda group: (-counts[group.pk], group.pk))
    return [ShownGroup(group, counts[group.pk], _covers(group)) for group in by_size[:most]]


def _covers(group: PhotoGroup) -> list[Image]:
    """The most typical photos of which no two are duplicates, where there are so many."""
    typical = {image.pk: image for image in photos_of(group)[:COVERS_AMONG]}
    pairs = AlikePair.objects.filter(first__in=typical, second__in=typical)
    repeated = {max(pair, key=list(typical).index) for pair in pairs.values_list("first", "second")}
    different = [image for image in typical.values() if image.pk not in repeated]
    return (different + [typical[pk] for pk in typical if pk in repeated])[:COVERS]


def photos_of(group: PhotoGroup) -> ImageQuerySet:
    """The photos of a group, the most typical first."""
    return Image.objects.shown().filter(grouped__group=group).order_by("grouped__distance", "pk")
