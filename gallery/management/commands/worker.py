"""`manage.py worker`: gives received photos their features."""

from __future__ import annotations

import time
from typing import Any

from django.core.management import BaseCommand, call_command
from django.db import OperationalError

from gallery.agreement import agree_after_crash
from gallery.catalogue import check_models, prepare_catalogue
from gallery.errors import is_disk_full

POLL_SECONDS = 0.3
# Until it is looked again whether the disk has room.
ROOM_SECONDS = 10


class Command(BaseCommand):
    help = "Run background work: takes received photos in batches and makes them searchable."

    def handle(self, *args: Any, **options: Any) -> None:
        check_models()
        prepare_catalogue()
        while True:
            try:
                self._work()
                return
            except (OSError, OperationalError) as error:
                if not is_disk_full(error):
                    raise
                self.stderr.write("The disk is full; the worker waits for room.")
                time.sleep(ROOM_SECONDS)

    def _work(self) -> None:
        agree_after_crash()
        call_command(
            "db_worker", interval=POLL_SECONDS, startup_delay=False, reload=False, verbosity=0
        )
