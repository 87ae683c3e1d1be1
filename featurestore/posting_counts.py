"""Sums over all images of postings: how many hold a class, and which classes go together."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from featurestore.compiled import compiled
from featurestore.packing import SCORE_UNIT
from featurestore.posting_kernels import MAX_CLASS_ID, MOST_OBJECTS
from featurestore.postings import Postings
from featurestore.segments import MAX_OBJECTS

# Images whose objects are brought together at a time: what is known of them fits into the cache.
BLOCK = 4096
ROWS_TOGETHER = 2**16

# Of an image: no more than its objects, of which a detector finds 20 and people may draw more.
USUAL_CLASSES, MOST_CLASSES = MAX_OBJECTS, min(MAX_CLASS_ID, MOST_OBJECTS)


def images_per_class(
    postings: Postings, counted: NDArray[np.bool_], threshold: int
) -> NDArray[np.int64]:
    """(91,) how many images hold an object of each class whose packed score is at least so high.

    Args:
        counted: (n,) which images count.
    """
    objects = postings.objects
    return _images_per_class(
        postings.class_starts, objects.image_rows, objects.packed_scores, counted, threshold
    )


def cooccurrence(postings: Postings, counted: NDArray[np.bool_]) -> NDArray[np.float64]:
    """(91, 91) Σ over images of P(a) · P(b), with P(a) = 1 - Π(1 - score) over the class's objects.

    Args:
        counted: (n,) which images count.
    """
    objects = postings.objects
    columns = (postings.class_starts, objects.image_rows, objects.packed_scores, counted)
    sums, found = _cooccurrence(*columns, USUAL_CLASSES)
    return sums if found < USUAL_CLASSES else _cooccurrence(*columns, MOST_CLASSES)[0]


def images_with_both(
    postings: Postings, counted: NDArray[np.bool_], threshold: int, class_ids: NDArray[np.int64]
) -> NDArray[np.int64]:
    """(k, k) how many images hold objects of both of two classes, each at least so sure.

    On the diagonal lies what `images_per_class` says.

    Args:
        counted: (n,) which images count.
        class_ids: (k,)
    """
    objects = postings.objects
    counts = np.zeros((len(class_ids), len(class_ids)))
    # By blocks of images, since a million of them with a dozen classes take 48 MB at once.
    for start in range(0, len(counted), ROWS_TOGETHER):
        stop = min(start + ROWS_TOGETHER, len(counted))
        holds = np.zeros((len(class_ids), stop - start), np.float32)
        for place, class_id in enumerate(class_ids):
            of_class = slice(postings.class_starts[class_id], postings.class_starts[class_id + 1])
            rows = objects.image_rows[of_class]
            first, last = np.searchsorted(rows, (start, stop))
            sure = objects.packed_scores[of_class][first:last] >= threshold
            holds[place, rows[first:last][sure] - start] = 1
        holds *= counted[start:stop]
        counts += holds @ holds.T
    return counts.astype(np.int64)


@compiled
def _images_per_class(
    class_starts: NDArray[np.int64],
    image_rows: NDArray[np.int32],
    scores: NDArray[np.uint16],
    counted: NDArray[np.bool_],
    threshold: int,
) -> NDArray[np.int64]:
    counts = np.zeros(MAX_CLASS_ID + 1, np.int64)
    for class_id in range(1, MAX_CLASS_ID + 1):
        last = -1
        for place in range(class_starts[class_id], class_starts[class_id + 1]):
            # The surest object of an image comes first.
            if image_rows[place] != last:
                last = image_rows[place]
                if scores[place] >= threshold and counted[last]:
                    counts[class_id] += 1
    return counts


@compiled
def _cooccurrence(
    class_starts: NDArray[np.int64],
    image_rows: NDArray[np.int32],
    scores: NDArray[np.uint16],
    counted: NDArray[np.bool_],
    most: int,
) -> tuple[NDArray[np.float64], int]:
    """The sums, and how many classes an image has at most; of `most` some may be left out."""
    sums = np.zeros((MAX_CLASS_ID + 1, MAX_CLASS_ID + 1))
    class_ids = np.empty((BLOCK, most), np.int32)
    misses = np.empty((BLOCK, most))
    counts = np.zeros(BLOCK, np.int32)
    found = 0
    places = class_starts[:-1].copy()
    for start in range(0, len(counted), BLOCK):
        stop = min(start + BLOCK, len(counted))
        counts[:] = 0
        for class_id in range(1, MAX_CLASS_ID + 1):
            place = places[class_id]
            while place < class_starts[class_id + 1] and image_rows[place] < stop:
                row = image_rows[place] - start
                count = counts[row]
                if count and class_ids[row, count - 1] == class_id:
                    misses[row, count - 1] *= 1 - scores[place] * SCORE_UNIT
                elif counted[start + row] and count < most:
                    class_ids[row, count] = class_id
                    misses[row, count] = 1 - scores[place] * SCORE_UNIT
                    counts[row] += 1
                place += 1
            places[class_id] = place
        found = max(found, int(counts.max()))
        for row in range(stop - start):
            for a in range(counts[row]):
                for b in range(counts[row]):
                    sums[class_ids[row, a], class_ids[row, b]] += (1 - misses[row, a]) * (
                        1 - misses[row, b]
                    )
    return sums, found
