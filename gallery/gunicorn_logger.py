"""What gunicorn says of itself, in the format of all other log lines."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from gunicorn.glogging import Logger  # type: ignore[import-untyped]  # It ships no types.

from gallery.logs import JsonFormatter


class GunicornLogger(Logger):  # type: ignore[misc]  # As above.
    """Named by `--logger-class`; its own format stays where LOG_FORMAT is not json."""

    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        if settings.LOG_FORMAT == "json":
            for handler in self.error_log.handlers:
                handler.setFormatter(JsonFormatter())
