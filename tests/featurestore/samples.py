"""Made images and features for tests of the store."""

from __future__ import annotations

import time

import numpy as np
from numpy.typing import NDArray

from featurestore.looks import LookFeatures
from featurestore.packing import pack_boxes, pack_scores
from featurestore.postings import Postings
from featurestore.segments import Features, StoredImage

PackedObject = tuple[int, ...]


def sample_image(image_id: int, data: bytes | None = None, name: str = "") -> StoredImage:
    """An image whose facts all follow from its id."""
    return StoredImage(
        image_id=image_id,
        name=name or f"photo {image_id}.jpg",
        media_type="image/jpeg",
        width=640 + image_id,
        height=480,
        uploaded_at=1_700_000_000.0 + image_id,
        data=data if data is not None else f"bytes of {image_id}".encode() * 50,
    )


def detections(*rows: tuple[float, ...]) -> NDArray[np.float32]:
    """(20, 6) with the given rows of [class_id, score, xmin, ymin, xmax, ymax] in front."""
    padded = np.zeros((20, 6), np.float32)
    padded[: len(rows)] = np.reshape(rows, (-1, 6))
    return padded


def features(image_ids: list[int], found: list[NDArray[np.float32]]) -> Features:
    """Features with sentence vectors that follow from the ids."""
    nlp = np.array([[float(image_id)] * 50 for image_id in image_ids], np.float32)
    return Features(
        image_ids=np.array(image_ids, np.int64),
        ssd=np.array(found, np.float32).reshape(-1, 20, 6),
        nlp=nlp.reshape(-1, 50),
        written_at=np.full(len(image_ids), time.time_ns(), np.int64),
    )


def looks(image_ids: list[int], seed: int = 0) -> LookFeatures:
    """Looks that follow from the ids and the seed."""
    numbers = [np.random.default_rng([seed, image_id]) for image_id in image_ids]
    embedding = np.array([random.uniform(0, 6, 1280) for random in numbers], np.float32)
    scores = np.array([random.dirichlet(np.full(1000, 0.1)) for random in numbers], np.float32)
    return LookFeatures.of(
        image_ids, embedding.reshape(-1, 1280), scores.reshape(-1, 1000), time.time_ns()
    )


def described(image_ids: list[int]) -> LookFeatures:
    """What an image–text model of 8 dimensions says, which follows from the ids."""
    embedding = np.array([[image_id, *range(7)] for image_id in image_ids], np.float32)
    embedding /= np.linalg.norm(embedding, axis=1, keepdims=True)
    none = np.empty((len(image_ids), 0), np.float32)
    return LookFeatures.of(image_ids, embedding, none, time.time_ns())


def postings(*found: NDArray[np.float32]) -> Postings:
    """An index of images 1, 2, 3 …"""
    return Postings.of(features(list(range(1, len(found) + 1)), list(found)))


def random_detections(seed: int, objects: int = 7) -> NDArray[np.float32]:
    """(20, 6) of a few classes, so that images share some."""
    random = np.random.default_rng(seed)
    rows = np.zeros((20, 6), np.float32)
    rows[:objects, 0] = random.choice([1, 2, 3, 17, 18, 62], objects)
    rows[:objects, 1] = np.sort(random.uniform(0.02, 1, objects))[::-1]
    corners = np.sort(random.uniform(0, 300, (objects, 2, 2)), axis=1)
    rows[:objects, 2:] = corners.reshape(objects, 4)
    return rows


def as_indexed(detections: NDArray[np.float32]) -> list[PackedObject]:
    """The objects of an image in the whole numbers that an index keeps, sorted."""
    objects = detections[detections[:, 0] > 0]
    columns = (objects[:, :1], pack_scores(objects[:, 1:2]), pack_boxes(objects[:, 2:]))
    return sorted(tuple(row) for row in np.hstack(columns).astype(int).tolist())
