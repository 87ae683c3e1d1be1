"""What taggers suggest to call photos: worked out from their looks, in the background.

No image is read: a look is a row of the store, and a tagger one matrix. The catalogue keeps what
comes of it; where the catalogue is lost, or the taggers change, it is worked out again.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable, Sequence

import numpy as np
from django.db import transaction

from featurestore.live_rows import contains
from featurestore.looks import LookFeatures
from gallery import components
from gallery.models import Image, PhotoTag
from gallery.tags.names import tag_key
from gallery.tags.taggers import Tagger, taggers

BATCH = 2000
# Below it a tag is not even a weak match.
LEAST_PROBABILITY = 0.1
# Certain are people only.
SUREST = 0.99
NO_TAGGERS = "-"

_lock = threading.Lock()


def tag_untagged(
    *, seconds: float = float("inf"), on_image: Callable[[], object] = lambda: None
) -> bool:
    """Tag photos that the present taggers have not seen; whether that is all that were looked at.

    Killed at any moment, it goes on from where it was.
    """
    stop = time.monotonic() + seconds
    with _lock:
        model_id = components.look_model_id()
        if model_id is None:
            return True
        known = [one for one in taggers() if one.head.look_model_id == model_id]
        mark = _mark(known)
        looks = components.store().looks(model_id)
        rows = Image.objects.ready().exclude(tagged_by=mark).order_by("pk")
        ids = np.fromiter(rows.values_list("pk", flat=True).iterator(), np.int64)
        waiting = ids[contains(looks.image_ids(), ids)]
        for start in range(0, len(waiting), BATCH):
            if time.monotonic() > stop:
                return False
            _tag(looks.read(waiting[start : start + BATCH].tolist()), known, mark)
            for _ in waiting[start : start + BATCH]:
                on_image()
    return True


def suggested_tags(looks: LookFeatures, known: Sequence[Tagger]) -> list[PhotoTag]:
    """What taggers call some photos, as rows that are not saved yet."""
    found = []
    for tagger in known:
        probabilities = tagger.head.probabilities(looks.embedding)
        for row, column in np.argwhere(probabilities >= LEAST_PROBABILITY).tolist():
            name = tagger.head.names[column]
            if name in tagger.tags:
                found.append(
                    PhotoTag(
                        image_id=int(looks.image_ids[row]),
                        name=name,
                        key=tag_key(name),
                        tagger=tagger.name,
                        probability=round(min(float(probabilities[row, column]), SUREST), 4),
                    )
                )
    return found


def _tag(looks: LookFeatures, known: Sequence[Tagger], mark: str) -> None:
    tags = suggested_tags(looks, known)
    ids = looks.image_ids.tolist()
    with transaction.atomic():
        # Taken first, so that a photo that is deleted meanwhile gets no tags.
        alive = Image.objects.filter(pk__in=ids).lock()
        PhotoTag.objects.filter(image__in=ids).exclude(tagger="").delete()
        PhotoTag.objects.bulk_create([tag for tag in tags if tag.image_id in alive])
        Image.objects.filter(pk__in=ids).update(tagged_by=mark)


def _mark(known: Sequence[Tagger]) -> str:
    """Another one whenever any of the taggers is another."""
    if not known:
        return NO_TAGGERS
    text = " ".join(sorted(tagger.fingerprint for tagger in known))
    return hashlib.sha256(text.encode()).hexdigest()[:16]
