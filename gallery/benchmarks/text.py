"""Search by words beside FAISS and plain NumPy over sentence vectors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.util import find_spec

import numpy as np
from numpy.typing import NDArray

from detector.labels import NAME_BY_ID
from featurestore.best_rows import best_rows
from featurestore.index import Index
from featurestore.segments import Features
from gallery.benchmarks.made_gallery import SEED, MadeGallery, made_galleries
from gallery.benchmarks.made_photos import Source
from gallery.benchmarks.queries import TEXT_KINDS, text_queries
from gallery.benchmarks.timing import Report, timed
from gallery.explaining import Reason, TextReasons
from gallery.hits import DEFAULT_LIMIT, MATCH_FLOOR
from gallery.scoring import TEXT_CUT_OFF, score_query
from gallery.text_query import read_query
from gallery.vocabulary import Vocabulary


def bench_text(
    sizes: Sequence[int], queries: int, source: Source, vocabulary: Vocabulary, report: Report
) -> None:
    """Measure collections of so many made photos with so many queries of each kind."""
    for gallery in made_galleries(sizes, source, vocabulary.class_vectors):
        gallery.report_memory(report)
        _bench_kinds(gallery, queries, vocabulary, report)
        _bench_peers(gallery, queries, vocabulary, report)
        gallery.report_new_photos(_finder(gallery, vocabulary), report)


def answer(index: Index, text: str, vocabulary: Vocabulary) -> list[tuple[Reason, ...]]:
    """The reasons of the hits on a search's first page, as `search_text` comes to them.

    All that it does but for looking the hits up in the catalogue.
    """
    query = read_query(text, vocabulary)
    scores = score_query(index, query, floor=MATCH_FLOOR)
    page = best_rows(index, scores, limit=DEFAULT_LIMIT, cut_off=TEXT_CUT_OFF, floor=MATCH_FLOOR)
    reasons = TextReasons(query)
    return [
        reasons.of(index.objects_of(row, reasons.class_ids), index.looks_of(row, reasons.look_ids))
        for row in page.rows.tolist()
    ]


def _bench_kinds(
    gallery: MadeGallery, queries: int, vocabulary: Vocabulary, report: Report
) -> None:
    index = gallery.index
    for kind in TEXT_KINDS:
        texts = text_queries(kind, np.random.default_rng(SEED), queries)
        times = timed(lambda text: answer(index, text, vocabulary), texts)
        report(f"{gallery.images:,} images: {kind}, top {DEFAULT_LIMIT} explained", str(times))


def _bench_peers(
    gallery: MadeGallery, queries: int, vocabulary: Vocabulary, report: Report
) -> None:
    """Top hits by cosine, unexplained: the original system's score by the usual means."""
    part = gallery.index.parts[0]
    vectors = unit_rows(part.postings.sentence_vectors)
    texts = text_queries("two terms", np.random.default_rng(SEED), queries)
    asked = unit_rows(
        np.array([vocabulary.phrase_vector(text.split()) for text in texts], np.float32)
    )

    def numpy_best(query: NDArray[np.float32]) -> NDArray[np.int64]:
        cosines = vectors @ query
        limit = min(DEFAULT_LIMIT, len(cosines))
        best = np.argpartition(cosines, -limit)[-limit:]
        return best[np.argsort(-cosines[best])]

    name = f"{gallery.images:,} images: peer, cosines of 50-d sentence vectors"
    report(f"{name}, FAISS IndexFlatIP", _faiss(vectors, asked))
    report(f"{name}, NumPy and argpartition", str(timed(numpy_best, list(asked))))


def _faiss(vectors: NDArray[np.float32], asked: NDArray[np.float32]) -> str:
    if find_spec("faiss") is None:
        return "not measured: faiss-cpu is not installed"
    # A development dependency that brings no types.
    faiss = import_module("faiss")
    index = faiss.IndexFlatIP(vectors.shape[1])
    index.add(vectors)
    return str(timed(lambda query: index.search(query[None], DEFAULT_LIMIT), list(asked)))


def _finder(gallery: MadeGallery, vocabulary: Vocabulary) -> Callable[[Features, int], bool]:
    def finds(features: Features, row: int) -> bool:
        surest = NAME_BY_ID[int(features.ssd[0, 0, 0])]
        scores = score_query(gallery.index, read_query(surest, vocabulary))
        return bool(scores[row] >= features.ssd[0, 0, 1] - 0.001)

    return finds


def unit_rows(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """(n, d) with each row's length 1, or 0 where it was."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    units: NDArray[np.float32] = vectors / np.maximum(lengths, 1e-9)
    return units
