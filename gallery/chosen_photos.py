"""The photos that a form names: those that somebody has selected."""

from __future__ import annotations

import re
from collections.abc import Iterable

from django.http import QueryDict
from django.utils.translation import gettext as _

from gallery.errors import EditRefused
from gallery.figures import grouped

# As many digits as a 64-bit id can have and no database refuses.
ID = re.compile(r"[0-9]{1,18}")
MOST_PHOTOS = 20_000


def chosen_ids(form: QueryDict) -> list[int]:
    """Ids in the order they are given, each once.

    They come one a field from checkboxes, as `photo`, or by script all in one, as `photos`.

    Raises EditRefused where there are none, too many, or something else.
    """
    texts = [*form.getlist("photo"), *filter(None, form.get("photos", "").split(","))]
    if not texts:
        raise EditRefused(_("Select one photo or several first."))
    return parse_ids(texts)


def parse_ids(texts: Iterable[str]) -> list[int]:
    """Raises EditRefused."""
    ids: dict[int, None] = {}
    for text in texts:
        if not ID.fullmatch(text):
            raise EditRefused(_("This form names something that is no photo."))
        ids[int(text)] = None
    if len(ids) > MOST_PHOTOS:
        sentence = _("These are %(count)s photos; at most %(most)s can be chosen at a time.")
        raise EditRefused(sentence % {"count": grouped(len(ids)), "most": grouped(MOST_PHOTOS)})
    return list(ids)
