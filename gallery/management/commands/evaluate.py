"""`manage.py evaluate`: how well this gallery finds, on photos whose objects are known."""

from __future__ import annotations

import json
import mimetypes
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
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
from gallery.evaluation.labelled import labelled_figures, labelled_photos
from gallery.evaluation.report import CutOffs, build_report
from gallery.evaluation.search_quality import TextScores
from gallery.evaluation.table import render_labelled, render_report
from gallery.evaluation.truth import NotCocoAnnotations, Truth, load_truth
from gallery.features import features_of
from gallery.layouts import Layout
from gallery.scoring import OBJECTS, SCORES, TEXT_CUT_OFF, score_layout, score_text
from gallery.search import PHOTO_CUT_OFF
from gallery.thumbnails import Size

WITHOUT_LOOKS = "without looks"


class Command(BaseCommand):
    help = (
        "Measure detection and search on photos with COCO annotations, or words on photos that "
        "lie in folders by what they show, in a store of its own."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--images", type=Path, help="folder of the photos")
        parser.add_argument("--annotations", type=Path, help="COCO annotation file of the photos")
        parser.add_argument(
            "--labels", type=Path, metavar="FOLDER", help="photos in a sub-folder for each word"
        )
        parser.add_argument("--json", action="store_true", help="print the figures as JSON")

    def handle(
        self,
        *args: object,
        images: Path | None = None,
        annotations: Path | None = None,
        labels: Path | None = None,
        json: bool,
        **options: object,
    ) -> None:
        evaluate = _evaluation(images, annotations, labels)
        try:
            with tempfile.TemporaryDirectory(prefix="evaluate-") as folder:
                self.stdout.write(evaluate(FeatureStore(Path(folder)), json))
        except (DetectorError, OSError) as error:
            raise CommandError(str(error)) from error


def _evaluation(
    images: Path | None, annotations: Path | None, labels: Path | None
) -> Callable[[FeatureStore, bool], str]:
    """What is to be measured, which tells its figures as JSON or a table. Raises CommandError."""
    if labels is not None and images is None and annotations is None:
        return partial(_evaluate_labels, _readable_labels(labels))
    if labels is not None or images is None or annotations is None:
        raise CommandError("Give --images and --annotations, or --labels alone.")
    return partial(_evaluate, _readable_truth(images, annotations), images)


def _readable_labels(folder: Path) -> dict[Path, str]:
    """Photos with their labels. Raises CommandError."""
    if not folder.is_dir():
        raise CommandError(f"{folder} is not a folder.")
    photos = labelled_photos(folder)
    if not photos:
        raise CommandError(f"{folder} has no photos in sub-folders named by what they show.")
    return photos


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


def _evaluate(truth: Truth, images: Path, store: FeatureStore, as_json: bool) -> str:
    started = time.monotonic()
    paths = [images / image.file_name for image in truth.images]
    found, looked = _ingest(paths, store)
    seconds = time.monotonic() - started
    report = build_report(
        truth,
        _detections(found),
        {**{name: partial(_text_scores, found, name) for name in SCORES}, **looked},
        {name: partial(_layout_scores, found, name) for name in SCORES},
        cut_offs=CutOffs(text=TEXT_CUT_OFF, photo=PHOTO_CUT_OFF),
        model_id=components.detector().model_id,
        seconds=seconds,
    )
    return json.dumps(report) if as_json else render_report(report)


def _evaluate_labels(photos: Mapping[Path, str], store: FeatureStore, as_json: bool) -> str:
    found, looked = _ingest(list(photos), store)
    scores = looked or {OBJECTS: partial(_text_scores, found, OBJECTS)}
    figures = labelled_figures(list(photos.values()), scores)
    return json.dumps(figures) if as_json else render_labelled(figures)


def _ingest(paths: Sequence[Path], store: FeatureStore) -> tuple[Index, dict[str, TextScores]]:
    """Store originals, features and looks, image ids 1..n in this order.

    Returns the index of objects, and how text is scored with looks and without; the latter is empty
    where looks are switched off.
    """
    detector, vocabulary = components.detector(), components.vocabulary()
    embedder = components.embedder()
    with tqdm(total=len(paths), unit="photo", file=sys.stderr) as progress:
        for start in range(0, len(paths), settings.INGEST_BATCH):
            batch = paths[start : start + settings.INGEST_BATCH]
            image_ids = range(start + 1, start + 1 + len(batch))
            pixels = [_pixels(path) for path in batch]
            store.append_images(
                [_stored_image(*each) for each in zip(image_ids, batch, pixels, strict=True)]
            )
            detections = detector.detect(np.stack([detector_input(one) for one in pixels]))
            store.append_features(detector.model_id, features_of(image_ids, detections, vocabulary))
            if embedder is not None:
                looks = embedder.embed(np.stack([look_input(one) for one in pixels]))
                store.looks(embedder.model_id).append(
                    LookFeatures.of(image_ids, looks.embedding, looks.scores, time.time_ns())
                )
            progress.update(len(batch))
    found = store.index(detector.model_id)
    if embedder is None:
        return found, {}
    looked = replace(found, looks=store.looks(embedder.model_id).index())
    return found, {
        OBJECTS: partial(_text_scores, looked, OBJECTS),
        WITHOUT_LOOKS: partial(_text_scores, found, OBJECTS),
    }


def _stored_image(image_id: int, path: Path, pixels: Pillow.Image) -> StoredImage:
    return StoredImage(
        image_id=image_id,
        name=path.name,
        media_type=mimetypes.guess_type(path.name)[0] or "application/octet-stream",
        width=pixels.width,
        height=pixels.height,
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
