"""`manage.py worker`: gives received photos their features."""

from __future__ import annotations

import time
from typing import Any

from django.core.management import BaseCommand, CommandError, call_command
from django.db import OperationalError

from gallery.agreement import agree_after_crash
from gallery.catalogue import check_models, prepare_catalogue
from gallery.errors import is_disk_full
from gallery.memory import give_memory_back
from gallery.presence import work_in_gallery

POLL_SECONDS = 0.3
# Long enough that `serve` starts it again, and does not take it for one that cannot start.
ROOM_SECONDS = 6


class Command(BaseCommand):
    help = "Run background work: takes received photos in batches and makes them searchable."
    # They would load every page for this process, which shows none.
    requires_system_checks: list[str] = []  # noqa: RUF012 - as Django declares it

    def handle(self, *args: Any, **options: Any) -> None:
        give_memory_back()
        check_models()
        try:
            with work_in_gallery():
                prepare_catalogue()
                self._work()
        except (OSError, OperationalError) as error:
            if not is_disk_full(error):
                raise
            # Not again in this process: SQLite's connection may be left within a transaction.
            time.sleep(ROOM_SECONDS)
            raise CommandError("The disk is full; the worker has to be started again.") from error

    def _work(self) -> None:
        agree_after_crash()
        call_command(
            "db_worker", interval=POLL_SECONDS, startup_delay=False, reload=False, verbosity=0
        )
