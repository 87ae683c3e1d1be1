"""What the photos of groups show: their objects, their tags, and what they look like as a whole."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from detector.labels import ID_BY_NAME, NAME_BY_ID
from detector.look_labels import LOOK_NAMES
from featurestore.index import Index
from featurestore.live_rows import contains
from featurestore.posting_kernels import SURE_SCORE
from gallery.groups.naming import KindCounts, Source
from gallery.models import PhotoTag
from gallery.tags.names import keys_of
from gallery.vocabulary import NAME_WITHOUT_BLANKS

CHUNK = 10_000


def count_kinds(
    index: Index, image_ids: NDArray[np.int64], places: NDArray[np.int64], groups: int
) -> KindCounts:
    """What photos surely show, group by group.

    Args:
        image_ids: (n,) rising
        places: (n,) in which of so many groups each of them is.
    """
    members = [image_ids[places == place] for place in range(groups)]
    objects = np.stack([index.images_per_class(SURE_SCORE, among=some) for some in members])
    looks = np.stack([index.looks.images_per_look(some, SURE_SCORE) for some in members])
    tag_names, tags = _count_tags(image_ids, places, groups)
    classes = [_class_of(name) for name in tag_names]
    for column, class_id in enumerate(classes):
        if class_id is not None:
            # One kind, that a person or the detector has seen.
            np.maximum(objects[:, class_id], tags[:, column], out=objects[:, class_id])
    others = [column for column, class_id in enumerate(classes) if class_id is None]
    tag_names, tags = [tag_names[column] for column in others], tags[:, others]
    class_ids = sorted(NAME_BY_ID)
    known = {*ID_BY_NAME, *tag_names}
    # Tags have no capitals: "T-shirt" is one of the gallery.
    look_ids = [number for number, name in enumerate(LOOK_NAMES) if name.lower() not in known]
    return KindCounts(
        names=(
            *(NAME_BY_ID[class_id] for class_id in class_ids),
            *tag_names,
            *(LOOK_NAMES[number] for number in look_ids),
        ),
        sources=np.repeat(
            np.array([Source.OBJECT, Source.TAG, Source.LOOK], np.int64),
            [len(class_ids), len(tag_names), len(look_ids)],
        ),
        counts=np.concatenate([objects[:, class_ids], tags, looks[:, look_ids]], axis=1),
        photos=np.bincount(places, minlength=groups),
    )


def _class_of(tag: str) -> int | None:
    """The object class that a tag names, in singular or plural."""
    names = [NAME_WITHOUT_BLANKS[key] for key in keys_of(tag) if key in NAME_WITHOUT_BLANKS]
    return ID_BY_NAME[names[0]] if names else None


def _count_tags(
    image_ids: NDArray[np.int64], places: NDArray[np.int64], groups: int
) -> tuple[list[str], NDArray[np.int64]]:
    """Names of all tags that are shown, and (k, t) how many photos of each group have each."""
    names: dict[str, str] = {}
    columns: dict[str, int] = {}
    rows = PhotoTag.objects.shown().filter(is_refused=False).order_by()
    found: list[tuple[int, int]] = []
    for image_id, key, name in rows.values_list("image", "key", "name").iterator(CHUNK):
        # Rows come in no order, and groups are to be called the same each time.
        names[key] = min(name, names.get(key, name))
        found.append((image_id, columns.setdefault(key, len(columns))))
    # A person and a tagger may say the same.
    pairs = np.unique(np.array(found, np.int64).reshape(-1, 2), axis=0)
    pairs = pairs[contains(image_ids, pairs[:, 0])]
    counts = np.zeros((groups, len(columns)), np.int64)
    np.add.at(counts, (places[np.searchsorted(image_ids, pairs[:, 0])], pairs[:, 1]), 1)
    keys = sorted(columns)
    return [names[key] for key in keys], counts[:, [columns[key] for key in keys]]
