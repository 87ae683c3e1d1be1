"""Rows of API tokens and of tries to sign in."""

from __future__ import annotations

import secrets
from contextlib import suppress
from datetime import timedelta
from hashlib import sha256

from django.conf import settings
from django.contrib.auth.models import User
from django.db import DatabaseError, models, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from gallery.access.roles import Role, role_of

# Lets scanners for secrets in published files recognise a token.
TOKEN_PREFIX = "gallery_"
# The time of the last use is written this seldom.
LAST_USE_SECONDS = 60


class ApiTokenQuerySet(models.QuerySet["ApiToken"]):
    def newest_first(self) -> ApiTokenQuerySet:
        return self.order_by("-created_at", "-pk")

    def make(self, user: User, name: str, scope: ApiToken.Scope) -> tuple[ApiToken, str]:
        """A new token and its text, which is not kept: only its SHA-256 is.

        256 random bits need no slower hash, because they cannot be guessed.
        """
        text = TOKEN_PREFIX + secrets.token_urlsafe(32)
        return self.create(user=user, name=name, scope=scope, digest=_digest(text)), text

    def find(self, text: str) -> ApiToken | None:
        """The token of this text, with its person and their groups."""
        found = self.filter(digest=_digest(text)).select_related("user")
        return found.prefetch_related("user__groups").first()

    def get_by_natural_key(self, digest: str) -> ApiToken:
        """A backup knows a token by its digest, because ids differ between databases."""
        return self.get(digest=digest)


class ApiToken(models.Model):
    """Lets a script do what its scope says, as far as its person may."""

    class Scope(models.TextChoices):
        READ = "read", _("read")
        WRITE = "write", _("read and write")

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="api_tokens"
    )
    name = models.CharField(max_length=100)
    scope = models.CharField(max_length=10, choices=Scope.choices)
    digest = models.CharField(max_length=64, unique=True, help_text="SHA-256 of its text.")
    created_at = models.DateTimeField(default=timezone.now)
    last_used_at = models.DateTimeField(null=True, blank=True)

    objects = ApiTokenQuerySet.as_manager()

    def __str__(self) -> str:
        return self.name

    def natural_key(self) -> tuple[str]:
        return (self.digest,)

    @property
    def role(self) -> Role:
        """What it may do: people are looked after by nobody but people."""
        own = Role.EDITOR if self.scope == self.Scope.WRITE else Role.READER
        return min(own, role_of(self.user))

    def note_use(self) -> None:
        """Record that it is used; where that cannot be written, it works all the same."""
        now = timezone.now()
        if self.last_used_at and now - self.last_used_at < timedelta(seconds=LAST_USE_SECONDS):
            return
        with suppress(DatabaseError), transaction.atomic():
            ApiToken.objects.filter(pk=self.pk).update(last_used_at=now)


class SignInTries(models.Model):
    """Wrong passwords for a name, or from an address."""

    key = models.CharField(max_length=64, unique=True, help_text="SHA-256 of name or address.")
    failures = models.PositiveIntegerField(default=0)
    last_at = models.DateTimeField(default=timezone.now, db_index=True)
    blocked_until = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"{self.failures} tries"


def _digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()
