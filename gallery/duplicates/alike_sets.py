"""Sets of photos that are alike, as they are shown side by side, with the one to keep proposed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Q
from django.template.defaultfilters import date, filesizeformat
from django.utils import timezone
from django.utils.translation import gettext as _

from gallery.duplicates.models import AlikePair
from gallery.errors import refusing_full_disk
from gallery.figures import grouped
from gallery.models import Image

BATCH = 500
# A shop has thousands of photos that are alike one after the other.
MOST_SHOWN = 48


@dataclass(frozen=True)
class Fact:
    """What is told of each photo of a set, to compare."""

    label: str
    value: str
    differs: bool
    """Whether another of the set has another value."""
    is_most: bool = False
    """Whether it is more than that of any other."""


@dataclass(frozen=True)
class AlikePhoto:
    image: Image
    is_best: bool
    facts: list[Fact]


@dataclass(frozen=True)
class AlikeSet:
    """Photos that are alike, the best first."""

    photos: list[AlikePhoto]
    more: int = 0
    """How many others are as alike, and come once these are decided about."""

    @property
    def others(self) -> int:
        """How many are not the best."""
        return len(self.photos) - 1


def alike_sets(ids: Sequence[Sequence[int]]) -> list[AlikeSet]:
    """Sets with all that is shown of them: of a large one its newest photos."""
    shown = [some[-MOST_SHOWN:] for some in ids]
    images = Image.objects.shown().in_bulk([image_id for some in shown for image_id in some])
    found = [
        ([images[one] for one in some if one in images], len(whole) - len(some))
        for some, whole in zip(shown, ids, strict=True)
    ]
    return [set_of(some, more) for some, more in found if len(some) > 1]


def set_of(images: Sequence[Image], more: int = 0) -> AlikeSet:
    """The best first: most pixels, then most bytes, then the one that came first."""
    ordered = sorted(
        images, key=lambda one: (-one.width * one.height, -one.size, one.uploaded_at, one.pk)
    )
    sizes = [(one.width, one.height) for one in ordered]
    pixels = [width * height for width, height in sizes]
    weights = [one.size for one in ordered]
    days = [timezone.localtime(one.uploaded_at).date() for one in ordered]
    kinds = [one.media_type.partition("/")[2].upper() for one in ordered]
    return AlikeSet(
        [
            AlikePhoto(
                image,
                at == 0,
                [
                    Fact(
                        _("Pixels"),
                        f"{grouped(image.width)} × {grouped(image.height)}",
                        len(set(sizes)) > 1,
                        pixels.count(pixels[at]) == 1 and pixels[at] == max(pixels),
                    ),
                    Fact(
                        _("Size"),
                        filesizeformat(image.size),
                        len(set(weights)) > 1,
                        weights.count(weights[at]) == 1 and weights[at] == max(weights),
                    ),
                    Fact(_("Format"), kinds[at], len(set(kinds)) > 1),
                    Fact(_("Added"), date(days[at], "j F Y"), len(set(days)) > 1),
                ],
            )
            for at, image in enumerate(ordered)
        ],
        more,
    )


def keep_together(image_ids: Sequence[int], *, is_kept: bool = True) -> int:
    """Say that photos are all wanted and not to be offered again; returns of how many pairs.

    Raises DiskFull.
    """
    count = 0
    with refusing_full_disk(), transaction.atomic():
        for start in range(0, len(image_ids), BATCH):
            some = image_ids[start : start + BATCH]
            for other_start in range(0, len(image_ids), BATCH):
                others = image_ids[other_start : other_start + BATCH]
                pairs = AlikePair.objects.filter(first__in=some, second__in=others)
                count += pairs.update(is_kept=is_kept)
    return count


def offer_again() -> int:
    """Offer again what was kept together; returns how many pairs."""
    return AlikePair.objects.kept().update(is_kept=False)


def kept_pairs() -> int:
    """How many pairs are kept whose photos are both there."""
    both = Q(first__trashed_at=None, second__trashed_at=None)
    return AlikePair.objects.kept().filter(both).count()
