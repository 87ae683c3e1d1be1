"""Photos by the ids in addresses."""

from __future__ import annotations

from django.http import Http404
from django.utils.translation import gettext as _

from gallery.models import Image


def image_or_404(image_id: int, *, trashed: bool = False) -> Image:
    """Raises Http404, with a sentence, where there is no such photo.

    Args:
        trashed: whether it may be in the trash.
    """
    images = Image.objects.all() if trashed else Image.objects.shown()
    try:
        return images.get(pk=image_id)
    except (Image.DoesNotExist, OverflowError):
        raise Http404(
            _("There is no photo %(id)s; it may have been deleted.") % {"id": image_id}
        ) from None
