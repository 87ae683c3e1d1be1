"""The taggers of a gallery: the one that comes with it, and its own."""

from __future__ import annotations

import hashlib
import logging
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings

from featurestore.durable import FileState
from gallery.errors import TrainingRefused
from gallery.learnt import NAME, Learnt
from gallery.tags.head import NOTHING, HeadUnreadable, TagHead, read_head, write_head
from gallery.tags.training import Quality, Training

logger = logging.getLogger(__name__)

#: What comes with the gallery: `python manage.py train_tags fashion --from FOLDER --shipped`.
SHIPPED_FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Tagger:
    """One tagger in use."""

    name: str
    version: int | None
    """None for the one that comes with the gallery."""
    head: TagHead
    fingerprint: str

    @property
    def tags(self) -> tuple[str, ...]:
        """What it may call a photo."""
        return tuple(name for name in self.head.names if name != NOTHING)


def learnt(name: str) -> Learnt:
    """The versions of a gallery's own tagger. Raises TrainingRefused for what is no name."""
    if not NAME.fullmatch(name):
        raise TrainingRefused(
            f"“{name}” cannot name a tagger: use up to 40 small letters, digits and dashes."
        )
    return Learnt(settings.LEARNT_DIR / "tags" / name)


def tagger_names() -> list[str]:
    """All that come with the gallery or were ever trained, rising."""
    own = {path.name for path in (settings.LEARNT_DIR / "tags").glob("*") if path.is_dir()}
    shipped = {path.stem for path in SHIPPED_FOLDER.glob("*.npz")}
    return sorted(name for name in own | shipped if NAME.fullmatch(name))


def head_path(name: str) -> Path | None:
    """The file that a tagger uses, None where it is removed or unknown."""
    current = learnt(name).current
    if current is not None:
        return learnt(name).path(current) if current else None
    shipped = SHIPPED_FOLDER / f"{name}.npz"
    return shipped if shipped.exists() else None


def taggers() -> list[Tagger]:
    """Those in use, by name. One that cannot be read is left out, and the log says so."""
    found = [(name, path) for name in tagger_names() if (path := head_path(name)) is not None]
    return [tagger for name, path in found if (tagger := _read(name, path)) is not None]


def keep_training(name: str, training: Training, source: str) -> int:
    """Use what was learnt, as another version of a tagger; returns its number."""
    return learnt(name).add(
        lambda path: write_head(path, training.head), training_facts(training, source)
    )


def training_facts(training: Training, source: str) -> dict[str, Any]:
    """What is kept beside a head, for people to read."""
    quality = training.quality
    return {
        "look_model_id": training.head.look_model_id,
        "learnt_from": source,
        "examples": quality.examples,
        "shrinkage": training.shrinkage,
        "cross_validated": _quality_facts(quality),
    }


def _quality_facts(quality: Quality) -> dict[str, Any]:
    return {
        "accuracy": round(quality.accuracy, 4),
        "calibration_error": round(quality.calibration_error, 4),
        "passed_over": round(quality.passed_over, 4),
        "classes": {
            one.name: {
                "examples": one.examples,
                "precision": round(one.precision, 4),
                "recall": round(one.recall, 4),
            }
            for one in quality.classes
        },
    }


_lock = threading.Lock()
_known: dict[Path, tuple[FileState, Tagger | None]] = {}


def _read(name: str, path: Path) -> Tagger | None:
    """Read once as long as the file is the same."""
    try:
        state = FileState.of(path.stat())
        with _lock:
            if path in _known and _known[path][0] == state:
                return _known[path][1]
        version = None if path.parent == SHIPPED_FOLDER else int(path.stem)
        digest = hashlib.sha256(path.read_bytes()).hexdigest()[:12]
        tagger = Tagger(name, version, read_head(path), f"{name}:{digest}")
    except FileNotFoundError:
        logger.error("The tagger %s is gone: %s", name, path)
        return None
    except HeadUnreadable as error:
        logger.error("A tagger is left out: %s", error)
        tagger = None
    with _lock:
        _known[path] = state, tagger
    return tagger
