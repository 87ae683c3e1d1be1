"""`manage.py worker`: gives received photos their features."""

from __future__ import annotations

from typing import Any

from django.core.management import BaseCommand, call_command

from gallery.agreement import agree_after_crash
from gallery.catalogue import check_models, prepare_catalogue

POLL_SECONDS = 0.3


class Command(BaseCommand):
    help = "Run background work: takes received photos in batches and makes them searchable."

    def handle(self, *args: Any, **options: Any) -> None:
        check_models()
        prepare_catalogue()
        agree_after_crash()
        call_command(
            "db_worker", interval=POLL_SECONDS, startup_delay=False, reload=False, verbosity=0
        )
