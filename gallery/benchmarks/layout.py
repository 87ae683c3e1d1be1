"""Search by photo and by drawing beside the original system's loop and a dense scan."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from featurestore.best_rows import best_rows
from featurestore.index import Index
from featurestore.row_ranges import for_row_ranges
from featurestore.segments import Features
from gallery.benchmarks.made_gallery import SEED, MadeGallery, made_galleries
from gallery.benchmarks.made_photos import Source, made_features
from gallery.benchmarks.queries import layouts
from gallery.benchmarks.timing import Report, timed
from gallery.explaining import Reason, layout_reasons
from gallery.hits import DEFAULT_LIMIT, MATCH_FLOOR
from gallery.layouts import Layout
from gallery.scoring import layout_query
from gallery.search import PHOTO_CUT_OFF
from gallery.vocabulary import Vocabulary

# The original loop is so slow that it is measured on so many images, and the figure scaled.
LOOP_IMAGES = 1000
LOOP_QUERIES = 3
# The dense scan takes gigabytes and seconds.
DENSE_QUERIES = 5

# What a layout's scores read of each object of its classes, and of each image.
OBJECT_BYTES = 14
IMAGE_BYTES = 4

Rows = NDArray[np.float32]


def bench_layout(
    sizes: Sequence[int], queries: int, source: Source, vocabulary: Vocabulary, report: Report
) -> None:
    """Measure with drawn layouts of 3 and of 8 to 12 boxes, as drawn and also mirrored."""
    random = np.random.default_rng(SEED)
    few, many = layouts(random, queries, 3, 3), layouts(random, queries, 8, 12)
    for gallery in made_galleries(sizes, source, vocabulary.class_vectors):
        gallery.report_memory(report)
        _bench_kinds(gallery, {"3 boxes": few, "8 to 12 boxes": many}, report)
        _bench_bandwidth(gallery, few, report)
        _bench_peers(gallery, few, source, vocabulary, report)
        gallery.report_new_photos(_finder(gallery), report)


def bench_photo(
    sizes: Sequence[int], queries: int, source: Source, vocabulary: Vocabulary, report: Report
) -> None:
    """Measure with the layouts of photos of the collection itself."""
    for gallery in made_galleries(sizes, source, vocabulary.class_vectors):
        gallery.report_memory(report)
        index = gallery.index
        rows = np.random.default_rng(SEED).integers(0, gallery.images, queries).tolist()
        photos = [index.detections_of(row) for row in rows]
        objects = np.mean([len(photo) for photo in photos])
        _bench_kinds(gallery, {f"a photo ({objects:.1f} objects on average)": photos}, report)
        _bench_peers(gallery, photos, source, vocabulary, report)
        gallery.report_new_photos(_finder(gallery), report)


def answer(index: Index, objects: Rows, *, mirror: bool) -> list[tuple[Reason, ...]]:
    """The reasons of the hits on a search's first page, as `search_layout` comes to them.

    All that it does but for looking the hits up in the catalogue.
    """
    layout = Layout(objects)
    query = layout_query(layout, mirror=mirror)
    scores = index.scores(query.scores)
    page = best_rows(index, scores, limit=DEFAULT_LIMIT, cut_off=PHOTO_CUT_OFF, floor=MATCH_FLOOR)
    return [
        layout_reasons(
            layout, query, index.objects_of(row, query.classes), index.layout_weight_of(row)
        )
        for row in page.rows.tolist()
    ]


def original_loop(images: Sequence[Rows], layout: Rows) -> list[float]:
    """The original system's photo score of images, pair by pair in plain Python, as it was."""
    scores = []
    for detections in images:
        total, pairs = 0.0, 0
        for asked in layout:
            for found in detections:
                if asked[0] == found[0]:
                    asked_area = (asked[4] - asked[2]) * (asked[5] - asked[3]) / 90_000
                    found_area = (found[4] - found[2]) * (found[5] - found[3]) / 90_000
                    total += float(asked[1] + found[1] + asked_area + found_area) / 4
                    pairs += 1
        scores.append(total / pairs if pairs else 0.0)
    return scores


def dense_scores(detections: Rows, layout: Rows) -> NDArray[np.float32]:
    """The gallery's layout score by NumPy over (n, 20, 6) padded detections, without an index."""

    def weights(rows: Rows) -> Rows:
        areas = (rows[..., 4] - rows[..., 2]) * (rows[..., 5] - rows[..., 3]) / 90_000
        found: Rows = np.sqrt(np.sqrt(areas)) * rows[..., 1] ** 1.5
        return found

    of_layout, of_images = weights(layout), weights(detections)
    boxes, classes = detections[:, :, 2:], detections[:, :, 0]
    areas = (boxes[:, :, 2:] - boxes[:, :, :2]).prod(axis=2)
    gains = np.zeros(len(detections), np.float32)
    best = np.zeros(classes.shape, np.float32)
    for asked, weight in zip(layout, of_layout, strict=True):
        low, high = np.maximum(boxes[:, :, :2], asked[2:4]), np.minimum(boxes[:, :, 2:], asked[4:])
        shared = np.clip(high - low, 0, None).prod(axis=2)
        union = (asked[4] - asked[2]) * (asked[5] - asked[3]) + areas - shared
        iou = shared / np.maximum(union, 1e-9)
        value = (iou + 0.02) / 1.02 * np.minimum(weight, of_images) * (classes == asked[0])
        gains += value.max(axis=1)
        np.maximum(best, value, out=best)
    scores: NDArray[np.float32] = (gains + best.sum(axis=1)) / np.maximum(
        of_layout.sum() + of_images.sum(axis=1), 1e-9
    )
    return scores


def _bench_kinds(gallery: MadeGallery, kinds: Mapping[str, Sequence[Rows]], report: Report) -> None:
    index = gallery.index
    for kind, asked in kinds.items():
        for mirror in (False, True):
            times = timed(partial(answer, index, mirror=mirror), asked)
            name = f"{kind}, mirrored too" if mirror else kind
            report(f"{gallery.images:,} images: {name}, top {DEFAULT_LIMIT} explained", str(times))


def _bench_bandwidth(gallery: MadeGallery, asked: Sequence[Rows], report: Report) -> None:
    """The scores alone, beside a sum over as many bytes as they have to read."""
    part = gallery.index.parts[0]
    postings = part.postings
    counts = np.diff(postings.class_starts)
    ready = [layout_query(Layout(objects)) for objects in asked]
    objects = float(np.mean([counts[query.classes].sum() for query in ready]))
    megabytes = (objects * OBJECT_BYTES + len(postings) * IMAGE_BYTES) / 1e6
    times = timed(lambda query: query.scores(postings), ready)
    numbers = np.ones(int(megabytes * 1e6 / 8), np.int64)

    def add(first: int, stop: int) -> None:
        numbers[first:stop].sum()

    plain = timed(lambda _: for_row_ranges(len(numbers), add, rows_a_range=1 << 19), range(50))
    report(
        f"{gallery.images:,} images: 3 boxes, scores alone",
        f"{times}, {objects:,.0f} objects, {megabytes:.1f} MB read a query; "
        f"a plain sum over as many bytes: {plain}",
    )


def _bench_peers(
    gallery: MadeGallery,
    asked: Sequence[Rows],
    source: Source,
    vocabulary: Vocabulary,
    report: Report,
) -> None:
    images = gallery.images
    ssd = np.concatenate(
        [
            features.ssd
            for features in made_features(
                source, np.random.default_rng(SEED), images, vocabulary.class_vectors
            )
        ]
    )
    dense = timed(partial(dense_scores, ssd), asked[:DENSE_QUERIES])
    report(
        f"{images:,} images: peer, the same score by a dense NumPy scan",
        f"{dense} ({dense.calls} queries, unexplained)",
    )
    some = [detections[detections[:, 0] > 0] for detections in ssd[:LOOP_IMAGES]]
    loop = timed(partial(original_loop, some), asked[:LOOP_QUERIES])
    scaled = loop.p50 * images / len(some) / 1000
    report(
        f"{images:,} images: peer, the original system's loop",
        f"{scaled:,.2f} s (scaled from {len(some):,} images, {loop.calls} queries, unexplained)",
    )


def _finder(gallery: MadeGallery) -> Callable[[Features, int], bool]:
    def finds(features: Features, row: int) -> bool:
        objects = features.ssd[0][features.ssd[0, :, 0] > 0]
        scores = gallery.index.scores(layout_query(Layout(objects)).scores)
        return bool(scores[row] >= PHOTO_CUT_OFF)

    return finds
