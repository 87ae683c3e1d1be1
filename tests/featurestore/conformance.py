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
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, Protocol, TypeVar

import numpy as np
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from numpy.typing import NDArray

from featurestore.errors import ImageNotStored
from featurestore.index import Index
from featurestore.segments import Edit, Features, ImageFacts, StoredImage
from tests.featurestore.samples import features, random_detections, sample_image

MODELS = ("model-a", "model-b")
IMAGE_IDS = range(1, 13)
# A process is killed before such a change of the disk, counted from the operation's start.
WRITE_STEPS = range(1, 7)
TENDING_STEPS = range(1, 19)
# Some moments of a whole compaction.
STEPS_APART = range(1, 62, 6)
SECOND_STEP = 4

Detection = tuple[float, ...]


class Store(Protocol):
    """A feature store, as `featurestore.store.FeatureStore` describes it."""

    def append_images(self, images: Sequence[StoredImage]) -> None: ...
    def append_features(self, model_id: str, features: Features) -> None: ...
    def append_edits(self, edits: Sequence[Edit]) -> None: ...
    def delete(self, image_ids: Sequence[int]) -> None: ...
    def __contains__(self, image_id: int) -> bool: ...
    def image_ids(self) -> NDArray[np.int64]: ...
    def deleted_ids(self) -> NDArray[np.int64]: ...
    def read_image(self, image_id: int) -> bytes: ...
    def image_facts(self) -> Iterator[ImageFacts]: ...
    def edits(self) -> dict[tuple[int, str], Edit]: ...
    def index(self, model_id: str) -> Index: ...
    def renew_index(self, model_id: str) -> bool: ...
    def sweep(self) -> Sequence[Path]: ...


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


@dataclass
class Contents:
    """All that a store shows, in plain values."""

    images: dict[int, StoredImage] = field(default_factory=dict)
    features: dict[str, dict[int, list[Detection]]] = field(
        default_factory=lambda: {model_id: {} for model_id in MODELS}
    )
    sentence_vectors: dict[str, dict[int, float]] = field(
        default_factory=lambda: {model_id: {} for model_id in MODELS}
    )
    """First number of each."""
    edits: dict[tuple[int, str], str] = field(default_factory=dict)
    deleted: set[int] = field(default_factory=set)

    @classmethod
    def of(cls, store: Store) -> Contents:
        """Everything that a store shows, bytes included."""
        contents = cls.without_bytes(store)
        for facts in store.image_facts():
            assert facts.image_id not in contents.images, f"image {facts.image_id} comes twice"
            contents.images[facts.image_id] = StoredImage(
                image_id=facts.image_id,
                name=facts.name,
                media_type=facts.media_type,
                width=facts.width,
                height=facts.height,
                uploaded_at=facts.uploaded_at,
                data=store.read_image(facts.image_id),
            )
        return contents

    @classmethod
    def without_bytes(cls, store: Store) -> Contents:
        """Everything but the images."""
        contents = cls(
            edits={key: edit.value for key, edit in store.edits().items()},
            deleted=set(store.deleted_ids().tolist()),
        )
        for model_id in MODELS:
            index = store.index(model_id)
            live = index.merged()
            for image_id, vector in zip(
                live.image_ids.tolist(), live.sentence_vectors, strict=True
            ):
                row = index.row_of(image_id)
                assert row is not None, f"image {image_id} has features and cannot be found"
                found = [tuple(objects) for objects in index.detections_of(row).tolist()]
                contents.features[model_id][image_id] = found
                contents.sentence_vectors[model_id][image_id] = float(vector[0])
            assert len(index) == len(contents.features[model_id])
        return contents

    def append_images(self, images: Sequence[StoredImage]) -> None:
        for image in images:
            if image.image_id not in self.deleted:
                self.images[image.image_id] = image

    def append_features(self, model_id: str, added: Features) -> None:
        for image_id, ssd, nlp in zip(added.image_ids.tolist(), added.ssd, added.nlp, strict=True):
            if image_id not in self.deleted:
                found = ssd[ssd[:, 0] > 0].tolist()
                self.features[model_id][image_id] = [tuple(objects) for objects in found]
                self.sentence_vectors[model_id][image_id] = float(nlp[0])

    def append_edits(self, edits: Sequence[Edit]) -> None:
        for edit in edits:
            if edit.image_id not in self.deleted:
                self.edits[edit.image_id, edit.field] = edit.value

    def delete(self, image_ids: Sequence[int]) -> None:
        self.deleted.update(image_ids)
        for image_id in image_ids:
            self.images.pop(image_id, None)
            for model_id in MODELS:
                self.features[model_id].pop(image_id, None)
                self.sentence_vectors[model_id].pop(image_id, None)
        self.edits = {key: value for key, value in self.edits.items() if key[0] not in self.deleted}


class Killed(BaseException):
    """What a process was about to do when it was killed is never done."""


@contextmanager
def killed_before(step: int | None) -> Iterator[None]:
    """From its `step`-th change of the disk on, a process changes nothing any more.

    It ends by Killed, which nothing may catch. None: it lives.
    """
    if step is None:
        yield
        return
    made = 0

    def or_killed(change: Callable[..., object]) -> Callable[..., object]:
        def call(*args: object, **options: object) -> object:
            nonlocal made
            made += 1
            if made >= step:
                raise Killed
            return change(*args, **options)

        return call

    with pytest.MonkeyPatch.context() as patch:
        for name in ("fsync", "rename", "replace", "link", "unlink"):
            patch.setattr(os, name, or_killed(getattr(os, name)))
        yield


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
            images = [_image(image_id) for image_id in image_ids]
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
            for store in self.handles:
                assert store.image_ids().tolist() == sorted(self.model.images)
                assert Contents.without_bytes(store) == without_bytes

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
                assert reader.read_image(image_id) == _image(image_id).data

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
        writer.append_images([_image(image_id)])
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
        store.append_images([_image(image_id), _image(image_id + 10)])
        store.append_features(MODELS[0], features([image_id], [random_detections(image_id)]))
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


def _image(image_id: int) -> StoredImage:
    """An image whose bytes follow from its id: none, few, or more than a chunk holds."""
    data = bytes([image_id]) * (0, 700, 150_000)[image_id % 3]
    return sample_image(image_id, data, name=f"Photo {image_id} 🎉.jpg")
