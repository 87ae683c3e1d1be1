"""What photos are tagged with, as the catalogue knows it.

What people say is kept in the store first (see `photo_tags`), what taggers say comes of looks: all
of it can be made again.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from django.db import models
from django.db.models import Exists, OuterRef, Q

#: From here on a tag that the gallery suggests is shown.
SURE_TAG = 0.5
MAX_TAG_LENGTH = 50


class PhotoTagQuerySet(models.QuerySet["PhotoTag"]):
    def by_people(self) -> PhotoTagQuerySet:
        """What people said, also that a photo should not have a tag."""
        return self.filter(tagger="")

    def named(self, keys: Iterable[str]) -> PhotoTagQuerySet:
        return self.filter(key__in=list(keys))

    def that_count(self) -> PhotoTagQuerySet:
        """Without those that people took away."""
        refused = PhotoTag.objects.filter(
            tagger="", is_refused=True, image=OuterRef("image"), key=OuterRef("key")
        )
        return self.filter(~Exists(refused))

    def shown(self) -> PhotoTagQuerySet:
        """Those by people, and those that a tagger is sure of and nobody took away."""
        return self.that_count().filter(Q(tagger="") | Q(probability__gte=SURE_TAG))


class PhotoTag(models.Model):
    """One tag of one photo by people or by one tagger. Rows are made and deleted, never changed."""

    image = models.ForeignKey("gallery.Image", on_delete=models.CASCADE, related_name="tags")
    name = models.CharField(max_length=MAX_TAG_LENGTH)
    key = models.CharField(
        max_length=MAX_TAG_LENGTH, help_text="What is the same for all ways to write the name."
    )
    tagger = models.CharField(max_length=MAX_TAG_LENGTH, blank=True, help_text="Empty for people.")
    probability = models.FloatField(default=1.0)
    is_refused = models.BooleanField(
        default=False, help_text="A person said that the photo should not have it."
    )

    objects = PhotoTagQuerySet.as_manager()

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["image", "key", "tagger"], name="one_tag_of_a_tagger")
        ]
        indexes: ClassVar[list[models.Index]] = [models.Index(fields=["key", "id"])]

    def __str__(self) -> str:
        return self.name
