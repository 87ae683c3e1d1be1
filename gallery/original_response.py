"""An original over HTTP."""

from __future__ import annotations

from django.http import HttpResponse
from django.utils.http import content_disposition_header

from gallery.models import Image
from gallery.originals import read_original


def original_response(image: Image) -> HttpResponse:
    """The bytes as uploaded, always as a download: a browser never runs what is in them.

    Raises StoreError where they are lost or damaged.
    """
    disposition = content_disposition_header(as_attachment=True, filename=image.name)
    return HttpResponse(
        read_original(image),
        content_type=image.media_type,
        headers={
            "Content-Disposition": disposition or "attachment",
            "Content-Security-Policy": "sandbox; default-src 'none'",
        },
    )
