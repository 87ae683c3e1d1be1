from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from featurestore import compaction, model_features
from featurestore.compaction import compact
from featurestore.durable import UNFINISHED
from featurestore.segment_file import open_segment_file
from featurestore.segments import IMAGES, Edit, StoredImage
from featurestore.store import FeatureStore
from tests.featurestore.conformance import (
    Implementation,
    assert_compaction_may_be_killed_twice,
    assert_nothing_is_lost_between_processes,
    conformance_machine,
)
from tests.featurestore.samples import sample_image

SETTINGS = settings(
    max_examples=80,
    stateful_step_count=25,
    deadline=None,
    derandomize=True,
    print_blob=False,
    suppress_health_check=list(HealthCheck),
)


def leave_rubbish(folder: Path, case: int) -> None:
    folders = sorted(path for path in folder.rglob("*") if path.is_dir())
    rubbish = folders[case % len(folders)] / f"{UNFINISHED}{case:016x}"
    rubbish.write_bytes(b"\x89HDF\r\n\x1a\n"[: case % 9])


def implementation_of(open_store: Callable[[Path], FeatureStore]) -> Implementation[FeatureStore]:
    return Implementation(
        open=open_store,
        compact=lambda store, everything: compact(store, everything=everything),
        leave_rubbish=leave_rubbish,
    )


@pytest.fixture(autouse=True)
def a_little_is_much(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sizes at which a handful of images is merged in several groups and worth an index file."""
    monkeypatch.setattr(compaction, "TARGET_BYTES", 100_000)
    monkeypatch.setattr(compaction, "ENOUGH_SEGMENTS", 3)
    monkeypatch.setattr(model_features, "FEW_IMAGES", 1)


def test_the_feature_store_conforms() -> None:
    machine = conformance_machine(implementation_of(FeatureStore))
    run_state_machine_as_test(machine, settings=SETTINGS)


def test_the_feature_store_loses_nothing_between_processes(tmp_path: Path) -> None:
    assert_nothing_is_lost_between_processes(implementation_of(FeatureStore), tmp_path)


def test_the_feature_store_may_be_killed_twice_while_it_compacts(tmp_path: Path) -> None:
    assert_compaction_may_be_killed_twice(implementation_of(FeatureStore), tmp_path)


def test_a_segment_that_goes_while_it_is_opened_is_not_called_damaged(tmp_path: Path) -> None:
    store = FeatureStore(tmp_path)
    store.append_images([sample_image(1)])
    [path] = (tmp_path / "images").iterdir()

    def meet_compaction() -> None:
        with open_segment_file(path, IMAGES):
            path.unlink()
            raise OSError("can't retrieve stat info for file")

    with pytest.raises(FileNotFoundError):
        meet_compaction()


class ForgetsDeletions(FeatureStore):
    def delete(self, image_ids: Iterable[int]) -> None:
        pass


class TearsBatches(FeatureStore):
    """A kill leaves a part of a batch."""

    def append_images(self, images: Sequence[StoredImage]) -> None:
        for image in images:
            super().append_images([image])


class LooksOnlyOnce(FeatureStore):
    """It does not see what others write."""

    def edits(self) -> dict[tuple[int, str], Edit]:
        if not hasattr(self, "seen"):
            self.seen = super().edits()
        return self.seen


@pytest.mark.parametrize("broken", [ForgetsDeletions, TearsBatches, LooksOnlyOnce])
def test_a_broken_store_does_not_conform(broken: type[FeatureStore]) -> None:
    machine = conformance_machine(implementation_of(broken))
    quick = settings(SETTINGS, max_examples=100, phases=[Phase.generate])
    with pytest.raises(AssertionError):
        run_state_machine_as_test(machine, settings=quick)
