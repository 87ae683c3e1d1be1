"""Search by look: as exact as NumPy over all looks, whatever was added, hidden or merged."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from featurestore import model_features, searched_looks
from featurestore.checking import check_store
from featurestore.compaction import compact
from featurestore.look_index import RERANKED, LookIndex
from featurestore.look_space import PLAIN, LookSpace
from featurestore.looks import LookFeatures
from featurestore.store import FeatureStore
from featurestore.trash import trash_edit
from tests.featurestore.samples import sample_image

MODEL = "look-1"


def looks(first: int, count: int, seed: int = 0) -> LookFeatures:
    """Looks in a few crowds, as photos of one kind lie; ids fall, as the newest come first."""
    random = np.random.default_rng([seed, first])
    crowds = np.random.default_rng(5).gamma(0.4, 1, (12, 1280))
    embedding = crowds[random.integers(0, 12, count)] + random.gamma(0.4, 0.6, (count, 1280))
    scores = np.tile(np.linspace(0, 1, 1000, dtype=np.float32), (count, 1))
    ids = list(range(first, first + count))[::-1]
    return LookFeatures.of(ids, embedding.astype(np.float32), scores, time.time_ns())


def expected(
    parts: list[LookFeatures], vector: NDArray[np.float32], hidden: list[int], k: int
) -> list[int]:
    """By plain NumPy; of an image in several parts the last counts."""
    found: dict[int, float] = {}
    for part in parts:
        units = PLAIN.vectors(part.embedding)
        found |= dict(zip(part.image_ids.tolist(), (units @ vector).tolist(), strict=True))
    return sorted(found.keys() - set(hidden), key=lambda one: (-found[one], -one))[:k]


def ids_like(index: LookIndex, vector: NDArray[np.float32], k: int = 20) -> list[int]:
    found: list[int] = index.similar(vector, k)[0].tolist()
    return found


@pytest.mark.parametrize("with_file", [False, True], ids=["few", "with an index file"])
def test_the_best_are_those_that_numpy_finds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, with_file: bool
) -> None:
    if with_file:
        monkeypatch.setattr(searched_looks, "FEW_IMAGES", 100)
    store = FeatureStore(tmp_path)
    store.append_images([sample_image(image_id) for image_id in range(1, 1300)])
    parts = [looks(1, 600), looks(601, 600)]
    for part in parts:
        store.looks(MODEL).append(part)
    assert store.renew_look_index(MODEL) == with_file
    index = store.look_index(MODEL)
    assert (index.coder is not None) == with_file
    query = index.vector_of(17)
    assert query is not None
    assert ids_like(index, query) == expected(parts, query, [], 20)
    ids, cosines = index.similar(query, 3)
    assert (ids[0], cosines[0]) == (17, pytest.approx(1, abs=1e-3))
    assert index.vector_of(5000) is None
    # New, written anew, deleted, in the trash.
    parts += [looks(1201, 50), looks(100, 5, seed=1)]
    for part in parts[2:]:
        store.looks(MODEL).append(part)
    best = ids_like(index, query)
    store.delete(best[1:3])
    store.append_edits([trash_edit(best[3], time.time(), time.time())])
    hidden = best[1:4]
    index = store.look_index(MODEL)
    assert ids_like(index, query) == expected(parts, query, hidden, 20)
    assert len(index) == 1250 - len(hidden)
    among = np.isin(index.image_ids, [5, 1210, 1220])
    assert sorted(index.similar(query, 10, among)[0].tolist()) == [5, 1210, 1220]
    # Other processes see the same, and so it stays when segments are merged.
    assert ids_like(FeatureStore(tmp_path).look_index(MODEL), query) == ids_like(index, query)
    compact(store, everything=True)
    assert ids_like(store.look_index(MODEL), query) == expected(parts, query, hidden, 20)
    assert ids_like(index, query) == expected(parts, query, hidden, 20)
    assert list(check_store(tmp_path)) == []


def test_codes_hardly_miss_any_of_the_best(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(searched_looks, "FEW_IMAGES", 100)
    store = FeatureStore(tmp_path)
    every = looks(1, 4 * RERANKED)
    store.looks(MODEL).append(every)
    assert store.renew_look_index(MODEL)
    index = store.look_index(MODEL)
    units = PLAIN.vectors(every.embedding)
    found = sum(
        len(set(ids_like(index, vector, 10)) & set(expected([every], vector, [], 10)))
        for vector in units[::80]
    )
    assert found >= 0.99 * 10 * len(units[::80])
    assert np.abs(index.estimates(units[0])[::-1] - units @ units[0]).max() < 0.1


def test_another_space_has_an_index_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(searched_looks, "FEW_IMAGES", 100)
    store = FeatureStore(tmp_path)
    every = looks(1, 300)
    store.looks(MODEL).append(every)
    store.renew_look_index(MODEL)
    matrix = np.random.default_rng(1).normal(size=(1280, 9)).astype(np.float32)
    learned = LookSpace("learned-1", lambda embedding: embedding @ matrix)
    query = learned.vectors(every.embedding[:1])[0]
    cosines = learned.vectors(every.embedding) @ query
    best = every.image_ids[np.argsort(-cosines)][:5].tolist()
    assert store.look_index(MODEL, learned).similar(query, 5)[0].tolist() == best
    assert store.renew_look_index(MODEL, learned)
    index = FeatureStore(tmp_path).look_index(MODEL, learned)
    assert index.parts[0].looks.shape == (300, 9)
    assert index.similar(query, 5)[0].tolist() == best


def test_an_index_file_is_written_only_when_enough_has_changed(tmp_path: Path) -> None:
    store = FeatureStore(tmp_path)
    store.looks(MODEL).append(looks(1, 100))
    assert not store.renew_look_index(MODEL)
    store.looks(MODEL).append(looks(101, model_features.FEW_IMAGES))
    assert store.look_index(MODEL).coder is not None
    assert store.renew_look_index(MODEL)
    assert not store.renew_look_index(MODEL)
    [file] = (tmp_path / "look_index" / MODEL).iterdir()
    file.write_bytes(file.read_bytes()[:-5000])
    assert [finding.path for finding in check_store(tmp_path)] == [file]


def test_a_gallery_without_looks_finds_nothing(tmp_path: Path) -> None:
    index = FeatureStore(tmp_path).look_index(MODEL)
    assert len(index) == 0
    assert ids_like(index, np.ones(1280, np.float32)) == []
