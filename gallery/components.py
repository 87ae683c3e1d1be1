"""The store, the detector and the other parts, made once a process from the settings."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Generic, TypeVar

from django.conf import settings

from detector import (
    GRPC_PREFIX,
    Detector,
    Embedder,
    create_detector,
    create_embedder,
    create_image_text_model,
)
from detector.image_text.files import MODEL_ID_PREFIX
from detector.look_model import LOOK_MODEL_ID
from detector.model_files import MODEL_ID
from featurestore.current_model import ModelChoice, read_model_choice
from featurestore.errors import SegmentDamaged
from featurestore.index import Index
from featurestore.store import FeatureStore
from gallery.spool import Spool
from gallery.thumbnails import Thumbnails
from gallery.vocabulary import Vocabulary

if TYPE_CHECKING:
    from detector.image_text.model import ImageTextModel

logger = logging.getLogger(__name__)

T = TypeVar("T")

#: The setting LOOK_URL of a gallery without looks.
LOOKS_OFF = "off:"


class Once(Generic[T]):
    """Makes something at the first call; threads that call meanwhile wait for the same."""

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._made: list[T] = []
        self._lock = threading.Lock()

    def __call__(self) -> T:
        with self._lock:
            if not self._made:
                self._made.append(self._make())
            return self._made[0]

    def cache_clear(self) -> None:
        """Have it made anew at the next call."""
        with self._lock:
            self._made.clear()


@Once
def store() -> FeatureStore:
    return FeatureStore(settings.STORE_DIR)


@Once
def spool() -> Spool:
    return Spool(settings.SPOOL_DIR)


@Once
def thumbnails() -> Thumbnails:
    return Thumbnails(settings.THUMBNAIL_DIR)


@Once
def detector() -> Detector:
    return create_detector(settings.DETECTOR_URL, models_dir())


@Once
def embedder() -> Embedder | None:
    """None where looks are switched off."""
    if settings.LOOK_URL == LOOKS_OFF:
        return None
    return create_embedder(settings.LOOK_URL, models_dir())


@Once
def image_text_model() -> ImageTextModel | None:
    """None where no model is plugged in. Raises DetectorError for one that does not fit."""
    if settings.CLIP_MODELS is None:
        return None
    return create_image_text_model(settings.CLIP_MODELS)


@Once
def vocabulary() -> Vocabulary:
    return Vocabulary.load(settings.WORD_VECTORS, settings.LEXICON)


def index() -> Index:
    """What a search looks at, as it is now.

    Photos that came since the detector was changed have only its features until all others have
    them as well; they are found by those. What people corrected counts as they left it. What photos
    look like counts as far as it is known.
    """
    return store().corrected_index(
        model_id(),
        lambda class_ids: vocabulary().sentence_vector(class_ids.tolist()),
        look_model_id(),
    )


def model_id() -> str:
    """The id of the model whose features are searched."""
    return model_choice().current


def model_choice() -> ModelChoice:
    """Which models are searched now and were before; at first that of the detector."""
    try:
        choice = read_model_choice(store().folder)
    except SegmentDamaged as error:
        logger.error("The detector's model is searched: %s", error)
        choice = None
    stored = store().model_ids()
    if choice is not None and choice.current in stored:
        return choice
    if settings.DETECTOR_URL.startswith(GRPC_PREFIX):
        # No search waits for a server. Features of any other model stand in (see `index`).
        return ModelChoice(stored[0] if stored else MODEL_ID)
    return ModelChoice(detector_model_id())


def detector_model_id() -> str:
    """The id of the detector's model; a local one is not loaded for it.

    A server is asked. Where its model has no signature `model_id` it cannot tell which model it
    is, so its version stands for it: "ssd-7".

    Raises DetectorError where no server answers.
    """
    if settings.DETECTOR_URL.startswith(GRPC_PREFIX):
        return detector().model_id
    return f"{MODEL_ID}-bf16" if settings.DETECTOR_URL == "local:bf16" else MODEL_ID


def look_model_id() -> str | None:
    """The appearance model whose looks are searched: the embedder's own, else one that is stored.

    No search waits for a server, so a served one is known by what it has written.
    """
    if settings.LOOK_URL == LOOKS_OFF:
        return None
    stored = [each for each in store().look_model_ids() if not each.startswith(MODEL_ID_PREFIX)]
    if LOOK_MODEL_ID in stored or not stored or not settings.LOOK_URL.startswith(GRPC_PREFIX):
        return LOOK_MODEL_ID
    return stored[-1]


def models_dir() -> Path:
    folder: Path = settings.GALLERY_MODELS
    return folder
