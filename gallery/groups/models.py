"""Groups in the catalogue. All but the names that people gave is made again where it is lost."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.urls import reverse

from gallery.saved.models import KEY_LENGTH, MAX_NAME_LENGTH, new_key


class PhotoGroup(models.Model):
    """Photos around one centre; it stays the same group while its centre moves with new photos."""

    key = models.CharField(
        max_length=KEY_LENGTH,
        unique=True,
        default=new_key,
        editable=False,
        help_text="In its address, and the same after a restoration.",
    )
    name = models.CharField(
        max_length=MAX_NAME_LENGTH, blank=True, help_text="What a person calls it."
    )
    typical = models.JSONField(
        default=list, help_text="Objects, tags and looks by which it differs, the first most."
    )
    number = models.PositiveSmallIntegerField(
        default=1, help_text="Tells groups apart that show the same."
    )
    centre = models.BinaryField(help_text="The mean look as (1280,) float16.")
    look_model = models.CharField(max_length=80)
    photos_when_made = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return reverse("group", args=[self.key])

    @property
    def title(self) -> str:
        """Its name, in the reader's language where no person gave one."""
        from gallery.groups.naming import title_of

        return self.name or title_of(self.typical, self.number)

    @property
    def query(self) -> str:
        """A search for what is typical of it; "" where nothing is."""
        from gallery.groups.naming import query_of

        return query_of(self.typical)


class GroupedPhoto(models.Model):
    """Which group a photo is in."""

    image = models.OneToOneField(
        "gallery.Image", on_delete=models.CASCADE, primary_key=True, related_name="grouped"
    )
    group = models.ForeignKey(PhotoGroup, on_delete=models.CASCADE, related_name="members")
    distance = models.FloatField(help_text="From the centre; the nearest are the most typical.")

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["group", "distance"], name="grouped_most_typical")
        ]

    def __str__(self) -> str:
        return f"{self.image_id} in {self.group_id}"
