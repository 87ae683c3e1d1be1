"""The WSGI application that gunicorn serves."""

from __future__ import annotations

import gc
import os
import threading

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gallery.settings")

application = get_wsgi_application()

from django.conf import settings  # noqa: E402 - needs the name of the settings module

from gallery.access.binding import check_entrance  # noqa: E402 - needs the settings
from gallery.presence import work_in_gallery  # noqa: E402 - needs the settings

check_entrance(
    settings.GALLERY_LOGIN,
    key_given=settings.SECRET_KEY_GIVEN,
    secret_key=settings.SECRET_KEY,
    hosts_given=settings.ALLOWED_HOSTS_GIVEN,
)

# Held for as long as this process lives.
presence = work_in_gallery()


def _warm_up() -> None:
    """Load and compile what the first search would otherwise wait for."""
    from PIL import Image as Pillow

    from featurestore.warm_up import warm_up
    from gallery import components
    from gallery.decoding import detector_input

    warm_up()
    # Compiles what makes photos smaller.
    detector_input(Pillow.new("RGB", (640, 480)))
    components.vocabulary()
    components.index()
    # What is loaded now stays: no collection of garbage, in the middle of a search, looks at it.
    gc.collect()
    gc.freeze()


threading.Thread(target=_warm_up, daemon=True).start()
