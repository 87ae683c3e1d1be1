"""All saved searches as one text, which outlasts the database they came from.

Beside `gallery.access.kept_people`: one line of JSON for each search, with the name of whoever
made it, since ids differ between databases.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import User
from django.db import DatabaseError, transaction

from gallery.saved.models import SavedSearch


class SearchesUnreadable(ValueError):
    """What is no such text."""


@dataclass(frozen=True)
class SearchesText:
    text: str
    count: int


def searches_text() -> SearchesText:
    """Raises DatabaseError or ValueError where a damaged table has them."""
    rows = SavedSearch.objects.order_by("pk").values(
        "key", "name", "query", "made_at", "made_by__username"
    )
    lines = [
        json.dumps(row | {"made_at": row["made_at"].isoformat()}, ensure_ascii=False)
        for row in rows
    ]
    return SearchesText("".join(f"{line}\n" for line in lines), len(lines))


def salvage_searches() -> SearchesText | None:
    """What can be read of a damaged database; None where nothing can."""
    try:
        return searches_text()
    except (DatabaseError, ValueError, TypeError, AttributeError):
        return None


def bring_searches(text: str) -> int:
    """Make searches what a text says, all or none; returns how many it has.

    Those of other keys stay as they are. Bring people first. Raises SearchesUnreadable.
    """
    lines = text.splitlines()
    try:
        with transaction.atomic():
            users = {user.username: user for user in User.objects.all()}
            for line in lines:
                row = json.loads(line)
                SavedSearch.objects.update_or_create(
                    key=row["key"],
                    defaults={
                        "name": row["name"],
                        "query": row["query"],
                        "made_at": datetime.fromisoformat(row["made_at"]),
                        "made_by": users.get(row["made_by__username"]),
                    },
                )
    except (DatabaseError, LookupError, TypeError, ValueError) as error:
        raise SearchesUnreadable(str(error)) from error
    return len(lines)
