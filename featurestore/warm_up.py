"""Compiles all that a search needs before the first one comes.

`python -m featurestore.warm_up` does so when a machine is set up.
"""

from __future__ import annotations

import numpy as np

from featurestore import posting_counts
from featurestore.best_rows import best_rows
from featurestore.code_cache import sweep_old_code
from featurestore.condition_scores import index_condition_scores
from featurestore.conditions import Asked, Kind, ObjectQuery, Presence, Relation
from featurestore.explanations import Explainer
from featurestore.index import Index, IndexPart
from featurestore.layout_scores import LayoutQuery
from featurestore.look_codes import LookCoder
from featurestore.look_postings import LookPostings, LookPostingsIndex
from featurestore.looks import KEPT_CLASSES, LookScores
from featurestore.posting_kernels import objects_in_place
from featurestore.postings import Postings, merge_postings
from featurestore.regions import Region
from featurestore.segments import MAX_OBJECTS, SENTENCE_DIMENSIONS, Features

TRIANGLE = np.array([[0.1, 0.1], [0.9, 0.1], [0.5, 0.9]])


def warm_up() -> None:
    """Do everything once with two images: half a second where machine code is kept from before.

    Where it is not, this takes ten to thirty seconds of one core, and then keeps it (see
    `code_cache.cache_folder`), in place of that of other sources. It may run in a thread beside
    other work.
    """
    first, second = _postings(1), _postings(2)
    part = IndexPart.of(merge_postings([(one, np.ones(1, np.bool_)) for one in (first, second)]))
    looks = LookScores(
        np.array([1]),
        np.zeros((1, KEPT_CLASSES), np.int16),
        np.zeros((1, KEPT_CLASSES), np.float32),
        np.zeros(1, np.int64),
    )
    index = Index((part,), LookPostingsIndex((LookPostings.of(looks),)))
    index.images_per_class(0.5)
    whole = part.postings
    posting_counts.cooccurrence(whole, part.alive)
    objects_in_place(whole.class_starts, whole.objects.image_rows, len(whole))
    seen = np.zeros(1, np.int64)
    one = np.ones(1, np.float32)
    asked = Asked(Kind(np.array([1]), one, seen, one))
    query = ObjectQuery(((Presence(asked), Relation(asked, "near", asked)),))
    page = best_rows(index, index_condition_scores(index, query), limit=1, cut_off=0.01)
    explainer = Explainer(query)
    for row in page.rows.tolist():
        explainer.explain(index.detections_of(row))
        whole.objects_of(row, explainer.class_ids)
        index.looks_of(row, explainer.look_ids)
    detections = index.detections_of(0)
    layout = LayoutQuery.of(
        detections, mirror=True, region=Region.of_polygon(TRIANGLE), region_row=0
    )
    layout.scores(whole)
    layout.pairs(detections)
    vectors = np.eye(2, 8, dtype=np.float32)
    coder = LookCoder.fitted(vectors)
    codes = coder.codes(vectors)
    for writeable in (True, False):
        # Those that are mapped from a file cannot be written, which makes them another type.
        codes.flags.writeable = writeable
        coder.cosines(codes, vectors[0])
    sweep_old_code()


def _postings(image_id: int) -> Postings:
    """One image with two objects of one class."""
    detections = np.zeros((1, MAX_OBJECTS, 6), np.float32)
    detections[0, :2] = [[1, 0.9, 10, 10, 90, 90], [1, 0.8, 50, 50, 150, 150]]
    return Postings.of(
        Features(
            image_ids=np.array([image_id]),
            ssd=detections,
            nlp=np.zeros((1, SENTENCE_DIMENSIONS), np.float32),
            written_at=np.zeros(1, np.int64),
        )
    )


if __name__ == "__main__":
    warm_up()
