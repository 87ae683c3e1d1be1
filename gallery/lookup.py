"""Photos by the ids in addresses."""

from __future__ import annotations

from django.http import Http404

from gallery.models import Image


def image_or_404(image_id: int) -> Image:
    """Raises Http404, with a sentence, where there is no such photo."""
    try:
        return Image.objects.get(pk=image_id)
    except (Image.DoesNotExist, OverflowError):
        raise Http404(f"There is no photo {image_id}; it may have been deleted.") from None
