"""One changed bit anywhere in what HDF5 reads never hangs, crashes or passes for content."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import pytest

from featurestore.checking import segment_files
from featurestore.reading_process import ReadingProcess
from featurestore.segments import INDEX
from featurestore.store import FeatureStore
from tests.featurestore.damage import read_each_flipped
from tests.featurestore.samples import features, random_detections

DATA = Path(__file__).parent / "data"
SAMPLES = {kind: path for path, kind in segment_files(DATA)}
MODEL = "model-1"

# So many images are worth an index file.
INDEXED_IMAGES = 2000


def outcomes(path: Path, kind: str, folder: Path, places: list[int]) -> Counter[str]:
    """What came of a flip in each place; each reading has to end within seconds."""
    copies = folder / "copies"
    copies.mkdir()
    with ReadingProcess(seconds=10) as process:
        found = process.read(path, read_each_flipped, path, kind, copies, places)
        return Counter(outcome for _, outcome in found)


@pytest.mark.parametrize("kind", sorted(SAMPLES))
def test_each_byte_of_a_segment_is_checked_or_means_nothing(kind: str, tmp_path: Path) -> None:
    path = SAMPLES[kind]
    places = list(range(path.stat().st_size))
    found = outcomes(path, kind, tmp_path, places)
    assert found["different"] == 0
    # Little of a file is not used at all.
    assert found["damaged"] > 0.8 * len(places)


def test_a_changed_index_file_can_always_be_read_or_refused(tmp_path: Path) -> None:
    store = FeatureStore(tmp_path / "store")
    ids = list(range(1, INDEXED_IMAGES + 1))
    store.append_features(MODEL, features(ids, [random_detections(i) for i in ids]))
    assert store.renew_index(MODEL)
    (path,) = (store.folder / "index" / MODEL).iterdir()
    size = path.stat().st_size
    chance = random.Random(0)
    places = [*range(0, 4096, 3), *(chance.randrange(4096, size) for _ in range(200))]
    found = outcomes(path, INDEX, tmp_path, places)
    assert found.total() == len(places)
    assert found["damaged"] > 200
