"""Who asks: a person who has signed in, a script with a token, or anybody on loopback."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.contrib.auth.models import User
from django.http import HttpRequest

from gallery.access.binding import demands_login
from gallery.access.models import ApiToken
from gallery.access.roles import Role, role_of

# Where a request keeps its visitor.
ATTRIBUTE = "_gallery_visitor"


class TokenRefused(Exception):
    """A token that there is not, or no longer."""


@dataclass(frozen=True)
class Visitor:
    """What one request may do; templates know it as `access`."""

    role: Role = Role.NOBODY
    user: User | None = None
    """Who has signed in by a password."""
    token: ApiToken | None = None

    @property
    def may_read(self) -> bool:
        return self.role >= Role.READER

    @property
    def may_edit(self) -> bool:
        return self.role >= Role.EDITOR

    @property
    def may_own(self) -> bool:
        return self.role >= Role.OWNER


def visitor_of(request: HttpRequest) -> Visitor:
    """The visitor, looked up once for each request. Raises TokenRefused or DatabaseError."""
    known = getattr(request, ATTRIBUTE, None)
    if isinstance(known, Visitor):
        return known
    visitor = _look_up(request)
    setattr(request, ATTRIBUTE, visitor)
    return visitor


def _look_up(request: HttpRequest) -> Visitor:
    scheme, _, text = request.headers.get("Authorization", "").partition(" ")
    # Of other schemes, proxies make use.
    if scheme.lower() == "bearer":
        token = ApiToken.objects.find(text.strip())
        if token is None or not token.user.is_active:
            raise TokenRefused
        token.note_use()
        return Visitor(token.role, token=token)
    # Some requests are refused before Django has looked who asks.
    user = getattr(request, "user", None) if _has_session(request) else None
    person = user if isinstance(user, User) and user.is_authenticated else None
    role = role_of(person) if person else Role.NOBODY
    if not demands_login(settings.GALLERY_LOGIN, request):
        # People are looked after by owners alone, since accounts outlast the loopback.
        role = max(role, Role.EDITOR)
    return Visitor(role, user=person)


def _has_session(request: HttpRequest) -> bool:
    """Without one, nothing is read, and the answer does not vary by cookies."""
    return settings.SESSION_COOKIE_NAME in request.COOKIES
