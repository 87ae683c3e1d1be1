"""Takes originals in the spool into the catalogue when no row knows them (any more)."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from featurestore.durable import sha256_of
from gallery.decoding import read_facts
from gallery.errors import PhotoRefused
from gallery.models import Image
from gallery.spool import facts_in


def adopt_original(path: Path) -> Image | None:
    """A new row for a spool file; None where the file is no longer what was uploaded.

    Its bytes must not have a row yet.
    """
    facts = facts_in(path.name)
    if facts is None:
        return None
    sha256, name = facts
    if sha256_of(path) != sha256:
        return None
    try:
        photo = read_facts(path)
    except PhotoRefused:
        return None
    return Image.objects.create(
        sha256=sha256,
        name=name,
        media_type=photo.media_type,
        size=path.stat().st_size,
        width=photo.width,
        height=photo.height,
        uploaded_at=datetime.fromtimestamp(path.stat().st_mtime, UTC),
        spool_name=path.name,
        priority=Image.Priority.IMPORT,
    )
