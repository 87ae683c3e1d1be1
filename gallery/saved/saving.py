"""Saves searches, and names and deletes them."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from django.contrib.auth.models import User
from django.utils.translation import gettext as _

from gallery.errors import QueryRefused, refusing_full_disk
from gallery.saved.models import KEY_LENGTH, KEY_LETTERS, MAX_NAME_LENGTH, SavedSearch, new_key
from gallery.saved.queries import SavedQuery, parse_saved

MOST_SAVED = 2000
KEY = re.compile(rf"[{KEY_LETTERS}]{{{KEY_LENGTH}}}")


@dataclass(frozen=True)
class Savable:
    """A search that a page shows, as it would be saved."""

    query: SavedQuery
    saved: SavedSearch | None
    """The same, where it is saved already."""

    @classmethod
    def of(cls, query: SavedQuery) -> Savable:
        return cls(query, SavedSearch.objects.filter(query=query.text).first())


def save_search(name: str, text: str, user: User | None, *, key: str = "") -> SavedSearch:
    """Keep a search; one that is kept already is returned as it is.

    Args:
        text: see `queries.parse_saved`.
        key: that of a search which was deleted and is wanted back, so that its address goes on.

    Raises QueryRefused or DiskFull.
    """
    query = parse_saved(text)
    name = checked_name(name or query.suggested_name())
    known = SavedSearch.objects.filter(query=query.text).first()
    if known is not None:
        return known
    if SavedSearch.objects.count() >= MOST_SAVED:
        raise QueryRefused(
            _("There are %(count)d saved searches, which is the limit. Delete some first.")
            % {"count": MOST_SAVED}
        )
    if not KEY.fullmatch(key) or SavedSearch.objects.filter(key=key).exists():
        key = new_key()
    with refusing_full_disk():
        return SavedSearch.objects.create(key=key, name=name, query=query.text, made_by=user)


def rename_search(search: SavedSearch, name: str) -> None:
    """Raises QueryRefused for no name."""
    search.name = checked_name(name)
    with refusing_full_disk():
        search.save(update_fields=["name"])


def checked_name(name: str) -> str:
    """A name without control characters and needless blanks. Raises QueryRefused."""
    kept = "".join(" " if unicodedata.category(sign) in ("Cc", "Cs") else sign for sign in name)
    kept = " ".join(kept.split())
    if not kept:
        raise QueryRefused(_("A saved search needs a name."))
    if len(kept) > MAX_NAME_LENGTH:
        raise QueryRefused(
            _("The name has %(length)d characters; the limit is %(limit)d.")
            % {"length": len(kept), "limit": MAX_NAME_LENGTH}
        )
    return kept
