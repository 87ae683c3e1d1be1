"""People, tokens and anybody, as the tests of access send them to the gallery."""

from __future__ import annotations

from enum import StrEnum

from django.contrib.auth.models import User
from django.test import Client

from gallery.access.models import ApiToken
from gallery.access.people import add_person
from gallery.access.roles import Role

PASSWORD = "correct horse battery"
ELSEWHERE = "203.0.113.9"


class Who(StrEnum):
    ANONYMOUS = "anonymous"
    READER = "reader"
    EDITOR = "editor"
    OWNER = "owner"
    READ_TOKEN = "read token"
    WRITE_TOKEN = "write token"


def person(name: str, role: Role, password: str = PASSWORD) -> User:
    """A person who can sign in."""
    user = add_person(name, role)
    user.set_password(password)
    user.save()
    return user


def bearer(user: User, scope: ApiToken.Scope) -> dict[str, str]:
    """The header by which a script sends a new token of the person."""
    _, text = ApiToken.objects.make(user, "a script", scope)
    return {"Authorization": f"Bearer {text}"}


def client_of(who: Who, *, enforce_csrf_checks: bool = False) -> Client:
    """A client elsewhere that asks as somebody; both tokens are an owner's."""
    client = Client(enforce_csrf_checks=enforce_csrf_checks, REMOTE_ADDR=ELSEWHERE)
    match who:
        case Who.READER | Who.EDITOR | Who.OWNER:
            client.force_login(add_person(f"some-{who}", Role[who.name]))
        case Who.READ_TOKEN | Who.WRITE_TOKEN:
            scope = ApiToken.Scope.READ if who == Who.READ_TOKEN else ApiToken.Scope.WRITE
            headers = bearer(add_person(f"owner of {who}".replace(" ", "-"), Role.OWNER), scope)
            client.defaults["HTTP_AUTHORIZATION"] = headers["Authorization"]
    return client
