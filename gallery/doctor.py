"""Looks at everything the gallery needs and says in plain words what is wrong and what to do."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from pathlib import Path

import numpy as np
from django.conf import settings
from django.contrib.auth.models import User
from django.core.management import CommandError
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.db.models import Max
from django.utils import timezone
from django_tasks import TaskResultStatus
from django_tasks_db.models import DBTaskResult

from detector import GRPC_PREFIX, DetectorError, Embedder
from detector.detections import IMAGE_SIZE
from detector.look_model import LOOK
from detector.model_files import verify
from featurestore.errors import StoreError
from gallery import components
from gallery.access.binding import Login
from gallery.access.people import has_owner
from gallery.description_check import describe_photos
from gallery.models import Image

# A worker looks for work several times a second; a task may take a batch's time.
OVERDUE_SECONDS = 120.0
MIN_FREE_BYTES = 2**30
# Clocks of two machines of a network seldom differ by more.
CLOCK_SECONDS = 30.0
OLDEST_YEAR = 2025


class Verdict(StrEnum):
    GOOD = "good"
    #: It works, but somebody should know.
    NOTE = "note"
    BAD = "bad"


@dataclass(frozen=True)
class Diagnosis:
    """What was found about one thing, and what to do about it, "" where nothing is to be done."""

    name: str
    verdict: Verdict
    finding: str
    advice: str = ""


Findings = Iterator[tuple[Verdict, str, str]]


def examine(names: set[str] | None = None) -> Iterator[Diagnosis]:
    """Examine everything, or the things of these names, one after the other.

    Nothing is changed, and nothing raises: what fails is what is found.
    """
    broken: set[str] = set()
    for name, look in EXAMINATIONS.items():
        if names is not None and name not in names:
            continue
        if name in NEED_DATABASE and "database" in broken:
            finding = "Not looked at, because the database has to be mended first."
            yield Diagnosis(name, Verdict.NOTE, finding)
            continue
        for diagnosis in _examine(name, look):
            if diagnosis.verdict == Verdict.BAD:
                broken.add(name)
            yield diagnosis


def _examine(name: str, look: Callable[[], Findings]) -> Iterator[Diagnosis]:
    advice = ADVICE[name]
    try:
        for verdict, finding, own_advice in look():
            needed = "" if verdict == Verdict.GOOD else own_advice or advice
            yield Diagnosis(name, verdict, finding, needed)
    except Exception as error:
        # Of whatever kind: that something fails, and how, is what is looked for.
        yield Diagnosis(name, Verdict.BAD, _sentence(error), advice)


def _settings() -> Findings:
    found = False
    if settings.DEBUG:
        found = True
        yield Verdict.NOTE, "DEBUG is on, which shows the gallery's inside to visitors.", ""
    if "*" in settings.ALLOWED_HOSTS:
        found = True
        yield Verdict.NOTE, "ALLOWED_HOSTS has *, so the gallery answers to any name.", ""
    if len(settings.SECRET_KEY) < 32:
        found = True
        yield Verdict.BAD, "SECRET_KEY is shorter than 32 characters and can be guessed.", ""
    if not found:
        database = connection.display_name
        yield (
            Verdict.GOOD,
            f"Data in {settings.GALLERY_DATA}, catalogue in {database}, "
            f"detector {settings.DETECTOR_URL}.",
            "",
        )


def _folders() -> Findings:
    folders = [
        *(settings.GALLERY_DATA, settings.STORE_DIR, settings.SPOOL_DIR),
        *(settings.THUMBNAIL_DIR, settings.QUERY_DIR, Path(tempfile.gettempdir())),
    ]
    failed = False
    for folder in folders:
        try:
            with tempfile.TemporaryFile(dir=folder) as file:
                file.write(b"doctor")
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            failed = True
            yield Verdict.BAD, f"{folder} cannot be written to: {error.strerror}.", ""
    if not failed:
        yield Verdict.GOOD, f"All {len(folders)} folders can be written to.", ""


def _disk() -> Findings:
    usage = shutil.disk_usage(settings.GALLERY_DATA)
    finding = f"{usage.free / 1e9:,.1f} of {usage.total / 1e9:,.1f} GB are free."
    if usage.free < max(MIN_FREE_BYTES, 2 * settings.MAX_UPLOAD_BYTES):
        yield Verdict.BAD, finding, ""
    elif usage.free < usage.total / 20:
        yield Verdict.NOTE, finding, ""
    else:
        yield Verdict.GOOD, finding, ""


def _clock() -> Findings:
    if timezone.now().year < OLDEST_YEAR:
        yield Verdict.BAD, f"This machine takes today for {timezone.now():%Y-%m-%d}.", ""
        return
    with tempfile.NamedTemporaryFile(dir=settings.GALLERY_DATA) as file:
        ahead = os.fstat(file.fileno()).st_mtime - time.time()
    if abs(ahead) > CLOCK_SECONDS:
        yield Verdict.BAD, f"The data folder's clock is {ahead:+.0f} seconds off this one's.", ""
        return
    newest = None
    # Whether there is a catalogue is another question.
    with suppress(DatabaseError):
        newest = Image.objects.aggregate(at=Max("uploaded_at"))["at"]
    if newest is not None and newest > timezone.now() + timedelta(seconds=CLOCK_SECONDS):
        yield Verdict.BAD, f"A photo was uploaded in the future, at {newest:%Y-%m-%d %H:%M}.", ""
    else:
        yield Verdict.GOOD, f"It is {timezone.now():%Y-%m-%d %H:%M} UTC.", ""


def _models() -> Findings:
    for what, path in (("word vectors", settings.WORD_VECTORS), ("lexicon", settings.LEXICON)):
        if not path.exists():
            yield Verdict.BAD, f"No {what} at {path}.", ""
            return
    components.vocabulary()
    finding = "Word vectors and lexicon can be read"
    if not settings.DETECTOR_URL.startswith(GRPC_PREFIX):
        verify(components.models_dir())
        finding += ", and every file of the detection model is whole"
    if settings.LOOK_URL.startswith("local:"):
        verify(components.models_dir(), LOOK)
    yield Verdict.GOOD, f"{finding}.", ""


def _database() -> Findings:
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if plan:
        missing = ", ".join(str(migration) for migration, _ in plan[:3])
        yield (
            Verdict.BAD,
            f"The catalogue lacks {len(plan)} migrations, such as {missing}.",
            ("Run `python manage.py migrate`."),
        )
        return
    shown = Image.objects.shown()
    yield Verdict.GOOD, f"The catalogue is up to date and has {shown.count():,} photos.", ""
    failed, lost = shown.failed().count(), shown.lost().count()
    if failed - lost:
        yield (
            Verdict.NOTE,
            f"{failed - lost} photos could not be made searchable.",
            ("The first page names them and why, and has a button to try again."),
        )
    if lost:
        yield Verdict.NOTE, f"{lost} photos are lost.", "Upload them again, or delete them."


def _people() -> Findings:
    people = User.objects.filter(is_active=True).count()
    accounts = "1 person has an account" if people == 1 else f"{people} people have accounts"
    if has_owner():
        yield Verdict.GOOD, f"{accounts}, an owner among them.", ""
    elif settings.GALLERY_LOGIN == Login.REQUIRED:
        yield Verdict.BAD, "A login is demanded, but there is no owner.", ""
    else:
        yield Verdict.GOOD, f"{accounts}; on this machine nobody has to sign in.", ""


def _store() -> Findings:
    store = components.store()
    models = len(store.model_ids())
    features = "features of 1 model" if models == 1 else f"features of {models} models"
    finding = f"{len(store.image_ids()):,} photos with {features}"
    components.index()
    damaged = store.damaged_segments()
    for error in damaged:
        yield Verdict.BAD, _sentence(error), ""
    if not damaged:
        yield Verdict.GOOD, f"{finding}, {store.size_on_disk() / 1e6:,.1f} MB.", ""


def _detector() -> Findings:
    detector = components.detector()
    started = time.perf_counter()
    detector.check()
    model_id = detector.model_id
    detector.detect(np.zeros((1, IMAGE_SIZE, IMAGE_SIZE, 3), np.uint8))
    took = 1000 * (time.perf_counter() - started)
    yield Verdict.GOOD, f"It has the model {model_id} and answered in {took:,.0f} ms.", ""
    searched = components.model_id()
    if model_id != searched:
        yield (
            Verdict.NOTE,
            f"Photos are searched by what the model {searched} found.",
            (f"Run `python manage.py reindex --model {model_id}` to search by this detector's."),
        )


def _look() -> Findings:
    embedder = components.embedder()
    if embedder is None:
        yield Verdict.GOOD, "How photos look is not searched, as LOOK_URL says.", ""
    else:
        yield from _looked_at(embedder, "appearance model")


def _clip() -> Findings:
    model = components.image_text_model()
    if model is None:
        yield Verdict.GOOD, "No image–text model is plugged in, as CLIP_MODELS says.", ""
    else:
        yield from _looked_at(model, "image–text model")
        described = describe_photos(model)
        if described is not None:
            verdict = Verdict.NOTE if described.doubt else Verdict.GOOD
            finding = f"Of {described.photos:,} photos {described}"
            if described.doubt:
                finding += f"; {described.doubt}"
            yield verdict, f"{finding}.", "docs/clip.md tells how clip.json is set by this."


def _looked_at(embedder: Embedder, name: str) -> Findings:
    embedder.check()
    stored = components.store().looks(embedder.model_id).image_ids()
    missing = len(components.store().image_ids()) - len(stored)
    finding = f"The {name} is {embedder.model_id}"
    if missing > 0:
        advice = "The worker looks at them by itself; its log names those that it cannot read."
        yield Verdict.NOTE, f"{finding}; {missing:,} photos are yet to be looked at.", advice
    else:
        yield Verdict.GOOD, f"{finding}, and all photos were looked at.", ""


def _worker() -> Findings:
    now = timezone.now()
    overdue_at = now - timedelta(seconds=OVERDUE_SECONDS)
    overdue = DBTaskResult.objects.filter(
        status=TaskResultStatus.READY, run_after__lte=overdue_at, enqueued_at__lte=overdue_at
    )
    unclaimed = Image.objects.claimable(overdue_at).count()
    last = DBTaskResult.objects.aggregate(at=Max("finished_at"))["at"]
    progress = f"The last task ended {_ago(now - last)}" if last else "No task has ended yet"
    if overdue.exists() or unclaimed:
        waiting = f", and {unclaimed:,} photos wait" if unclaimed else ""
        yield Verdict.BAD, f"Work that is due is not taken up{waiting}. {progress}.", ""
    else:
        yield Verdict.GOOD, f"No work is overdue. {progress}.", ""
    failures = DBTaskResult.objects.filter(status=TaskResultStatus.FAILED).order_by("-finished_at")
    failure = failures.first()
    if failure is not None:
        name = failure.task_path.rpartition(".")[2]
        yield (
            Verdict.NOTE,
            f"{failures.count()} tasks failed, the last of them `{name}`.",
            ("The worker's log says why. A task that is due again is tried again by itself."),
        )


def _ago(passed: timedelta) -> str:
    minutes = int(passed.total_seconds() // 60)
    if minutes < 1:
        return "less than a minute ago"
    if minutes < 120:
        return f"{minutes} minutes ago"
    return f"{minutes // 60} hours ago"


def _sentence(error: Exception) -> str:
    # Some drivers tell theirs over several lines.
    text = " ".join(str(error).split()).rstrip(".?") or type(error).__name__
    known = isinstance(error, DatabaseError | DetectorError | StoreError | OSError | CommandError)
    return f"{text}." if known else f"{type(error).__name__}: {text}."


EXAMINATIONS: dict[str, Callable[[], Findings]] = {
    "settings": _settings,
    "folders": _folders,
    "disk": _disk,
    "models": _models,
    "database": _database,
    "people": _people,
    "clock": _clock,
    "store": _store,
    "detector": _detector,
    "look": _look,
    "clip": _clip,
    "worker": _worker,
}

# What lies in the database can be looked at only where it answers.
NEED_DATABASE = {"people", "worker"}

ADVICE = {
    "settings": "Change it in the environment; docs/deploy.md lists every variable.",
    "folders": "Give the user that the gallery runs as the right to write there.",
    "disk": "Delete photos and run `python manage.py compact`, or move GALLERY_DATA to more room.",
    "models": "Run `make setup`, which makes them again; in containers, build the image again.",
    "database": (
        "Start the database, or correct DATABASE_URL. Of a damaged SQLite file "
        "docs/backup-and-repair.md tells how to bring it back."
    ),
    "people": "Run `python manage.py create_owner NAME`; docs/users.md tells more.",
    "clock": "Set the clock, best by a time service, or waiting photos are taken up too late.",
    "store": "Run `python manage.py check_store`, which names what is damaged and can repair it.",
    "detector": (
        "Start TensorFlow Serving with the model, or correct DETECTOR_URL. Uploads are kept and "
        "words are searched meanwhile."
    ),
    "look": "Start TensorFlow Serving, correct LOOK_URL, or run `make setup`. All else works.",
    "clip": "Correct the files that CLIP_MODELS names; docs/clip.md tells how. All else works.",
    "worker": "Start a worker with `python manage.py worker`, and read its log if there is one.",
}
