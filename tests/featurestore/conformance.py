"""What every feature store must do, whatever it is made of: tests against a model in memory.

`Implementation` says how to open a store and what else belongs to it. `conformance_machine` then
gives a hypothesis machine that appends, edits, deletes, reads, compacts, crashes and reopens in
random order, through two handles on one folder, and compares each with plain dictionaries.
"""

from __future__ import annotations

import copy
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from featurestore.errors import ImageNotStored
from featurestore.segments import Edit
from tests.featurestore.kills import Killed, killed_before
from tests.featurestore.samples import features, looks, random_detections
from tests.featurestore.store_contents import MODELS, Contents, Store, numbered_image

IMAGE_IDS = range(1, 13)
# A process is killed before such a change of the disk, counted from the operation's start.
WRITE_STEPS = range(1, 7)
TENDING_STEPS = range(1, 19)
# Some moments of a whole compaction.
STEPS_APART = range(1, 62, 6)
SECOND_STEP = 4


S = TypeVar("S", bound=Store)


@dataclass(frozen=True)
class Implementation(Generic[S]):
    """One kind of store."""

    open: Callable[[Path], S]
    """A store on a folder, which several may have open at once."""
    compact: Callable[[S, bool], object]
    """Compact it, the second argument says whether everything."""
    leave_rubbish: Callable[[Path, int], object]
    """Put into a folder what a writer may leave that is killed; any number names the case."""


def conformance_machine(implementation: Implementation[S]) -> type[RuleBasedStateMachine]:
    """The tests in random order, for `hypothesis.stateful.run_state_machine_as_test`."""
    handles = st.sampled_from([0, 1])
    models = st.sampled_from(MODELS)
    ids = st.sets(st.sampled_from(IMAGE_IDS), min_size=1, max_size=5).map(sorted)
    steps = st.one_of(st.none(), st.sampled_from(WRITE_STEPS))
    tending_steps = st.one_of(st.none(), st.sampled_from(TENDING_STEPS))

    class ConformanceMachine(RuleBasedStateMachine):
        def __init__(self) -> None:
            super().__init__()
            self.folder = Path(tempfile.mkdtemp(prefix="conformance-"))
            self.model = Contents()
            self.handles: list[S] = []

        @initialize()
        def open_two_handles(self) -> None:
            self.handles = [implementation.open(self.folder) for _ in range(2)]

        def teardown(self) -> None:
            try:
                if self.handles:
                    self.read_everything(0)
                    self._compact(self.handles[1], True)
                    self.read_everything(0)
            finally:
                shutil.rmtree(self.folder)

        @rule(handle=handles, image_ids=ids, step=steps)
        def append_images(self, handle: int, image_ids: list[int], step: int | None) -> None:
            images = [numbered_image(image_id) for image_id in image_ids]
            self._write(
                handle,
                step,
                lambda store: store.append_images(images),
                lambda model: model.append_images(images),
            )

        @rule(handle=handles, model_id=models, image_ids=ids, seed=st.integers(0, 99), step=steps)
        def append_features(
            self, handle: int, model_id: str, image_ids: list[int], seed: int, step: int | None
        ) -> None:
            found = features(
                image_ids, [random_detections(seed + image_id, seed % 9) for image_id in image_ids]
            )
            found.nlp[:, 0] = seed
            self._write(
                handle,
                step,
                lambda store: store.append_features(model_id, found),
                lambda model: model.append_features(model_id, found),
            )

        @rule(handle=handles, model_id=models, image_ids=ids, seed=st.integers(0, 99), step=steps)
        def append_looks(
            self, handle: int, model_id: str, image_ids: list[int], seed: int, step: int | None
        ) -> None:
            found = looks(image_ids, seed)
            self._write(
                handle,
                step,
                lambda store: store.looks(model_id).append(found),
                lambda model: model.append_looks(model_id, found),
            )

        @rule(handle=handles, image_ids=ids, name=st.text(max_size=3), step=steps)
        def edit(self, handle: int, image_ids: list[int], name: str, step: int | None) -> None:
            name = name.replace("\0", "")
            edits = [Edit(image_id, "name", name, time.time()) for image_id in image_ids]
            self._write(
                handle,
                step,
                lambda store: store.append_edits(edits),
                lambda model: model.append_edits(edits),
            )

        @rule(handle=handles, image_ids=ids, step=steps)
        def delete(self, handle: int, image_ids: list[int], step: int | None) -> None:
            image_ids = image_ids[:2]
            self._write(
                handle,
                step,
                lambda store: store.delete(image_ids),
                lambda model: model.delete(image_ids),
            )

        @rule(handle=handles, everything=st.booleans(), step=tending_steps)
        def compact(self, handle: int, everything: bool, step: int | None) -> None:
            self._write(handle, step, lambda store: self._compact(store, everything))

        @rule(handle=handles, model_id=models, step=tending_steps)
        def renew_index(self, handle: int, model_id: str, step: int | None) -> None:
            self._write(handle, step, lambda store: store.renew_index(model_id))

        @rule(handle=handles, step=tending_steps)
        def sweep(self, handle: int, step: int | None) -> None:
            self._write(handle, step, lambda store: store.sweep())

        @rule(handle=handles, case=st.integers(0, 99))
        def crash_and_reopen(self, handle: int, case: int) -> None:
            implementation.leave_rubbish(self.folder, case)
            self.handles[handle] = implementation.open(self.folder)

        @rule(hours=st.sampled_from([0.02, 2]))
        def time_passes(self, hours: float) -> None:
            # A store may treat what changed a moment ago with more care than what is at rest.
            then = time.time() - hours * 3600
            for path in [self.folder, *self.folder.rglob("*")]:
                os.utime(path, (then, then))

        @rule(handle=handles)
        def read_everything(self, handle: int) -> None:
            assert Contents.of(self.handles[handle]) == self.model

        @rule(handle=handles, image_id=st.sampled_from(IMAGE_IDS))
        def read_one(self, handle: int, image_id: int) -> None:
            store = self.handles[handle]
            assert (image_id in store) == (image_id in self.model.images)
            if image_id in self.model.images:
                assert store.read_image(image_id) == self.model.images[image_id].data
            else:
                with pytest.raises(ImageNotStored):
                    store.read_image(image_id)

        @invariant()
        def both_handles_show_the_same(self) -> None:
            without_bytes = copy.copy(self.model)
            without_bytes.images = {}
            without_bytes.looks = Contents().looks
            for store in self.handles:
                assert store.image_ids().tolist() == sorted(self.model.images)
                assert Contents.without_bytes(store) == without_bytes
                found = [store.looks(model_id).image_ids().tolist() for model_id in MODELS]
                assert found == self.model.look_ids()

        def _compact(self, store: S, everything: bool) -> None:
            implementation.compact(store, everything)

        def _write(
            self,
            handle: int,
            step: int | None,
            change: Callable[[S], object],
            expected: Callable[[Contents], object] = lambda model: None,
        ) -> None:
            """Do it, killed before a step or not: then it is done whole or not at all."""
            before, after = self.model, copy.deepcopy(self.model)
            expected(after)
            try:
                with killed_before(step):
                    change(self.handles[handle])
                self.model = after
            except Killed:
                self.handles[handle] = implementation.open(self.folder)
                found = Contents.of(self.handles[handle])
                assert found in (before, after)
                self.model = found

    return ConformanceMachine


def assert_nothing_is_lost_between_processes(
    implementation: Implementation[S], folder: Path
) -> None:
    """What one handle appends while another tends the store is there for a third, and stays."""
    count = 60
    writer, tender, reader = (implementation.open(folder) for _ in range(3))
    written = 0
    done = threading.Event()
    failures: list[BaseException] = []

    def tend() -> None:
        while not done.is_set():
            implementation.compact(tender, True)
            tender.renew_index(MODELS[0])

    def read() -> None:
        while not done.is_set():
            expected = list(range(1, written + 1))
            found = reader.image_ids().tolist()
            index = reader.index(MODELS[0])
            assert found[: len(expected)] == expected
            assert [i for i in expected if index.row_of(i) is None] == []
            for image_id in expected[-3:]:
                assert reader.read_image(image_id) == numbered_image(image_id).data

    def failing(run: Callable[[], None]) -> Callable[[], None]:
        def call() -> None:
            try:
                run()
            except BaseException as error:
                failures.append(error)

        return call

    threads = [threading.Thread(target=failing(run)) for run in (tend, read)]
    for thread in threads:
        thread.start()
    while written < count and not failures:
        image_id = written + 1
        writer.append_images([numbered_image(image_id)])
        writer.append_features(MODELS[0], features([image_id], [random_detections(image_id)]))
        written = image_id
    done.set()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    for store in (reader, implementation.open(folder)):
        assert store.image_ids().tolist() == list(range(1, count + 1))
        index = store.index(MODELS[0])
        assert [i for i in range(1, count + 1) if index.row_of(i) is None] == []


def assert_compaction_may_be_killed_twice(implementation: Implementation[S], folder: Path) -> None:
    """Killed before any step, and the next run before any step again, it loses nothing."""
    store = implementation.open(folder / "whole")
    for image_id in (1, 4, 2, 3, 5):
        store.append_images([numbered_image(image_id), numbered_image(image_id + 10)])
        store.append_features(MODELS[0], features([image_id], [random_detections(image_id)]))
        store.looks(MODELS[0]).append(looks([image_id]))
        store.append_edits([Edit(image_id, "name", f"{image_id}", time.time())])
    store.delete([image_id + 10 for image_id in range(1, 6)])
    store.append_features(MODELS[0], features([1], [random_detections(99)]))
    expected = Contents.of(store)
    for first in STEPS_APART:
        copied = folder / f"killed-{first}"
        shutil.copytree(folder / "whole", copied)
        for step in (first, SECOND_STEP, None):
            with suppress(Killed), killed_before(step):
                implementation.compact(implementation.open(copied), True)
            assert Contents.of(implementation.open(copied)) == expected
        shutil.rmtree(copied)
