"""People, their roles and their tokens as one text, which outlasts the database they came from.

It is a fixture of Django's: `manage.py loaddata` reads it as well. It has the hashes of passwords
and tokens in it, and no ids, which differ between databases. Sessions are not in it.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib.auth.models import Group, User
from django.core import serializers
from django.core.exceptions import ValidationError
from django.core.serializers.base import DeserializationError
from django.db import DatabaseError, transaction

from gallery.access.models import ApiToken

# Without Django's permissions: roles alone decide what a person may.
FIELDS = (
    *("username", "password", "first_name", "last_name", "email", "groups", "is_active"),
    *("is_staff", "is_superuser", "date_joined", "last_login"),
    *("user", "name", "scope", "digest", "created_at", "last_used_at"),
)
READING_FAILS = (DatabaseError, ValueError, TypeError, UnicodeError)


class PeopleUnreadable(ValueError):
    """What is no such text, or people that contradict each other."""


@dataclass(frozen=True)
class PeopleText:
    text: str
    count: int
    """People in it."""


def people_text(*, with_tokens: bool = True) -> PeopleText:
    """Everybody, as JSON. Raises DatabaseError or ValueError where a damaged table has them."""
    # What others refer to is read last, so that nothing made meanwhile lacks what it refers to.
    tokens = list(ApiToken.objects.select_related("user").order_by("pk")) if with_tokens else []
    people = list(User.objects.order_by("pk").prefetch_related("groups"))
    known = {person.pk for person in people}
    rows = [
        *Group.objects.order_by("pk"),
        *people,
        *(token for token in tokens if token.user_id in known),
    ]
    text = serializers.serialize(
        "json",
        rows,
        fields=FIELDS,
        use_natural_foreign_keys=True,
        use_natural_primary_keys=True,
        indent=1,
        ensure_ascii=False,
    )
    return PeopleText(text, len(people))


def salvage_people() -> PeopleText | None:
    """Whoever can be read of a damaged database, without tokens if need be; None for nobody."""
    for with_tokens in (True, False):
        try:
            return people_text(with_tokens=with_tokens)
        except READING_FAILS:
            continue
    return None


def bring_people(text: str) -> int:
    """Make accounts, roles and tokens what a text says, all or none; returns how many people.

    Accounts of other names, and other tokens, stay as they are. Raises PeopleUnreadable.
    """
    people = 0
    try:
        with transaction.atomic():
            for row in serializers.deserialize("json", text):
                row.save()
                people += isinstance(row.object, User)
    except (DeserializationError, ValidationError, *READING_FAILS) as error:
        raise PeopleUnreadable(str(error)) from error
    return people
