"""`manage.py fit_look`: how photos of your own kind look alike, learnt from some of them."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

import numpy as np
from django.core.management import BaseCommand, CommandError
from tqdm import tqdm

from detector import DetectorError
from gallery.catalogue import prepare_catalogue
from gallery.common_look import default_look_space
from gallery.errors import TrainingRefused
from gallery.learnt import NothingBefore
from gallery.look_projection import fit_projection, versions, write_projection
from gallery.look_retrieval import Retrieval, retrieval
from gallery.tags.examples import Examples, examples_in, learning_embedder, photos_in


class Command(BaseCommand):
    help = (
        "Fit the search by look to photos of your own kind: from a folder with a sub-folder for "
        "each kind, or from a folder of photos."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        what = parser.add_mutually_exclusive_group(required=True)
        what.add_argument("--from", dest="folder", type=Path, metavar="FOLDER")
        what.add_argument("--back", action="store_true", help="undo the last fit or removal")
        what.add_argument("--remove", action="store_true", help="compare looks as they are")
        what.add_argument("--list", action="store_true", help="all versions")
        parser.add_argument(
            "--test", type=Path, metavar="FOLDER", help="measure on photos not learnt from"
        )

    def handle(self, *args: Any, folder: Path | None, **options: Any) -> None:
        prepare_catalogue()
        try:
            if folder is not None:
                self._fit(folder, options["test"], quiet=options["verbosity"] == 0)
            elif options["back"]:
                versions().back()
                self._tell()
            elif options["remove"]:
                versions().remove()
                self._tell()
            else:
                self._list()
        except NothingBefore:
            raise CommandError("There was nothing before what the look is now.") from None
        except (TrainingRefused, DetectorError) as error:
            raise CommandError(str(error)) from error

    def _fit(self, folder: Path, test: Path | None, *, quiet: bool) -> None:
        examples = _photos(folder, quiet=quiet)
        model_id = learning_embedder().model_id
        fit = fit_projection(examples.embedding, examples.labels, model_id)
        for path in examples.unreadable:
            self.stderr.write(f"{path} is no photo that can be read, and was passed over.")
        kinds = len(set(examples.labels))
        self.stdout.write(
            f"Learnt from {len(examples.labels)} photos"
            + (f" of {kinds} kinds" if kinds > 1 else "")
            + f": {fit.projection.dimensions} numbers a photo."
        )
        facts: dict[str, Any] = {"photos": len(examples.labels), "kinds": kinds}
        if fit.before is not None and fit.after is not None:
            self.stdout.write("Cross-validated: each fifth asks the others.")
            self._measured(fit.before, fit.after)
            facts["precision_at_1"], facts["precision_at_10"] = fit.after.at_1, fit.after.at_10
        if test is not None:
            asked = _photos(test, quiet=quiet)
            names = sorted({*examples.labels, *asked.labels})
            of, among = (
                np.array([names.index(label) for label in each.labels], np.int64)
                for each in (asked, examples)
            )
            space = default_look_space(model_id)
            unlearnt = [space.vectors(each.embedding) for each in (asked, examples)]
            fitted = [fit.projection.project(each.embedding) for each in (asked, examples)]
            self.stdout.write(f"Photos of {test}, which nothing was learnt from, ask the others:")
            self._measured(
                retrieval(unlearnt[0], of, unlearnt[1], among),
                retrieval(fitted[0], of, fitted[1], among),
            )
        versions().add(lambda path: write_projection(path, fit.projection), facts)
        self._tell()

    def _measured(self, before: Retrieval, after: Retrieval) -> None:
        self.stdout.write(f"          P@1    P@10\nbefore  {before.at_1:.3f}   {before.at_10:.3f}")
        self.stdout.write(f"after   {after.at_1:.3f}   {after.at_10:.3f}")

    def _tell(self) -> None:
        current = versions().current
        if current:
            self.stdout.write(f"Looks are compared by version {current} of your own now.")
        else:
            self.stdout.write("Looks are compared as they are.")

    def _list(self) -> None:
        learnt = versions()
        for version in sorted({step for step in learnt.steps() if step}):
            facts = learnt.facts(version)
            in_use = " (in use)" if version == learnt.current else ""
            self.stdout.write(
                f"version {version}: {facts.get('photos', '?')} photos of "
                f"{facts.get('kinds', '?')} kinds{in_use}"
            )
        self._tell()


def _photos(folder: Path, *, quiet: bool) -> Examples:
    """With a class each where the folder has sub-folders."""
    has_kinds = folder.is_dir() and any(
        path.is_dir() and not path.name.startswith(".") for path in folder.iterdir()
    )
    read = examples_in if has_kinds else photos_in
    with tqdm(unit="photo", file=sys.stderr, disable=quiet) as bar:
        return read(folder, learning_embedder(), bar.update)
