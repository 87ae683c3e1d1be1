from __future__ import annotations

import hashlib
import os
import random
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from featurestore.checking import check_store, segment_files
from featurestore.repair import Repair, repair_store
from featurestore.salvage import KnownImages
from featurestore.segments import Edit, ImageFacts, StoredImage
from featurestore.store import FeatureStore
from tests.featurestore.damage import flip_bit, flip_bit_of
from tests.featurestore.samples import features, looks, random_detections, sample_image

MODEL = "model-1"
IDS = [1, 2, 3, 4, 5]


def big_image(image_id: int) -> StoredImage:
    random_bytes = np.random.default_rng(image_id).bytes(20_000)
    return sample_image(image_id, random_bytes)


class Catalogue:
    """Knows the images that `big_image` makes."""

    def __init__(self, *image_ids: int) -> None:
        self._facts = [
            ImageFacts(
                image_id=image.image_id,
                sha256=hashlib.sha256(image.data).hexdigest(),
                name=image.name,
                media_type=image.media_type,
                width=image.width,
                height=image.height,
                uploaded_at=image.uploaded_at,
                size=len(image.data),
            )
            for image in map(big_image, image_ids)
        ]

    def of_sha256(self, sha256: str) -> ImageFacts | None:
        return next((facts for facts in self._facts if facts.sha256 == sha256), None)

    def of_id(self, image_id: int) -> ImageFacts | None:
        return next((facts for facts in self._facts if facts.image_id == image_id), None)


@pytest.fixture
def store(tmp_path: Path) -> FeatureStore:
    store = FeatureStore(tmp_path / "store")
    store.append_images([big_image(i) for i in IDS])
    store.append_features(MODEL, features(IDS, [random_detections(i) for i in IDS]))
    store.append_edits([Edit(2, "name", '"renamed.jpg"', 1.0)])
    store.append_images([big_image(6)])
    store.delete([6])
    return store


def segment(store: FeatureStore, kind: str) -> Path:
    return next(path for path, found in segment_files(store.folder) if found == kind)


def repaired(store: FeatureStore, known: KnownImages | None = None) -> Repair:
    repair = repair_store(store.folder, list(check_store(store.folder)), known)
    assert list(check_store(store.folder)) == []
    return repair


def test_all_images_but_the_damaged_one_are_salvaged(store: FeatureStore) -> None:
    path = segment(store, "images")
    flip_bit_of(path, big_image(3).data)
    repair = repaired(store)
    assert repair.lost_ids == [3]
    assert repair.salvaged_images == 4
    fresh = FeatureStore(store.folder)
    assert fresh.image_ids().tolist() == [1, 2, 4, 5]
    for image_id in (1, 2, 4, 5):
        assert fresh.read_image(image_id) == big_image(image_id).data
    facts = {facts.image_id: facts for facts in fresh.image_facts()}
    assert facts[4].name == "photo 4.jpg"
    assert facts[4].uploaded_at == big_image(4).uploaded_at


def test_looks_are_salvaged_chunk_by_chunk(store: FeatureStore) -> None:
    ids = list(range(1, 1501))
    store.looks(MODEL).append(looks(ids))
    path = segment(store, "looks")
    flip_bit_of(path, looks([1400]).embedding.tobytes())
    (moved,) = repaired(store).quarantined
    assert moved == store.folder / "quarantine" / "looks" / MODEL / path.name
    left = FeatureStore(store.folder).looks(MODEL).read()
    assert left.image_ids.tolist() == [i for i in ids[:1024] if i != 6]
    np.testing.assert_array_equal(left.embedding[9], looks([11]).embedding[0])


def test_the_damaged_file_itself_is_kept_in_quarantine(store: FeatureStore) -> None:
    path = segment(store, "images")
    flip_bit_of(path, big_image(3).data)
    damaged = path.read_bytes()
    (moved,) = repaired(store).quarantined
    assert moved == store.folder / "quarantine" / "images" / path.name
    assert moved.read_bytes() == damaged
    assert not path.exists()


def test_a_segment_that_cannot_be_opened_goes_whole_into_quarantine(store: FeatureStore) -> None:
    path = segment(store, "images")
    path.write_bytes(b"\0" * 4096 + path.read_bytes()[4096:])
    repair = repaired(store)
    assert repair.salvaged_images == 0
    assert FeatureStore(store.folder).image_ids().tolist() == []


def test_a_changed_id_is_taken_from_the_catalogue(store: FeatureStore) -> None:
    path = segment(store, "images")
    ids = np.array(IDS, np.int64).tobytes()
    content = path.read_bytes()
    assert content.count(ids) == 1
    path.write_bytes(content.replace(ids, np.array([1, 2, 99, 4, 5], np.int64).tobytes()))
    repaired(store, Catalogue(*IDS))
    assert FeatureStore(store.folder).image_ids().tolist() == IDS


def test_a_changed_checksum_does_not_lose_an_image_that_the_catalogue_knows(
    store: FeatureStore,
) -> None:
    path = segment(store, "images")
    catalogue = Catalogue(*IDS)
    third = catalogue.of_id(3)
    assert third is not None
    flip_bit_of(path, bytes.fromhex(third.sha256))
    assert repaired(store, catalogue).lost_ids == []
    assert FeatureStore(store.folder).read_image(3) == big_image(3).data


def test_a_changed_offset_does_not_lose_the_images_beside_it(store: FeatureStore) -> None:
    path = segment(store, "images")
    offsets = np.arange(6, dtype=np.int64) * 20_000
    content = path.read_bytes()
    assert content.count(offsets.tobytes()) == 1
    wrong = offsets.copy()
    wrong[2] += 7
    path.write_bytes(content.replace(offsets.tobytes(), wrong.tobytes()))
    assert repaired(store, Catalogue(*IDS)).lost_ids == []
    assert FeatureStore(store.folder).image_ids().tolist() == IDS


def test_features_whose_two_ids_differ_are_dropped_and_the_others_kept(
    store: FeatureStore,
) -> None:
    path = segment(store, "features")
    ids = np.array(IDS, np.int64).tobytes()
    content = path.read_bytes()
    place = content.index(ids)
    path.write_bytes(content[:place] + b"\x63" + content[place + 1 :])
    repaired(store)
    assert sorted(FeatureStore(store.folder).index(MODEL).image_ids.tolist()) == [2, 3, 4, 5]


def test_edits_that_can_be_read_are_kept(store: FeatureStore) -> None:
    path = segment(store, "edits")
    with path.open("ab") as file:
        file.write(b"\0")
    assert repaired(store).healed == [path]
    assert FeatureStore(store.folder).edits()[2, "name"].value == '"renamed.jpg"'


@pytest.mark.parametrize("kind", ["images", "features", "deletions", "edits"])
def test_a_segment_with_nothing_lost_is_what_it_was_and_keeps_its_name(
    store: FeatureStore, kind: str
) -> None:
    path = segment(store, kind)
    whole = path.read_bytes()
    with path.open("ab") as file:
        file.write(b"\0")
    # HDF5 would write down the second at which a group is made.
    time.sleep(1.1)
    assert repaired(store).healed == [path]
    assert path.read_bytes() == whole


def test_a_changed_deletion_takes_no_photo_away(store: FeatureStore) -> None:
    path = segment(store, "deletions")
    six, four = (np.array([i], np.int64).tobytes() for i in (6, 4))
    content = path.read_bytes()
    assert content.count(six) == 1
    path.write_bytes(content.replace(six, four))
    repaired(store, Catalogue(*IDS))
    assert FeatureStore(store.folder).image_ids().tolist() == [1, 2, 3, 4, 5, 6]


def test_deletions_survive_damage_beside_them(store: FeatureStore) -> None:
    with segment(store, "deletions").open("ab") as file:
        file.write(b"\0")
    repaired(store, Catalogue(*IDS))
    assert FeatureStore(store.folder).image_ids().tolist() == IDS


def test_a_repair_of_a_sound_store_changes_nothing(store: FeatureStore) -> None:
    before = sorted(store.folder.rglob("*"))
    assert repaired(store) == Repair()
    assert sorted(store.folder.rglob("*")) == before


@pytest.mark.parametrize("seed", range(20))
def test_any_flipped_bit_loses_at_most_the_images_of_one_segment(
    store: FeatureStore, seed: int
) -> None:
    chance = random.Random(seed)
    path, _ = chance.choice(list(segment_files(store.folder)))
    flip_bit(path, chance)
    repair = repaired(store, Catalogue(*IDS))
    assert repair.quarantined or repair.healed
    fresh = FeatureStore(store.folder)
    for image_id in fresh.image_ids().tolist():
        assert fresh.read_image(image_id) == big_image(image_id).data


KILLED = """
import os, signal, sys
from pathlib import Path
from featurestore import repair, segments
from featurestore.checking import check_store

name, folder = sys.argv[1], Path(sys.argv[2])
whole = getattr(segments if name == "write_images" else repair, name)

def killed(*args, **kwargs):
    result = whole(*args, **kwargs)
    os.kill(os.getpid(), signal.SIGKILL)

setattr(segments if name == "write_images" else repair, name, killed)
repair.repair_store(folder, list(check_store(folder)))
"""


@pytest.mark.parametrize("step", ["write_images", "quarantine"])
def test_a_repair_that_is_killed_is_repeated(store: FeatureStore, step: str) -> None:
    flip_bit_of(segment(store, "images"), big_image(3).data)
    command = [sys.executable, "-c", KILLED, step, str(store.folder)]
    assert subprocess.run(command, check=False).returncode == -9
    repaired(store)
    fresh = FeatureStore(store.folder)
    assert fresh.image_ids().tolist() == [1, 2, 4, 5]
    assert fresh.read_image(4) == big_image(4).data


def test_what_a_killed_writer_left_is_removed(store: FeatureStore) -> None:
    left = store.folder / "images" / ".unfinished-0123456789abcdef"
    left.write_bytes(b"half")
    os.utime(left, (0, 0))
    assert repaired(store).removed == [left]
