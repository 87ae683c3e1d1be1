"""Files of format version 1, written once by `data/make_samples.py`, are read for ever."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import numpy as np
import pytest

from featurestore import segment_file, segments
from featurestore.originals import read_image_bytes
from featurestore.segments import Edit, ImageFacts
from featurestore.store import FeatureStore

DATA = Path(__file__).parent / "data"
MODEL = "sample-model"
IMAGES = DATA / "images" / "17979cfe362a0000-0312d35b6f9db942525b96e0fce1058c.h5"
FEATURES = DATA / "features" / MODEL / "17979cfe71c4ca00-dd1a133b4053d2c810c28448472d42f6.h5"
DELETIONS = DATA / "deletions" / "17979cfead5f9400-316af3295c812aa4324c7c4c00b4774e.h5"
LOOKS = DATA / "looks" / MODEL / "17979cff24952800-0913d99e826a7b03f29083a108013075.h5"
EDITS = DATA / "edits" / "17979cfee8fa5e00-10e098a07565ecefcd0d71170a585250.h5"

RED = "9b53e2088fbd80b0328ab5597fff5cb130dc7b55322d7b6dbead9c76c666e668"
GREEN = "ebc5b658f39af11e6176fac43f60baf703279035e609e171090093a9169f4dbe"
NOTHING = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_image_facts() -> None:
    assert segments.read_image_facts(IMAGES) == [
        ImageFacts(1, RED, "red square.png", "image/png", 24, 16, 1_700_000_000.5, 107),
        ImageFacts(2, GREEN, "grüner Kreis.png", "image/png", 24, 16, 1_700_000_001.5, 105),
        ImageFacts(5, NOTHING, "empty.png", "image/png", 24, 16, 1_700_000_004.5, 0),
    ]
    assert segments.read_image_ids(IMAGES).tolist() == [1, 2, 5]


def test_originals() -> None:
    originals = [read_image_bytes(IMAGES, row) for row in range(3)]
    assert [hashlib.sha256(data).hexdigest() for data in originals] == [RED, GREEN, NOTHING]


def test_features() -> None:
    features = segments.read_features(FEATURES)
    ssd = np.zeros((2, 20, 6), np.float32)
    ssd[0, :2] = [[18, 0.875, 10, 20, 110.5, 220], [1, 0.5, 0, 0, 300, 300]]
    ssd[1, 0] = [62, 0.25, 1, 2, 3, 4]
    assert features.image_ids.tolist() == [1, 2]
    assert features.written_at.tolist() == [1_700_000_000_000_000_001, 1_700_000_000_000_000_002]
    np.testing.assert_array_equal(features.ssd, ssd)
    np.testing.assert_array_equal(features.nlp[0], np.arange(0, 6.25, 0.125))
    np.testing.assert_array_equal(features.nlp[1], np.arange(6.25, 12.5, 0.125))


def test_deletions() -> None:
    assert segments.read_deletions(DELETIONS).tolist() == [3, 5]


def test_edits() -> None:
    assert segments.read_edits(EDITS) == [
        Edit(1, "name", '"first name.png"', 1_700_000_003.25),
        Edit(1, "name", '"zweiter Name 🎉.png"', 1_700_000_003.5),
    ]


@pytest.mark.parametrize(
    "path", [IMAGES, FEATURES, LOOKS, DELETIONS, EDITS], ids=lambda path: path.parent.name
)
def test_names_hold_the_digest(path: Path) -> None:
    assert path.stem.partition("-")[2] == segment_file.digest_of(path)


def test_they_make_a_store(tmp_path: Path) -> None:
    shutil.copytree(DATA, tmp_path / "store", ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    store = FeatureStore(tmp_path / "store")
    assert store.image_ids().tolist() == [1, 2]
    assert store.deleted_ids().tolist() == [3, 5]
    assert store.edits()[1, "name"].value == '"zweiter Name 🎉.png"'
    index = store.index(MODEL)
    assert index.image_ids.tolist() == [1, 2]
    np.testing.assert_allclose(index.detections_of(1), [[62, 0.25, 1, 2, 3, 4]], atol=0.005)
    looks = store.looks(MODEL).read()
    assert looks.image_ids.tolist() == [1, 2]
    assert (looks.embedding[1] == (np.arange(1280, 2560) / 512).astype(np.float16)).all()
    assert looks.class_ids[0].tolist() == [817, 511, 436, 656, 479]
    assert looks.class_scores[0].tolist() == [0.5, 0.25, 0.125, 0, 0]
    assert store.damaged_segments() == []
