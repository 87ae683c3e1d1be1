"""What was compared, and what was found alike. All but what people decided is made again."""

from __future__ import annotations

from typing import ClassVar

from django.db import models


class ComparedPhoto(models.Model):
    """How far a photo was compared with the others."""

    image = models.OneToOneField(
        "gallery.Image", on_delete=models.CASCADE, primary_key=True, related_name="compared"
    )
    pixel_hash = models.BinaryField(help_text="8 bytes; empty if none can be made.")
    pixels_compared = models.BooleanField(default=False, db_index=True)
    looks_compared = models.BooleanField(default=False, db_index=True)

    def __str__(self) -> str:
        return f"{self.image_id}: {bytes(self.pixel_hash).hex()}"


class AlikePairQuerySet(models.QuerySet["AlikePair"]):
    # By IN, since SQLite uses no index for a bare column of truth.
    def offered(self) -> AlikePairQuerySet:
        """Those that people are asked about."""
        return self.filter(is_kept__in=[False])

    def kept(self) -> AlikePairQuerySet:
        """Those of which somebody wants both."""
        return self.filter(is_kept__in=[True])


class AlikePair(models.Model):
    """Two photos that are nearly the same."""

    class Kind(models.TextChoices):
        PIXELS = "pixels"
        """The same photo in another size, quality or cut."""
        SCENE = "scene"
        """Another photo of the same."""

    first = models.ForeignKey("gallery.Image", on_delete=models.CASCADE, related_name="+")
    second = models.ForeignKey("gallery.Image", on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    is_kept = models.BooleanField(
        default=False, help_text="Somebody wants to keep both, so it is not offered again."
    )

    objects = AlikePairQuerySet.as_manager()

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["first", "second"], name="alike_once")
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["is_kept", "kind"], name="alike_to_offer")
        ]

    def __str__(self) -> str:
        return f"{self.first_id} and {self.second_id}: {self.kind}"
