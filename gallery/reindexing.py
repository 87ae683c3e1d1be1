"""Features of a second model, filled in while the first one serves."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from detector import Detector, create_detector
from featurestore.current_model import ModelChoice, write_model_choice
from featurestore.errors import ImageNotStored, StoreError
from gallery import components
from gallery.decoding import detector_input
from gallery.errors import ModelUnknown, PhotoRefused
from gallery.features import features_of
from gallery.models import Image
from gallery.originals import original_pixels
from gallery.thumbnails import Size

BATCH = 32


def detector_of_model(model_id: str, urls: Sequence[str]) -> Detector:
    """The detector among some URLs that has this model. Raises ModelUnknown."""
    known = []
    for url in urls:
        detector = create_detector(url, components.models_dir())
        if detector.model_id == model_id:
            return detector
        known.append(detector.model_id)
        detector.close()
    raise ModelUnknown(model_id, known)


def check_known_model(model_id: str, urls: Sequence[str]) -> None:
    """Raises ModelUnknown for a model that neither the store nor a detector has."""
    if model_id not in components.store().model_ids():
        detector_of_model(model_id, urls).close()


def fill_in_features(
    detector: Detector, image_ids: Sequence[int], on_image: Callable[[], object]
) -> list[int]:
    """Store a detector's features of images, batch by batch.

    Returns ids of images that cannot be decoded, or have no row in the catalogue. Killed at any
    moment, it goes on from `FeatureStore.images_without_features`.
    """
    failed = []
    for start in range(0, len(image_ids), BATCH):
        batch = image_ids[start : start + BATCH]
        rows = Image.objects.in_bulk(batch)
        pixels, found = [], []
        for image_id in batch:
            try:
                if image_id in rows:
                    photo = original_pixels(rows[image_id], Size.GRID)
                    pixels.append(detector_input(photo))
                    found.append(image_id)
                elif image_id in components.store():
                    failed.append(image_id)
            except ImageNotStored:
                pass  # Deleted since the list was made.
            except (StoreError, PhotoRefused):
                failed.append(image_id)
            on_image()
        if found:
            features = features_of(
                found, detector.detect(np.stack(pixels)), components.vocabulary()
            )
            components.store().append_features(detector.model_id, features)
    return failed


def switch_model(model_id: str) -> ModelChoice:
    """Search another model's features from now on; returns the new choice."""
    choice = components.model_choice().switched_to(model_id)
    write_model_choice(components.store().folder, choice)
    return choice
