"""Stylesheets and scripts under names that change with their content, compressed once for all.

`manage.py collectstatic` makes them, and `make setup` and the image call it. Where it was not
called since the last change, pages work all the same: they name the files as they lie in the
source folder, uncompressed and for browsers to ask about again.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.staticfiles.storage import StaticFilesStorage
from whitenoise.compress import Compressor
from whitenoise.storage import CompressedManifestStaticFilesStorage

MANIFEST = "staticfiles.json"


def are_collected(source: Path, collected: Path) -> bool:
    """Whether `collected` holds every file of `source` as it is now."""
    if not (collected / MANIFEST).exists():
        return False
    try:
        return all(
            path.read_bytes() == (collected / path.relative_to(source)).read_bytes()
            for path in source.rglob("*")
            if path.is_file()
        )
    except OSError:
        return False


class CollectedFiles(CompressedManifestStaticFilesStorage):  # type: ignore[misc]  # Without types.
    """Names by content, in stylesheets and in what scripts import as well."""

    support_js_module_import_aggregation = True

    def create_compressor(self, **options: Any) -> Compressor:
        """Of gzip alone: Brotli at its best takes a minute for the pages of the API."""
        return Compressor(use_brotli=False, **options)

    def url(self, name: str | None, force: bool = False) -> str:
        if not settings.STATIC_COLLECTED:
            return str(StaticFilesStorage.url(self, name))
        return str(super().url(name, force))
