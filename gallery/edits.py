"""What people change about photos: kept in the store first, so that it outlives the catalogue."""

from __future__ import annotations

import json

from django.utils import timezone
from django.utils.translation import gettext as _

from featurestore.segments import Edit
from gallery import components
from gallery.errors import EditRefused, refusing_full_disk
from gallery.models import Image
from gallery.tasks import schedule_tending
from gallery.uploads import MAX_NAME_LENGTH, printable_text

NAME = "name"


def rename_image(image: Image, name: str) -> None:
    """Give a photo another name, durably. Raises EditRefused or DiskFull."""
    clean = printable_text(name)
    if not clean:
        raise EditRefused(_("A photo needs a name."))
    if len(clean) > MAX_NAME_LENGTH:
        raise EditRefused(_("A name has at most %(most)s characters.") % {"most": MAX_NAME_LENGTH})
    now = timezone.now().timestamp()
    with refusing_full_disk():
        # First, because it also brings the name to the catalogue should this be killed in between.
        schedule_tending()
        components.store().append_edits([Edit(image.pk, NAME, json.dumps(clean), now)])
        Image.objects.filter(pk=image.pk).update(name=clean)
    image.name = clean
