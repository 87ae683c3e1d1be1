"""`manage.py reindex`: features of another model, then one switch; and the way back."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError
from tqdm import tqdm

from detector import DetectorError
from gallery import components
from gallery.catalogue import prepare_catalogue
from gallery.errors import ModelUnknown
from gallery.reindexing import (
    check_known_model,
    detector_of_model,
    fill_in_features,
    switch_model,
)


class Command(BaseCommand):
    help = (
        "Find the objects of all photos with another model while the present one serves, "
        "then switch the search to it. Goes on where it was stopped."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--model", metavar="ID", help="default: that of the detector")
        parser.add_argument("--no-switch", action="store_true", help="Fill in only.")
        parser.add_argument("--back", action="store_true", help="Switch to the previous model.")

    def handle(self, *args: Any, model: str | None, **options: Any) -> None:
        prepare_catalogue()
        if options["back"]:
            previous = components.model_choice().previous
            if previous is None:
                raise CommandError("There was no model before the present one.")
            self._switch(previous)
            return
        try:
            model_id = model or components.detector_model_id()
            check_known_model(model_id, _detector_urls())
        except (ModelUnknown, DetectorError) as error:
            raise CommandError(str(error)) from error
        self._fill_in(model_id, quiet=options["verbosity"] == 0)
        if model_id not in components.store().model_ids():
            self.stdout.write("There are no photos yet; the detector's model will be searched.")
        elif not options["no_switch"]:
            self._switch(model_id)

    def _fill_in(self, model_id: str, *, quiet: bool) -> None:
        # Images may come in meanwhile, with features of the detector's model only.
        while missing := components.store().images_without_features(model_id).tolist():
            try:
                detector = detector_of_model(model_id, _detector_urls())
                with tqdm(total=len(missing), unit="photo", file=sys.stderr, disable=quiet) as bar:
                    failed = fill_in_features(detector, missing, bar.update)
            except (ModelUnknown, DetectorError) as error:
                raise CommandError(str(error)) from error
            except OSError as error:
                raise CommandError(
                    f"It could not go on ({error}), so the search stays as it is; "
                    "the same command goes on from here."
                ) from error
            if failed:
                names = ", ".join(map(str, failed[:20]))
                raise CommandError(
                    f"{len(failed)} photos cannot be read or have no row in the catalogue "
                    f"({names}), so the search stays as it is. "
                    "Run `python manage.py check_store --repair`, then this again."
                )

    def _switch(self, model_id: str) -> None:
        choice = switch_model(model_id)
        self.stdout.write(
            f"Searching {choice.current}"
            + (f"; `reindex --back` returns to {choice.previous}." if choice.previous else ".")
        )


def _detector_urls() -> list[str]:
    """Where a model may be found."""
    return [settings.DETECTOR_URL, "local:", "local:bf16"]
