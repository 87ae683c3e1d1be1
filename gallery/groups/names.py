"""Names that people give to groups."""

from __future__ import annotations

from gallery.errors import refusing_full_disk
from gallery.groups.models import PhotoGroup
from gallery.saved.saving import checked_name


def rename_group(group: PhotoGroup, name: str) -> None:
    """Name a group; with an empty name it is called after its objects again.

    Raises QueryRefused for a name that is too long, DiskFull.
    """
    group.name = checked_name(name) if name.strip() else ""
    with refusing_full_disk():
        group.save(update_fields=["name"])
