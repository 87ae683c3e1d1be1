"""Roles: Django's groups of these names, each of which may do what those before it may."""

from __future__ import annotations

from enum import IntEnum

from django.contrib.auth.models import Group, User
from django.utils.translation import gettext_noop


class Role(IntEnum):
    NOBODY = 0
    #: Browse, search, download.
    READER = 1
    #: Upload, rename, delete, try again.
    EDITOR = 2
    #: People, and the tokens of all.
    OWNER = 3

    @property
    def group(self) -> str:
        """The name of the role's group, which is also how people read it."""
        return self.name.lower()


# As pages call them; these are also the names of the groups.
gettext_noop("reader")
gettext_noop("editor")
gettext_noop("owner")
#: Roles that a person can have.
ROLES = (Role.READER, Role.EDITOR, Role.OWNER)
ROLE_BY_GROUP = {role.group: role for role in ROLES}


def role_of(user: User) -> Role:
    """The highest role of a person; nobody's where the account is disabled."""
    if not user.is_active:
        return Role.NOBODY
    if user.is_superuser:
        return Role.OWNER
    roles = [ROLE_BY_GROUP.get(group.name, Role.NOBODY) for group in user.groups.all()]
    return max(roles, default=Role.NOBODY)


def set_role(user: User, role: Role) -> None:
    """Give a person this role and no other; groups of other names stay."""
    user.groups.remove(*Group.objects.filter(name__in=ROLE_BY_GROUP))
    group, _ = Group.objects.get_or_create(name=role.group)
    user.groups.add(group)
    # Without the groups that an earlier query may have kept with it.
    if hasattr(user, "_prefetched_objects_cache"):
        user._prefetched_objects_cache.clear()
