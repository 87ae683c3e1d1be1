"""The command that imports a folder, as it has to be typed for this gallery."""

from __future__ import annotations

import shlex
import sys

from django.conf import settings

EXAMPLE_FOLDER = "~/Pictures"


def import_command(*, with_folders: bool) -> str:
    """What to type in a terminal on the gallery's machine.

    Args:
        with_folders: whether to say where the gallery and its Python lie.
    """
    if settings.IMPORT_COMMAND:
        return str(settings.IMPORT_COMMAND)
    if not with_folders:
        return f"python manage.py ingest {EXAMPLE_FOLDER}"
    command = f"{shlex.quote(sys.executable)} manage.py ingest {EXAMPLE_FOLDER}"
    if settings.GALLERY_DATA != settings.BASE_DIR / "var":
        command = f"GALLERY_DATA={shlex.quote(str(settings.GALLERY_DATA))} {command}"
    return f"cd {shlex.quote(str(settings.BASE_DIR))} && {command}"
