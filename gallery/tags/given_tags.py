"""Tags that many photos are given at once, with what takes exactly that back."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from django.utils.translation import gettext as _

from gallery.chosen_photos import parse_ids
from gallery.errors import EditRefused
from gallery.models import Image, PhotoTag
from gallery.tags.names import tag_key, tag_name
from gallery.tags.photo_tags import change_tags, withdraw_tags

# A database takes only so many values in a query.
BATCH = 500
MOST_NAMES = 10


@dataclass(frozen=True)
class GivenTag:
    """A tag, and the photos that did not have it before."""

    name: str
    images: list[int]
    refused: list[int]
    """Those of them of which people had said that they should not have it."""


def give_tags(image_ids: Sequence[int], names: Sequence[str]) -> tuple[list[GivenTag], int]:
    """Give photos tags; returns what is new of it, and how many photos there are of those.

    Raises EditRefused or DiskFull.
    """
    wanted = {tag_key(name): name for name in map(tag_name, names)}
    if not wanted:
        raise EditRefused(_("Type a tag, or several with commas between them."))
    if len(wanted) > MOST_NAMES:
        raise EditRefused(_("At most %(most)s tags are added at a time.") % {"most": MOST_NAMES})
    there: set[int] = set()
    before: dict[tuple[str, int], bool] = {}
    for start in range(0, len(image_ids), BATCH):
        some = image_ids[start : start + BATCH]
        there.update(Image.objects.filter(pk__in=some).values_list("pk", flat=True))
        rows = PhotoTag.objects.by_people().named(wanted).filter(image__in=some)
        for key, image_id, is_refused in rows.values_list("key", "image", "is_refused"):
            before[key, image_id] = is_refused
    found = change_tags(image_ids, add=list(wanted.values()))
    given = [
        GivenTag(
            name,
            [one for one in image_ids if one in there and before.get((key, one)) is not False],
            [one for one in image_ids if before.get((key, one))],
        )
        for key, name in wanted.items()
    ]
    return [tag for tag in given if tag.images], found


def take_back(given: Sequence[GivenTag]) -> None:
    """Have photos tagged as they were before. Raises EditRefused or DiskFull."""
    for tag in given:
        refused = set(tag.refused)
        withdraw_tags([one for one in tag.images if one not in refused], [tag.name])
        change_tags(refused, remove=[tag.name])


def given_text(given: Sequence[GivenTag]) -> str:
    """As a form carries it."""
    return json.dumps([asdict(tag) for tag in given])


def parse_given(text: str) -> list[GivenTag]:
    """Raises EditRefused for what `given_text` has not written."""
    try:
        rows = json.loads(text)
        return [
            GivenTag(
                tag_name(str(row["name"])),
                parse_ids(map(str, row["images"])),
                parse_ids(map(str, row["refused"])),
            )
            for row in rows[:MOST_NAMES]
        ]
    except (ValueError, LookupError, TypeError, RecursionError):
        raise EditRefused(_("It is not known any more what is to be undone.")) from None
