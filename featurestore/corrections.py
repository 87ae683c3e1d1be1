"""What people say is in photos, in the place of what a model found: edits of the field `objects`.

A correction is the whole list of a photo's objects. So it means the same whatever a model finds
later, and it stands in for the features of every model.
"""

from __future__ import annotations

import json
import logging
import math
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from featurestore.index import Index, IndexPart
from featurestore.packing import FRAME_SIDE
from featurestore.posting_kernels import MAX_CLASS_ID, MOST_OBJECTS, SURE_SCORE
from featurestore.postings import Postings
from featurestore.segments import SENTENCE_DIMENSIONS, Edit

logger = logging.getLogger(__name__)

# The field of edits that stands in for what models found.
OBJECTS = "objects"
PERSON, DETECTOR = "person", "detector"

# Digits of a side in 0..1: a hundredth of a pixel of a photo of 10,000.
DIGITS = 6

SentenceOf = Callable[[NDArray[np.int64]], NDArray[np.float32]]
"""From the class ids of an image's sure objects to its (50,) sentence vector."""


@dataclass(frozen=True)
class Correction:
    """All objects of an image, as a person left them."""

    objects: NDArray[np.float32]
    """(k, 6) rows of [class_id, score, xmin, ymin, xmax, ymax] like a detector's, not padded, by
    falling score; k is at most `MOST_OBJECTS`."""
    by_person: NDArray[np.bool_]
    """(k,) which of them a person drew or changed; the others are as a detector found them."""

    def as_json(self) -> str:
        """The value of an edit."""
        return json.dumps(
            [
                {
                    "class_id": int(row[0]),
                    "score": round(float(row[1]), DIGITS),
                    "box": [round(float(side) / FRAME_SIDE, DIGITS) for side in row[2:]],
                    "source": PERSON if by_person else DETECTOR,
                }
                for row, by_person in zip(self.objects, self.by_person, strict=True)
            ],
            separators=(",", ":"),
        )

    @classmethod
    def of_json(cls, text: str) -> Correction | None:
        """What an edit says; None where it returns to what models find. Raises ValueError."""
        items = json.loads(text)
        if items is None:
            return None
        if not isinstance(items, list) or len(items) > MOST_OBJECTS:
            raise ValueError(f"it is no list of at most {MOST_OBJECTS} objects")
        try:
            rows = np.array([_row_of(item) for item in items], np.float64).reshape(-1, 7)
        except (TypeError, KeyError, OverflowError) as error:
            raise ValueError(f"it holds what is no object ({error})") from error
        return cls.of_rows(rows)

    def as_rows(self) -> NDArray[np.float32]:
        """(k, 7) the objects, and 1 for each by a person."""
        return np.column_stack([self.objects, self.by_person]).astype(np.float32)

    @classmethod
    def of_rows(cls, rows: NDArray[np.float64]) -> Correction:
        """From what `as_rows` gives. Raises ValueError."""
        if rows.ndim != 2 or rows.shape[1] != 7 or len(rows) > MOST_OBJECTS:
            raise ValueError(f"it holds no (k, 7) objects but {rows.shape}")
        if not _plausible(rows[:, :6]).all():
            raise ValueError("it holds an object that cannot be")
        rows = rows[np.argsort(-rows[:, 1], kind="stable")]
        return cls(rows[:, :6].astype(np.float32), rows[:, 6] == 1)


class Corrections:
    """Those of a store: each is read once, and brought together anew when one comes."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._version: object = None
        self._generation = 0
        self._by_id: dict[int, Correction] = {}
        self._read: dict[Edit, Correction | None] = {}
        self._edits: dict[int, Edit] = {}
        self._vectors: dict[Edit, NDArray[np.float32]] = {}
        self._part: tuple[int, Index] = (-1, Index(()))
        self._whole: tuple[Index, Index] | None = None

    def of(
        self, version: object, edits: Callable[[], Mapping[tuple[int, str], Edit]]
    ) -> Mapping[int, Correction]:
        """The corrections among edits, by image id.

        Args:
            version: equal as long as the edits are the same.
            edits: the latest by image id and field.
        """
        with self._lock:
            if version != self._version:
                latest = {
                    image_id: edit
                    for (image_id, field), edit in edits().items()
                    if field == OBJECTS
                }
                known = self._read
                self._read = {
                    edit: known[edit] if edit in known else _correction_of(edit)
                    for edit in latest.values()
                }
                self._edits = {i: e for i, e in latest.items() if self._read[e] is not None}
                self._by_id = {
                    image_id: correction
                    for image_id, edit in latest.items()
                    if (correction := self._read[edit]) is not None
                }
                self._version = version
                self._generation += 1
            return self._by_id

    def applied_to(self, index: Index, sentence_of: SentenceOf) -> Index:
        """An index with these corrections, as `of` gave them last, in the place of features."""
        with self._lock:
            if not self._by_id:
                return index
            if self._part[0] != self._generation:
                part = IndexPart.of(self._postings(sentence_of))
                self._part = self._generation, Index((part,))
                self._whole = None
            if self._whole is None or self._whole[0] is not index:
                self._whole = index, self._part[1].completed_by(index)
            return self._whole[1]

    def _postings(self, sentence_of: SentenceOf) -> Postings:
        image_ids = sorted(self._by_id)
        known, self._vectors = self._vectors, {}
        longest = max(len(correction.objects) for correction in self._by_id.values())
        objects = np.zeros((len(image_ids), longest, 6), np.float32)
        vectors = np.zeros((len(image_ids), SENTENCE_DIMENSIONS), np.float32)
        for row, image_id in enumerate(image_ids):
            found = self._by_id[image_id].objects
            objects[row, : len(found)] = found
            edit = self._edits[image_id]
            if edit not in known:
                sure = found[found[:, 1] >= SURE_SCORE, 0].astype(np.int64)
                known[edit] = sentence_of(sure)
            vectors[row] = self._vectors[edit] = known[edit]
        edited_at = [round(self._edits[image_id].edited_at * 1e9) for image_id in image_ids]
        return Postings.of_objects(
            np.array(image_ids, np.int64), objects, vectors, np.array(edited_at, np.int64)
        )


def _correction_of(edit: Edit) -> Correction | None:
    try:
        return Correction.of_json(edit.value)
    except ValueError as error:
        # Such as salvage may leave of a damaged segment: what models found is shown then.
        logger.error("The correction of image %s is left out: %s.", edit.image_id, error)
        return None


def _row_of(item: dict[str, Any]) -> tuple[float, ...]:
    """A row of `Correction.as_rows`. Raises ValueError, TypeError or KeyError."""
    xmin, ymin, xmax, ymax = (side * FRAME_SIDE for side in item["box"])
    if item["source"] not in (PERSON, DETECTOR):
        raise ValueError("it holds an object of neither a person nor a detector")
    by_person = float(item["source"] == PERSON)
    return item["class_id"], item["score"], xmin, ymin, xmax, ymax, by_person


def _plausible(objects: NDArray[np.float64]) -> NDArray[np.bool_]:
    """(k,) which of (k, 6) objects can be."""
    if not np.isfinite(objects).all():
        return np.zeros(len(objects), np.bool_)
    class_ids, scores, boxes = objects[:, 0], objects[:, 1], objects[:, 2:]
    plausible: NDArray[np.bool_] = np.logical_and.reduce(
        [
            (class_ids % 1 == 0) & (class_ids >= 1) & (class_ids <= MAX_CLASS_ID),
            (scores >= 0) & (scores <= 1),
            ((boxes >= 0) & (boxes <= math.nextafter(FRAME_SIDE, math.inf))).all(1),
            (boxes[:, :2] <= boxes[:, 2:]).all(1),
        ]
    )
    return plausible
