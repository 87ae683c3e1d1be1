"""Saved searches in the catalogue."""

from __future__ import annotations

import secrets

from django.conf import settings
from django.db import models
from django.urls import reverse
from django.utils import timezone
from django.utils.text import slugify

MAX_NAME_LENGTH = 120
KEY_LENGTH = 10
# Without letters and digits that look alike: addresses are read out as well.
KEY_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"


def new_key() -> str:
    return "".join(secrets.choice(KEY_LETTERS) for _ in range(KEY_LENGTH))


class SavedSearch(models.Model):
    """A search by its name; everybody who may read sees it."""

    key = models.CharField(
        max_length=KEY_LENGTH,
        unique=True,
        default=new_key,
        editable=False,
        help_text="In its address, and the same after a restoration.",
    )
    name = models.CharField(max_length=MAX_NAME_LENGTH)
    query = models.TextField(help_text="As gallery.saved.queries writes it.")
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL
    )
    made_at = models.DateTimeField(default=timezone.now, db_index=True)

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        """The address to share, which leads to the photos as they are then."""
        return reverse("saved_search", args=[self.key, self.slug])

    @property
    def slug(self) -> str:
        """Its name as addresses have it."""
        return slugify(self.name, allow_unicode=True) or "search"
