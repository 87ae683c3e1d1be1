"""A feature store full of made photos, opened as a gallery opens its own."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from featurestore.index import Index
from featurestore.segments import Features
from featurestore.store import FeatureStore
from gallery.benchmarks.made_photos import Source, made_features
from gallery.benchmarks.timing import Report

MODEL = "bench"
SEED = 20
NEW_PHOTOS = 10


def made_galleries(
    sizes: Sequence[int], source: Source, class_vectors: NDArray[np.float32]
) -> Iterator[MadeGallery]:
    """One gallery after the other, each in a folder that is removed behind it."""
    for images in sizes:
        with tempfile.TemporaryDirectory(prefix="gallery-bench-") as folder:
            yield MadeGallery(Path(folder), images, source, class_vectors)


class MadeGallery:
    """The made photos of one measurement: ids 1 to `images`, then new ones."""

    def __init__(
        self, folder: Path, images: int, source: Source, class_vectors: NDArray[np.float32]
    ) -> None:
        self.images = images
        self.store = FeatureStore(folder)
        self._source = source
        self._class_vectors = class_vectors
        self._next_id = images + 1
        random = np.random.default_rng(SEED)
        for features in made_features(source, random, images, class_vectors):
            self.store.append_features(MODEL, features)
        started = time.perf_counter()
        self.store.renew_index(MODEL)
        self.index_seconds = time.perf_counter() - started

    @property
    def index(self) -> Index:
        """What a search looks at, as it is now."""
        return self.store.index(MODEL)

    def add_photo(self) -> Features:
        """Append the features of one more photo, durably, as a worker does."""
        random = np.random.default_rng((SEED, self._next_id))
        (features,) = made_features(
            self._source, random, 1, self._class_vectors, first_id=self._next_id
        )
        self._next_id += 1
        self.store.append_features(MODEL, features)
        return features

    def report_memory(self, report: Report) -> None:
        """Say how much is mapped, and how long the index took to make."""
        part = self.index.parts[0]
        postings, objects = part.postings, part.postings.objects
        mapped = sum(
            array.nbytes
            for array in (
                objects.image_rows,
                objects.packed_scores,
                objects.packed_boxes,
                postings.image_ids,
                postings.written_at,
                postings.layout_weights,
                postings.emptiness,
            )
        )
        report(
            f"{self.images:,} images: index memory",
            f"{mapped / 2**20:,.0f} MB mapped for {len(objects):,} objects, "
            f"{mapped / self.images:.0f} bytes an image; the original score maps another "
            f"{postings.sentence_vectors.nbytes / 2**20:,.0f} MB",
        )
        report(f"{self.images:,} images: index made in", f"{self.index_seconds:.1f} s")

    def report_new_photos(self, finds: Callable[[Features, int], bool], report: Report) -> None:
        """Time from writing a photo's features until a search finds it, with no index made anew.

        Args:
            finds: whether a search that asks for what the features hold has a row among its hits.
        """
        times = []
        for _ in range(1 + NEW_PHOTOS):
            started = time.perf_counter()
            features = self.add_photo()
            row = self.index.row_of(int(features.image_ids[0]))
            if row is None or not finds(features, row):
                raise RuntimeError("a new photo is not found")
            times.append((time.perf_counter() - started) * 1000)
        # The first one compiles what adding needs.
        del times[0]
        report(
            f"{self.images:,} images: a new photo is found",
            f"p50 {np.median(times):.1f} ms after its features are given, durably written, "
            f"at most {max(times):.1f} ms",
        )
