"""`manage.py train_tags`: what a gallery is taught, from folders or from its tags."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management import BaseCommand, CommandError
from tqdm import tqdm

from detector import DetectorError
from featurestore.durable import write_durably
from gallery import components
from gallery.catalogue import prepare_catalogue
from gallery.errors import TrainingRefused
from gallery.learnt import NothingBefore
from gallery.tags.examples import (
    Examples,
    examples_in,
    examples_tagged,
    learning_embedder,
)
from gallery.tags.head import write_head
from gallery.tags.taggers import (
    SHIPPED_FOLDER,
    keep_training,
    learnt,
    tagger_names,
    taggers,
    training_facts,
)
from gallery.tags.training import Quality, Training, measure_head, train_head
from gallery.tasks import schedule_tagging


class Command(BaseCommand):
    help = (
        "Teach the gallery tags of your own: from a folder with a sub-folder of photos for each "
        "tag, or from the tags that people gave. All photos get them in the background."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", nargs="?", help="what to call the tagger, such as: holidays")
        what = parser.add_mutually_exclusive_group()
        what.add_argument("--from", dest="folder", type=Path, metavar="FOLDER")
        what.add_argument("--from-tags", action="store_true", help="from what people tagged")
        what.add_argument("--back", action="store_true", help="undo the last training or removal")
        what.add_argument("--remove", action="store_true", help="use it no longer")
        what.add_argument("--list", action="store_true", help="all taggers")
        parser.add_argument(
            "--test", type=Path, metavar="FOLDER", help="measure on photos not learnt from"
        )
        # For those who develop the gallery: write the tagger that comes with it.
        parser.add_argument("--shipped", action="store_true", help="into the gallery's own code")

    def handle(self, *args: Any, name: str | None, **options: Any) -> None:
        prepare_catalogue()
        try:
            if options["list"] or name is None:
                self._list()
            elif options["back"]:
                self._back(name)
            elif options["remove"]:
                learnt(name).remove()
                schedule_tagging()
                self.stdout.write(
                    f"{name} is used no longer; `train_tags {name} --back` returns to it."
                )
            elif options["folder"] or options["from_tags"]:
                self._train(name, options)
            else:
                raise CommandError("Say what to learn from: --from FOLDER or --from-tags.")
        except (TrainingRefused, DetectorError) as error:
            raise CommandError(str(error)) from error

    def _train(self, name: str, options: dict[str, Any]) -> None:
        # Before anything takes long.
        versions = learnt(name)
        quiet = options["verbosity"] == 0
        if options["folder"]:
            examples = _examples(options["folder"], quiet=quiet)
            source = f"{len(examples.labels)} photos of a folder"
            model_id = learning_embedder().model_id
        else:
            known = components.look_model_id()
            if known is None:
                raise CommandError("No photo was looked at yet, so there is nothing to learn from.")
            model_id, source = known, "tags of the gallery"
            examples = examples_tagged(model_id)
        training = train_head(examples.embedding, examples.labels, model_id)
        for path in examples.unreadable:
            self.stderr.write(f"{path} is no photo that can be read, and was passed over.")
        self.stdout.write("Cross-validated: each fifth by what was learnt from the others.")
        self._report(training.quality)
        if options["test"]:
            test = _examples(options["test"], quiet=quiet)
            self.stdout.write(f"\nOn {options['test']}, which nothing was learnt from:")
            self._report(measure_head(training.head, test.embedding, test.labels))
        if options["shipped"]:
            _ship(name, training, source)
            return
        number = keep_training(name, training, source)
        schedule_tagging()
        before = len(versions.steps()) > 1
        self.stdout.write(
            f"\n{name} is version {number} now; the worker tags all photos with it."
            + (f" `train_tags {name} --back` returns to what was before." if before else "")
        )

    def _report(self, quality: Quality) -> None:
        self.stdout.write(
            f"{quality.examples} photos: {quality.accuracy:.1%} right; calibration error (ECE) "
            f"{quality.calibration_error:.3f}; {quality.passed_over:.1%} taken for nothing of it"
        )
        width = max(len(one.name) for one in quality.classes)
        self.stdout.write(f"{'':{width}}  photos  precision  recall")
        for one in quality.classes:
            self.stdout.write(
                f"{one.name:{width}}  {one.examples:6}  {one.precision:9.1%}  {one.recall:6.1%}"
            )
        for of, taken, count in quality.confusions:
            self.stdout.write(f"{count} × {of} taken for {taken}")

    def _list(self) -> None:
        in_use = {tagger.name: tagger for tagger in taggers()}
        for name in tagger_names():
            tagger = in_use.get(name)
            if tagger is None:
                self.stdout.write(f"{name}: not in use")
                continue
            version = "as it came" if tagger.version is None else f"version {tagger.version}"
            facts = {} if tagger.version is None else learnt(name).facts(tagger.version)
            right = facts.get("cross_validated", {}).get("accuracy")
            measured = f", {right:.1%} right" if isinstance(right, float) else ""
            self.stdout.write(f"{name}: {version}{measured}: {', '.join(tagger.tags)}")

    def _back(self, name: str) -> None:
        try:
            now = learnt(name).back()
        except NothingBefore:
            raise CommandError(f"There was nothing before what {name} is now.") from None
        schedule_tagging()
        if now:
            self.stdout.write(f"{name} is version {now} again.")
        elif now is None and name in {tagger.name for tagger in taggers()}:
            self.stdout.write(f"{name} is as it came.")
        else:
            self.stdout.write(f"{name} is not in use.")


def _examples(folder: Path, *, quiet: bool) -> Examples:
    with tqdm(unit="photo", file=sys.stderr, disable=quiet) as bar:
        return examples_in(folder, learning_embedder(), bar.update)


def _ship(name: str, training: Training, source: str) -> None:

    path = SHIPPED_FOLDER / f"{name}.npz"
    write_head(path, training.head)
    text = json.dumps(training_facts(training, source), indent=1, ensure_ascii=False) + "\n"
    write_durably(path.with_suffix(".json"), lambda file: file.write_text(text, encoding="utf-8"))
