"""Search by look beside FAISS over all dimensions: speed, memory, and what is missed."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Sequence
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from detector.look_model import LOOK_MODEL_ID
from featurestore.look_index import RERANKED, LookIndex
from featurestore.looks import CLASSES, EMBEDDING_DIMENSIONS, KEPT_CLASSES, LookFeatures
from featurestore.store import FeatureStore
from gallery.benchmarks.timing import Report, timed
from gallery.common_look import default_look_space

MODEL = LOOK_MODEL_ID
# What a gallery that has learnt nothing of its own compares looks in.
SPACE = default_look_space(MODEL)
SEED = 20
BEST = 10
PAGE = 48
# Made looks lie around so many kinds of photo, ...
KINDS = 500
# ... along so many directions of their own besides noise, as real ones do.
DIRECTIONS = 160
ROWS_A_SEGMENT = 20_000
# FAISS keeps 5 kB of each look in memory; of more it is given so many, and its times are scaled.
FAISS_ROWS = 200_000


def bench_look(
    sizes: Sequence[int], queries: int, embedding: NDArray[np.float32] | None, report: Report
) -> None:
    """Measure collections of so many made looks.

    Args:
        embedding: (n, 1280) of real photos, which made ones resemble; None for made-up ones.
    """
    for images in sizes:
        with tempfile.TemporaryDirectory(prefix="gallery-bench-") as folder:
            _bench(FeatureStore(Path(folder)), images, queries, embedding, report)


def made_looks(
    images: int, embedding: NDArray[np.float32] | None, first_id: int = 1
) -> Iterator[LookFeatures]:
    """Looks of images from `first_id` on: each between two real ones, with noise of its own."""
    random = np.random.default_rng((SEED, first_id))
    real = _drawn(np.random.default_rng(SEED)) if embedding is None else embedding
    spread = real.std(axis=0)
    for start in range(0, images, ROWS_A_SEGMENT):
        count = min(ROWS_A_SEGMENT, images - start)
        pairs = random.integers(0, len(real), (2, count))
        share = random.beta(1, 3, (count, 1)).astype(np.float32)
        noise = random.standard_normal((count, EMBEDDING_DIMENSIONS), np.float32)
        mixed = real[pairs[0]] * (1 - share) + real[pairs[1]] * share
        looks = np.clip(mixed + 0.35 * spread * noise, 0, 6)
        yield LookFeatures(
            image_ids=np.arange(first_id + start, first_id + start + count),
            embedding=looks.astype(np.float16),
            class_ids=np.zeros((count, KEPT_CLASSES), np.int16),
            class_scores=np.full((count, KEPT_CLASSES), 1 / CLASSES, np.float32),
            written_at=np.full(count, time.time_ns()),
        )


def _bench(
    store: FeatureStore,
    images: int,
    queries: int,
    embedding: NDArray[np.float32] | None,
    report: Report,
) -> None:
    for looks in made_looks(images, embedding):
        store.looks(MODEL).append(looks)
    started = time.perf_counter()
    store.renew_look_index(MODEL, SPACE)
    made_in = time.perf_counter() - started
    index = store.look_index(MODEL, SPACE)
    held = sum(part.looks.nbytes + 2 * part.image_ids.nbytes for part in index.parts)
    name = f"{images:,} images"
    report(f"{name}: index made in", f"{made_in:.1f} s")
    report(
        f"{name}: index memory",
        f"{held / 2**20:,.0f} MB, {held / images:.0f} bytes an image, mapped and shared; "
        f"looks on the disk: {store.size_on_disk() / images:,.0f} bytes an image",
    )
    asked = [
        SPACE.vectors(looks.embedding)
        for looks in made_looks(queries, embedding, first_id=images + 1)
    ]
    vectors = list(np.concatenate(asked))
    times = timed(lambda vector: index.similar(vector, PAGE), vectors)
    report(f"{name}: the {PAGE} most alike", str(times))
    estimates = timed(index.estimates, vectors)
    report(f"{name}: estimates of all, alone", str(estimates))
    report(f"{name}: recall@{BEST}, {RERANKED} ordered again", _recall(store, index, vectors))
    report(f"{name}: peer, FAISS IndexFlatIP of 1,280 dimensions", _faiss(store, vectors))
    _bench_new(store, images, embedding, report)


def _recall(store: FeatureStore, index: LookIndex, vectors: list[NDArray[np.float32]]) -> str:
    """How many of the best by all dimensions are found."""
    some = np.stack(vectors[:50])
    best: list[list[tuple[float, int]]] = [[] for _ in some]
    for looks in _stored(store):
        cosines = SPACE.vectors(looks.embedding) @ some.T
        for row, kept in enumerate(best):
            places = np.argsort(-cosines[:, row])[:BEST]
            found = zip(
                cosines[places, row].tolist(), looks.image_ids[places].tolist(), strict=True
            )
            kept[:] = sorted([*kept, *found], reverse=True)[:BEST]
    shares = [
        len({image_id for _, image_id in kept} & set(index.similar(vector, BEST)[0].tolist()))
        / max(1, len(kept))
        for kept, vector in zip(best, some, strict=True)
    ]
    return f"{np.mean(shares):.4f} ({len(some)} queries)"


def _faiss(store: FeatureStore, vectors: list[NDArray[np.float32]]) -> str:
    if find_spec("faiss") is None:
        return "not measured: faiss-cpu is not installed"
    # A development dependency that brings no types.
    faiss = import_module("faiss")
    peer = faiss.IndexFlatIP(EMBEDDING_DIMENSIONS)
    images = 0
    for looks in _stored(store):
        images += len(looks)
        if peer.ntotal < FAISS_ROWS:
            peer.add(SPACE.vectors(looks.embedding))
    times = timed(lambda vector: peer.search(vector[None], PAGE), vectors)
    scale = images / peer.ntotal
    measured = f"{times}, {4 * EMBEDDING_DIMENSIONS:,} bytes an image in each process"
    if scale == 1:
        return measured
    return f"p50 {times.p50 * scale:,.0f} ms, scaled from {peer.ntotal:,} images: {measured}"


def _stored(store: FeatureStore) -> Iterator[LookFeatures]:
    ids = store.looks(MODEL).image_ids()
    for start in range(0, len(ids), ROWS_A_SEGMENT):
        yield store.looks(MODEL).read(ids[start : start + ROWS_A_SEGMENT].tolist())


def _bench_new(
    store: FeatureStore, images: int, embedding: NDArray[np.float32] | None, report: Report
) -> None:
    """Time from a new photo's look being given until a search finds it, with no index made anew."""
    times = []
    for number in range(6):
        [new] = made_looks(1, embedding, first_id=images + 1000 + number)
        started = time.perf_counter()
        store.looks(MODEL).append(new)
        [vector] = SPACE.vectors(new.embedding)
        found, _ = store.look_index(MODEL, SPACE).similar(vector, 1)
        if found.tolist() != new.image_ids.tolist():
            raise RuntimeError("a new photo is not found")
        times.append((time.perf_counter() - started) * 1000)
    report(
        f"{images:,} images: a new photo is found",
        f"p50 {np.median(times[1:]):.1f} ms after its look is given, durably written",
    )


def _drawn(random: np.random.Generator) -> NDArray[np.float32]:
    """(k, 1280) looks of kinds of photos, as uneven as an appearance model gives them."""
    directions = random.gamma(0.3, 1, (DIRECTIONS, EMBEDDING_DIMENSIONS))
    weights = random.dirichlet(np.full(DIRECTIONS, 0.05), KINDS)
    return np.minimum(weights @ directions, 6).astype(np.float32)
