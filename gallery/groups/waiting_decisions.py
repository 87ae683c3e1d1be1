"""What people decided about groups and duplicates, on its way from one catalogue to the next."""

from __future__ import annotations

import logging
from pathlib import Path

from django.conf import settings
from django.utils import timezone

from featurestore.durable import write_durably
from gallery.groups.kept_decisions import DecisionsUnreadable, bring_decisions, salvage_decisions

logger = logging.getLogger(__name__)

WAITING = "decisions.jsonl"


def put_decisions_aside() -> None:
    """Write what can be read of this catalogue into a file, durably; nothing where there is none.

    What an earlier try has put aside stays where this catalogue is empty. Raises OSError.
    """
    decisions = salvage_decisions()
    if decisions is not None and decisions.count:
        content = decisions.text.encode()
        write_durably(_path(), lambda file: _write(file, content))


def take_over_decisions() -> None:
    """Bring what was put aside into this catalogue, once its photos are there."""
    path = _path()
    if not path.exists():
        return
    try:
        bring_decisions(path.read_text(encoding="utf-8"))
    except (DecisionsUnreadable, UnicodeError) as error:
        kept = path.parent / "quarantine" / f"{timezone.now():%Y%m%dT%H%M%S}-{path.name}"
        kept.parent.mkdir(exist_ok=True)
        path.rename(kept)
        logger.error("Names of groups cannot be read and are in %s: %s", kept, error)


def forget_waiting_decisions() -> None:
    """Call it once what was taken over is committed."""
    _path().unlink(missing_ok=True)


def _path() -> Path:
    return Path(settings.STORE_DIR).parent / WAITING


def _write(path: Path, content: bytes) -> None:
    path.write_bytes(content)
