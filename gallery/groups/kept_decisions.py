"""What people decided about groups and duplicates, as one text that outlasts the database.

Beside `gallery.saved.kept_searches`: one line of JSON for each group that has a name, and for each
pair of photos that is to be kept. Everything else of them is made again.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import DatabaseError, transaction

from featurestore.looks import EMBEDDING_DIMENSIONS
from gallery.duplicates.models import AlikePair
from gallery.groups.models import PhotoGroup
from gallery.models import Image
from gallery.saved.models import KEY_LENGTH, MAX_NAME_LENGTH

BATCH = 500


class DecisionsUnreadable(ValueError):
    """What is no such text."""


@dataclass(frozen=True)
class DecisionsText:
    text: str
    count: int


def decisions_text() -> DecisionsText:
    """Raises DatabaseError or ValueError where a damaged table has them."""
    lines: list[dict[str, Any]] = [
        {
            "group": group.key,
            "name": group.name,
            "typical": group.typical,
            "number": group.number,
            "look_model": group.look_model,
            "centre": base64.b64encode(bytes(group.centre)).decode(),
        }
        for group in PhotoGroup.objects.exclude(name="").order_by("pk")
    ]
    pairs = AlikePair.objects.kept().order_by("first_id", "second_id")
    lines += [
        {"keep": [first, second], "kind": kind}
        for first, second, kind in pairs.values_list("first_id", "second_id", "kind")
    ]
    text = "".join(f"{json.dumps(line, ensure_ascii=False)}\n" for line in lines)
    return DecisionsText(text, len(lines))


def salvage_decisions() -> DecisionsText | None:
    """What can be read of a damaged database; None where nothing can."""
    try:
        return decisions_text()
    except (DatabaseError, ValueError, TypeError, AttributeError):
        return None


def bring_decisions(text: str) -> int:
    """Make groups and pairs what a text says, all or none; returns how many it has.

    Bring photos first: a pair of which one is gone is passed over. Raises DecisionsUnreadable.
    """
    lines = text.splitlines()
    pairs: list[AlikePair] = []
    try:
        with transaction.atomic():
            for line in lines:
                row = json.loads(line)
                if "group" in row:
                    _bring_group(row)
                else:
                    first, second = (int(image_id) for image_id in row["keep"])
                    kind = AlikePair.Kind(row["kind"])
                    pairs.append(
                        AlikePair(first_id=first, second_id=second, kind=kind, is_kept=True)
                    )
            bring_pairs(pairs)
    except (DatabaseError, LookupError, TypeError, ValueError) as error:
        raise DecisionsUnreadable(str(error)) from error
    return len(lines)


def _bring_group(row: dict[str, Any]) -> None:
    centre = base64.b64decode(row["centre"], validate=True)
    if len(centre) != 2 * EMBEDDING_DIMENSIONS or len(row["group"]) != KEY_LENGTH:
        raise DecisionsUnreadable(f"the group {row['group']} has no centre")
    PhotoGroup.objects.update_or_create(
        key=row["group"],
        defaults={
            "name": str(row["name"])[:MAX_NAME_LENGTH],
            "typical": [str(name) for name in row["typical"]],
            "number": int(row["number"]),
            "look_model": str(row["look_model"]),
            "centre": centre,
        },
    )


def bring_pairs(pairs: Sequence[AlikePair]) -> None:
    """Have pairs kept, those left out of which a photo is gone."""
    for start in range(0, len(pairs), BATCH):
        some = pairs[start : start + BATCH]
        ids = {image_id for pair in some for image_id in (pair.first_id, pair.second_id)}
        there = set(Image.objects.filter(pk__in=ids).values_list("pk", flat=True))
        AlikePair.objects.bulk_create(
            [pair for pair in some if pair.first_id in there and pair.second_id in there],
            update_conflicts=True,
            unique_fields=["first", "second"],
            update_fields=["is_kept"],
        )
