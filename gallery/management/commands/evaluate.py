"""`manage.py evaluate`: how well this gallery finds, on photos whose objects are known."""

from __future__ import annotations

import json
import mimetypes
import sys
import tempfile
import time
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from numpy.typing import NDArray
from PIL import Image as Pillow
from tqdm import tqdm

from detector import MAX_DETECTIONS, DetectorError
from featurestore.index import Index
from featurestore.looks import LookFeatures
from featurestore.segments import StoredImage
from featurestore.store import FeatureStore
from gallery import components
from gallery.decoding import detector_input, look_input, read_pixels
from gallery.errors import PhotoRefused
from gallery.evaluation.report import CutOffs, Report, build_report
from gallery.evaluation.table import render_report
from gallery.evaluation.truth import NotCocoAnnotations, TrueImage, Truth, load_truth
from gallery.features import features_of
from gallery.layouts import Layout
from gallery.scoring import OBJECTS, SCORES, TEXT_CUT_OFF, score_layout, score_text
from gallery.search import PHOTO_CUT_OFF
from gallery.thumbnails import Size

WITHOUT_LOOKS = "without looks"


class Command(BaseCommand):
    help = "Measure detection and search on photos with COCO annotations, in a store of its own."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--images", type=Path, required=True, help="folder of the photos")
        parser.add_argument(
            "--annotations", type=Path, required=True, help="COCO annotation file of the photos"
        )
        parser.add_argument("--json", action="store_true", help="print the figures as JSON")

    def handle(
        self, *args: object, images: Path, annotations: Path, json: bool, **options: object
    ) -> None:
        truth = _readable_truth(images, annotations)
        try:
            with tempfile.TemporaryDirectory(prefix="evaluate-") as folder:
                report = _evaluate(truth, images, FeatureStore(Path(folder)))
        except (DetectorError, OSError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(_as_json(report) if json else render_report(report))


def _readable_truth(images: Path, annotations: Path) -> Truth:
    """The truth, once it is sure that every photo is there. Raises CommandError."""
    if not images.is_dir():
        raise CommandError(f"{images} is not a folder.")
    try:
        truth = load_truth(annotations)
    except NotCocoAnnotations as error:
        raise CommandError(str(error)) from error
    if not truth.images:
        raise CommandError(f"{annotations} lists no image.")
    missing = [
        image.file_name for image in truth.images if not (images / image.file_name).is_file()
    ]
    if missing:
        raise CommandError(
            f"{len(missing)} of {len(truth.images)} photos are missing in {images}, "
            f"{missing[0]} first."
        )
    return truth


def _evaluate(truth: Truth, images: Path, store: FeatureStore) -> Report:
    started = time.monotonic()
    model_id, look_model_id = _ingest(truth, images, store)
    seconds = time.monotonic() - started
    found = store.index(model_id)
    text_scores = {name: partial(_text_scores, found, name) for name in SCORES}
    if look_model_id is not None:
        looked = replace(found, looks=store.looks(look_model_id).index())
        text_scores[OBJECTS] = partial(_text_scores, looked, OBJECTS)
        text_scores[WITHOUT_LOOKS] = partial(_text_scores, found, OBJECTS)
    return build_report(
        truth,
        _detections(found),
        text_scores,
        {name: partial(_layout_scores, found, name) for name in SCORES},
        cut_offs=CutOffs(text=TEXT_CUT_OFF, photo=PHOTO_CUT_OFF),
        model_id=model_id,
        seconds=seconds,
    )


def _ingest(truth: Truth, images: Path, store: FeatureStore) -> tuple[str, str | None]:
    """Store originals, features and looks, image ids 1..n in the truth's order.

    Returns the model ids of features and looks, None for the latter where those are switched off.
    """
    detector, vocabulary = components.detector(), components.vocabulary()
    embedder = components.embedder()
    with tqdm(total=len(truth.images), unit="photo", file=sys.stderr) as progress:
        for start in range(0, len(truth.images), settings.INGEST_BATCH):
            batch = truth.images[start : start + settings.INGEST_BATCH]
            image_ids = range(start + 1, start + 1 + len(batch))
            store.append_images(
                [
                    _stored_image(image_id, image, images / image.file_name)
                    for image_id, image in zip(image_ids, batch, strict=True)
                ]
            )
            pixels = [_pixels(images / image.file_name) for image in batch]
            detections = detector.detect(np.stack([detector_input(one) for one in pixels]))
            store.append_features(detector.model_id, features_of(image_ids, detections, vocabulary))
            if embedder is not None:
                looks = embedder.embed(np.stack([look_input(one) for one in pixels]))
                store.looks(embedder.model_id).append(
                    LookFeatures.of(image_ids, looks.embedding, looks.scores, time.time_ns())
                )
            progress.update(len(batch))
    return detector.model_id, None if embedder is None else embedder.model_id


def _stored_image(image_id: int, image: TrueImage, path: Path) -> StoredImage:
    return StoredImage(
        image_id=image_id,
        name=image.file_name,
        media_type=mimetypes.guess_type(path.name)[0] or "application/octet-stream",
        width=image.width,
        height=image.height,
        uploaded_at=time.time(),
        data=path.read_bytes(),
    )


def _pixels(path: Path) -> Pillow.Image:
    try:
        # As large as ingestion reads it, so that the models see the same pixels.
        return read_pixels(path, Size.GRID)
    except PhotoRefused as error:
        raise CommandError(f"{path} cannot be read. {error}") from error


def _detections(index: Index) -> NDArray[np.float32]:
    """(n, 20, 6) what the store holds, in the order of image ids."""
    detections = np.zeros((len(index), MAX_DETECTIONS, 6), np.float32)
    for row, padded in enumerate(detections):
        found = index.detections_of(row)
        padded[: len(found)] = found
    return detections


def _text_scores(index: Index, score_name: str, term: str) -> NDArray[np.float32]:
    return score_text(index, term, score_name)


def _layout_scores(
    index: Index, score_name: str, layout: NDArray[np.float32]
) -> NDArray[np.float32]:
    return score_layout(index, Layout(layout), score_name)


def _as_json(report: Report) -> str:
    return json.dumps(report)
