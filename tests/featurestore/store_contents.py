"""What a store shows, and what it should show after changes, in plain values."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from featurestore.index import Index
from featurestore.looks import LookFeatures
from featurestore.model_looks import ModelLooks
from featurestore.segments import Edit, Features, ImageFacts, StoredImage
from tests.featurestore.samples import PackedObject, as_indexed, sample_image

MODELS = ("model-a", "model-b")


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
    def looks(self, model_id: str) -> ModelLooks: ...
    def renew_index(self, model_id: str) -> bool: ...
    def sweep(self) -> Sequence[Path]: ...


@dataclass
class Contents:
    """All that a store shows, in plain values."""

    images: dict[int, StoredImage] = field(default_factory=dict)
    features: dict[str, dict[int, list[PackedObject]]] = field(
        default_factory=lambda: {model_id: {} for model_id in MODELS}
    )
    sentence_vectors: dict[str, dict[int, float]] = field(
        default_factory=lambda: {model_id: {} for model_id in MODELS}
    )
    """First number of each."""
    looks: dict[str, dict[int, tuple[float, int]]] = field(
        default_factory=lambda: {model_id: {} for model_id in MODELS}
    )
    """First number of each embedding, and the first class."""
    edits: dict[tuple[int, str], str] = field(default_factory=dict)
    deleted: set[int] = field(default_factory=set)

    @classmethod
    def of(cls, store: Store) -> Contents:
        """Everything that a store shows, bytes included."""
        contents = cls.without_bytes(store)
        for model_id in MODELS:
            contents.append_looks(model_id, store.looks(model_id).read())
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
        """Everything but images and looks, which are read from the disk each time."""
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
                contents.features[model_id][image_id] = as_indexed(index.detections_of(row))
                contents.sentence_vectors[model_id][image_id] = float(vector[0])
            assert len(index) == len(contents.features[model_id])
        return contents

    def look_ids(self) -> list[list[int]]:
        """Of each model the ids of images that have looks."""
        return [sorted(self.looks[model_id]) for model_id in MODELS]

    def append_images(self, images: Sequence[StoredImage]) -> None:
        for image in images:
            if image.image_id not in self.deleted:
                self.images[image.image_id] = image

    def append_features(self, model_id: str, added: Features) -> None:
        for image_id, ssd, nlp in zip(added.image_ids.tolist(), added.ssd, added.nlp, strict=True):
            if image_id not in self.deleted:
                self.features[model_id][image_id] = as_indexed(ssd)
                self.sentence_vectors[model_id][image_id] = float(nlp[0])

    def append_looks(self, model_id: str, added: LookFeatures) -> None:
        for image_id, embedding, class_ids in zip(
            added.image_ids.tolist(), added.embedding, added.class_ids, strict=True
        ):
            if image_id not in self.deleted:
                self.looks[model_id][image_id] = float(embedding[0]), int(class_ids[0])

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
                self.looks[model_id].pop(image_id, None)
        self.edits = {key: value for key, value in self.edits.items() if key[0] not in self.deleted}


def numbered_image(image_id: int) -> StoredImage:
    """An image whose bytes follow from its id: none, few, or more than a chunk holds."""
    data = bytes([image_id]) * (0, 700, 150_000)[image_id % 3]
    return sample_image(image_id, data, name=f"Photo {image_id} 🎉.jpg")
