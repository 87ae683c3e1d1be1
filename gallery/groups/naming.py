"""Names of groups, of the objects by which they differ from the rest of the collection."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from django.utils.translation import gettext as _
from numpy.typing import NDArray

from detector.labels import NAME_BY_ID
from gallery.object_names import shown_name

# What a group must show in so much of its photos, and so many times as often as the rest does.
LEAST_SHARE = 0.3
LEAST_LIFT = 1.25
# A second object is in the name if it says so much of what the first says.
SECOND_SHARE = 0.3
# What nearly all photos of a group show names it, where nothing sets it apart.
COMMON_SHARE = 0.5
# As many photos of the collection as are added to each group, so that few photos say little.
PRIOR = 2.0
USUAL_OBJECTS, MOST_OBJECTS = 2, 3


def typical_objects(counts: NDArray[np.int64], photos: NDArray[np.int64]) -> list[list[str]]:
    """The object classes that tell each of k groups from the others, the first most.

    By what a class adds to the Kullback-Leibler divergence of a group from the collection:
    p · log(p / q), where p of the group's photos show it and q of all.

    Args:
        counts: (k, 91) in how many photos of each group a class is.
        photos: (k,) how many photos each group has.
    """
    overall = counts.sum(axis=0) / max(1, photos.sum())
    shares = (counts + PRIOR * overall) / (photos[:, None] + PRIOR)
    lifts = shares / np.maximum(overall, 1e-9)
    worths = shares * np.log2(np.maximum(lifts, 1e-9))
    found = []
    for share, lift, worth in zip(shares, lifts, worths, strict=True):
        typical = [
            int(class_id)
            for class_id in np.argsort(-worth, kind="stable")
            if share[class_id] >= LEAST_SHARE and lift[class_id] >= LEAST_LIFT
        ]
        most = int(share.argmax())
        if not typical and share[most] >= COMMON_SHARE:
            typical = [most]
        telling = [one for one in typical if worth[one] >= SECOND_SHARE * worth[typical[0]]]
        found.append([NAME_BY_ID[class_id] for class_id in (telling or typical)[:MOST_OBJECTS]])
    return _short(found)


def _short(typical: list[list[str]]) -> list[list[str]]:
    """Two objects, and a third only where it tells a group from another."""
    same = Counter(frozenset(names[:USUAL_OBJECTS]) for names in typical)
    return [
        names if same[frozenset(names[:USUAL_OBJECTS])] > 1 else names[:USUAL_OBJECTS]
        for names in typical
    ]


def numbers_of(typical: Sequence[Sequence[str]]) -> list[int]:
    """1 for each group, and more for those whose objects an earlier one has as well."""
    seen: Counter[frozenset[str]] = Counter()
    numbers = []
    for names in typical:
        seen[frozenset(names)] += 1
        numbers.append(seen[frozenset(names)])
    return numbers


def title_of(typical: Sequence[str], number: int = 1) -> str:
    """Like "people at tables", "cats", "motorcycles and cars", "cars 2", in the reader's language.

    Args:
        typical: object classes, the most typical first.
        number: which of the groups that have the same objects.
    """
    if not typical:
        return _("mixed photos %(number)d") % {"number": number}
    title = _words_of(list(typical))
    return title if number == 1 else f"{title} {number}"


def _words_of(names: list[str]) -> str:
    if set(names) == {"person", "dining table"}:
        return _("people at tables")
    if "person" in names and len(names) > 1:
        things = _listed([shown_name(name, 2) for name in names if name != "person"])
        return _("people with %(things)s") % {"things": things}
    return _listed([shown_name(name, 2) for name in names])


def _listed(words: list[str]) -> str:
    if len(words) == 1:
        return words[0]
    return _("%(things)s and %(last)s") % {"things": ", ".join(words[:-1]), "last": words[-1]}
