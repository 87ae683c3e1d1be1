"""The WSGI application that gunicorn serves."""

from __future__ import annotations

import os
import threading

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gallery.settings")

application = get_wsgi_application()


def _warm_up() -> None:
    """Load what the first search would otherwise wait for."""
    from gallery import components

    components.vocabulary()
    components.index()


threading.Thread(target=_warm_up, daemon=True).start()
