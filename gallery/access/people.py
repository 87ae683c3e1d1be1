"""Adding people, changing what they may do, and letting them choose their passwords."""

from __future__ import annotations

from django.contrib.auth.models import Group, User
from django.contrib.auth.tokens import default_token_generator
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.urls import reverse
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_decode, urlsafe_base64_encode
from django.utils.translation import gettext as _

from gallery.access.roles import Role, role_of, set_role
from gallery.errors import Refused

# As many digits as an id can have and no database refuses.
MAX_ID_LENGTH = 18


class PersonRefused(Refused, ValueError):
    """A change to people that makes no sense."""


def everybody() -> list[User]:
    """All people by name, with their groups and tokens."""
    return list(User.objects.order_by("username").prefetch_related("groups", "api_tokens"))


def has_owner() -> bool:
    return _any_owner(User.objects.filter(is_active=True))


def add_person(name: str, role: Role) -> User:
    """A person who has no password yet. Raises PersonRefused."""
    name = User.normalize_username(name.strip())
    user = User(username=name)
    user.set_unusable_password()
    try:
        user.full_clean(exclude=["password"])
    except ValidationError as error:
        raise PersonRefused(" ".join(error.messages)) from error
    if User.objects.filter(username__iexact=name).exists():
        raise PersonRefused(_("Somebody has this name already, in other letters."))
    with transaction.atomic():
        user.save()
        set_role(user, role)
    return user


def change_person(user: User, role: Role, *, is_active: bool) -> None:
    """Give a person another role, or disable or enable the account.

    Raises PersonRefused where nobody would be left to look after people.
    """
    with transaction.atomic():
        # Held, so that two owners cannot take each other's role away at once.
        list(Group.objects.select_for_update().filter(name=Role.OWNER.group))
        others = User.objects.filter(is_active=True).exclude(pk=user.pk)
        if not (is_active and role == Role.OWNER) and not _any_owner(others):
            raise PersonRefused(
                _("%(name)s is the last owner. Make somebody else an owner first.") % {"name": user}
            )
        user.is_active = is_active
        user.save(update_fields=["is_active"])
        set_role(user, role)


def password_link(user: User) -> str:
    """A path that lets whoever has it choose the person's password.

    It ends when a password is chosen by it, at the next login, and after
    PASSWORD_RESET_TIMEOUT.
    """
    key = urlsafe_base64_encode(force_bytes(user.pk))
    return reverse("choose_password", args=[key, default_token_generator.make_token(user)])


def person_of_link(user_key: str, link_token: str) -> User | None:
    """Whose password a link is for; None where it is used up or was never one."""
    try:
        text = urlsafe_base64_decode(user_key).decode("ascii")
    except ValueError:
        return None
    if not text.isdecimal() or len(text) > MAX_ID_LENGTH:
        return None
    user = User.objects.filter(pk=int(text), is_active=True).first()
    return user if default_token_generator.check_token(user, link_token) else None


def _any_owner(users: QuerySet[User]) -> bool:
    return any(role_of(user) == Role.OWNER for user in users.prefetch_related("groups"))
