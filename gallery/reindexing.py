"""Features of a second model, filled in while the first one serves."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from detector import Detector, create_detector
from featurestore.current_model import ModelChoice, write_model_choice
from featurestore.errors import ImageNotStored, StoreError
from gallery import components
from gallery.decoding import detector_input, read_pixels
from gallery.errors import ModelUnknown, PhotoRefused
from gallery.features import features_of
from gallery.models import Image
from gallery.originals import original_file
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


def images_without_features(model_id: str) -> list[int]:
    """Ids of stored images that a model has no features of, rising."""
    store = components.store()
    index = store.index(model_id)
    return [image_id for image_id in store.image_ids().tolist() if index.row_of(image_id) is None]


def fill_in_features(
    detector: Detector, image_ids: Sequence[int], on_image: Callable[[], object]
) -> list[int]:
    """Store a detector's features of images, batch by batch; returns ids that cannot be decoded.

    Killed at any moment, it goes on from `images_without_features`.
    """
    failed = []
    for start in range(0, len(image_ids), BATCH):
        pixels, found = [], []
        for image in Image.objects.in_bulk(image_ids[start : start + BATCH]).values():
            try:
                with original_file(image) as path:
                    pixels.append(detector_input(read_pixels(path, Size.GRID)))
                found.append(image.pk)
            except ImageNotStored:
                pass  # Deleted since the list was made.
            except (StoreError, PhotoRefused):
                failed.append(image.pk)
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
