"""Names of groups: what they are called by what they show, and what people call them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from gallery import components
from gallery.errors import refusing_full_disk
from gallery.groups.kind_counts import count_kinds
from gallery.groups.models import GroupedPhoto, PhotoGroup
from gallery.groups.naming import numbers_of, typical_kinds
from gallery.saved.saving import checked_name

CHUNK = 10_000


def rename_group(group: PhotoGroup, name: str) -> None:
    """Name a group; with an empty name it is called after what it shows again.

    Raises QueryRefused for a name that is too long, DiskFull.
    """
    group.name = checked_name(name) if name.strip() else ""
    with refusing_full_disk():
        group.save(update_fields=["name"])


def call_groups(
    groups: Sequence[PhotoGroup], image_ids: NDArray[np.int64], places: NDArray[np.int64]
) -> list[PhotoGroup]:
    """Call groups after what their photos show now; returns those that were called otherwise.

    Args:
        image_ids: (n,) rising
        places: (n,) in which of the groups each of them is.
    """
    typical = typical_kinds(count_kinds(components.index(), image_ids, places, len(groups)))
    changed = []
    for group, names, number in zip(groups, typical, numbers_of(typical), strict=True):
        if (group.typical, group.number) != (names, number):
            group.typical, group.number = names, number
            changed.append(group)
    return changed


def call_groups_anew() -> int:
    """Call all groups after what is known of their photos now; returns how many changed."""
    groups = list(PhotoGroup.objects.order_by("pk"))
    if not groups:
        return 0
    keys = np.array([group.pk for group in groups], np.int64)
    rows = GroupedPhoto.objects.filter(image__trashed_at=None, group__in=groups).order_by("pk")
    members = np.fromiter(
        chain.from_iterable(rows.values_list("pk", "group").iterator(CHUNK)), np.int64
    ).reshape(-1, 2)
    changed = call_groups(groups, members[:, 0], np.searchsorted(keys, members[:, 1]))
    PhotoGroup.objects.bulk_update(changed, ["typical", "number"])
    return len(changed)
