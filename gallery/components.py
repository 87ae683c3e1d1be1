"""The store, the detector and the other parts, made once a process from the settings."""

from __future__ import annotations

from functools import cache

from django.conf import settings

from detector import Detector, create_detector
from detector.model_files import MODEL_ID
from featurestore.index import Index
from featurestore.store import FeatureStore
from gallery.spool import Spool
from gallery.thumbnails import Thumbnails
from gallery.vocabulary import Vocabulary


@cache
def store() -> FeatureStore:
    return FeatureStore(settings.STORE_DIR)


@cache
def spool() -> Spool:
    return Spool(settings.SPOOL_DIR)


@cache
def thumbnails() -> Thumbnails:
    return Thumbnails(settings.THUMBNAIL_DIR)


@cache
def detector() -> Detector:
    return create_detector(settings.DETECTOR_URL, settings.GALLERY_MODELS)


@cache
def vocabulary() -> Vocabulary:
    return Vocabulary.load(settings.WORD_VECTORS)


def index() -> Index:
    """What a search looks at, as it is now."""
    return store().index(model_id())


def model_id() -> str:
    """The id of the model whose features are searched, without loading the model."""
    return MODEL_ID
