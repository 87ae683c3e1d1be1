"""What groups are called: by what tells them from the rest of the collection, in pure functions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum, auto

import numpy as np
from django.utils.translation import gettext as _
from numpy.typing import NDArray

from gallery.groups.kind_names import is_countable, is_tag, plural_name, typed_kind
from gallery.tags.names import tag_query

# What a group must show in so much of its photos, and so many times as often as the rest does.
LEAST_SHARE = 0.3
LEAST_LIFT = 1.25
# So much of them is enough where nothing else can be said of a group.
WEAK_SHARE = 0.2
# A tag says what a photo is of; that a thing is in it may say nothing.
TAGS_COUNT = 2.0
# A second kind is in the name if it says so much of what the first says.
SECOND_SHARE = 0.3
# What nearly all photos of a group show names it, where nothing sets it apart.
COMMON_SHARE = 0.5
# As many photos of the collection as are added to each group, so that few photos say little.
PRIOR = 2.0
USUAL_KINDS = 2


class Source(IntEnum):
    """Who says that a photo shows something."""

    OBJECT = auto()
    TAG = auto()
    LOOK = auto()


@dataclass(frozen=True)
class KindCounts:
    """What the photos of k groups show."""

    names: tuple[str, ...]
    """(c,) of object classes, tags and classes of looks, each once."""
    sources: NDArray[np.int64]
    """(c,)"""
    counts: NDArray[np.int64]
    """(k, c) how many photos of a group show each."""
    photos: NDArray[np.int64]
    """(k,) how many photos each group has."""


@dataclass(frozen=True)
class _Telling:
    """How far kinds tell groups from others, (k, c) each."""

    shares: NDArray[np.float64]
    worths: NDArray[np.float64]
    """-inf of those that do not tell a group at all."""

    @classmethod
    def of(cls, kinds: KindCounts, groups: NDArray[np.int64]) -> _Telling:
        """Some groups among themselves.

        By what a kind adds to the Kullback-Leibler divergence of a group from all of them:
        p · log(p / q), where p of the group's photos show it and q of all.
        """
        counts, photos = kinds.counts[groups], kinds.photos[groups]
        overall = counts.sum(axis=0) / max(1, photos.sum())
        shares = (counts + PRIOR * overall) / (photos[:, None] + PRIOR)
        lifts = np.maximum(shares, 1e-9) / np.maximum(overall, 1e-9)
        worths = shares * np.log2(lifts) * np.where(kinds.sources == Source.TAG, TAGS_COUNT, 1)
        worths[(shares < WEAK_SHARE) | (lifts < LEAST_LIFT)] = -np.inf
        return cls(shares, worths)


def typical_kinds(kinds: KindCounts) -> list[list[str]]:
    """Names of what tells each of k groups from the others, the first most."""
    telling = _Telling.of(kinds, np.arange(len(kinds.photos)))
    found = [
        _usual(*row, kinds.sources) for row in zip(telling.shares, telling.worths, strict=True)
    ]
    alike: dict[frozenset[int], list[int]] = {}
    for group, columns in enumerate(found):
        alike.setdefault(frozenset(columns), []).append(group)
    for same, groups in alike.items():
        if len(groups) > 1:
            _tell_apart(found, kinds, sorted(same), np.array(groups))
    return [[kinds.names[column] for column in columns] for columns in found]


def _usual(
    shares: NDArray[np.float64], worths: NDArray[np.float64], sources: NDArray[np.int64]
) -> list[int]:
    """Columns of one or two kinds by which a group is called."""
    order = np.argsort(-worths, kind="stable")
    order = order[np.isfinite(worths[order])]
    # What a photo as a whole looks like is told in narrow words, and not so surely.
    is_look = sources[order] == Source.LOOK
    order = np.concatenate([order[~is_look], order[is_look]])
    common = np.where(sources == Source.OBJECT, shares, 0)
    if (shares[order] >= LEAST_SHARE).any():
        order = order[shares[order] >= LEAST_SHARE]
    elif common.max() >= COMMON_SHARE:
        return [int(common.argmax())]
    elif not len(order):
        return []
    first = order[0]
    return [
        int(one)
        for one in order[:USUAL_KINDS]
        if worths[one] >= SECOND_SHARE * worths[first]
        and (one == first or sources[one] == Source.TAG or sources[one] == sources[first])
    ]


def _tell_apart(
    found: list[list[int]], kinds: KindCounts, usual: list[int], groups: NDArray[np.int64]
) -> None:
    """Give each of some groups that are called the same what tells it from those, if anything."""
    telling = _Telling.of(kinds, groups)
    worths = np.where(telling.shares >= LEAST_SHARE, telling.worths, -np.inf)
    worths[:, usual] = -np.inf
    for group, own in zip(groups.tolist(), worths, strict=True):
        best = int(own.argmax())
        if np.isfinite(own[best]):
            found[group] = [*found[group], best]


def numbers_of(typical: Sequence[Sequence[str]]) -> list[int]:
    """1 for each group, and more for those that an earlier one is called the same as."""
    seen: Counter[frozenset[str]] = Counter()
    numbers = []
    for names in typical:
        seen[frozenset(names)] += 1
        numbers.append(seen[frozenset(names)])
    return numbers


def title_of(typical: Sequence[str], number: int = 1) -> str:
    """Like "people at tables", "dresses", "motorcycles and cars", "cars 2", as the reader says it.

    Args:
        typical: what it shows, the most typical first.
        number: which of the groups that show the same.
    """
    title = _words_of(list(typical)) if typical else _("mixed photos")
    return title if number == 1 else f"{title} {number}"


def query_of(typical: Sequence[str]) -> str:
    """A search for what tells a group from others most; "" for nothing."""
    usual = typical[:USUAL_KINDS]
    things = [typed for name in usual if not is_tag(name) and (typed := typed_kind(name))]
    tags = [tag_query(name) for name in usual if is_tag(name)]
    return " ".join([" and ".join(things), *tags]).strip()


def _words_of(names: list[str]) -> str:
    if set(names) == {"person", "dining table"}:
        return _("people at tables")
    things = [name for name in names if name != "person"]
    if 0 < len(things) < len(names) and all(map(is_countable, things)):
        return _("people with %(things)s") % {"things": _listed(list(map(plural_name, things)))}
    return _listed(list(map(plural_name, names)))


def _listed(words: list[str]) -> str:
    if len(words) == 1:
        return words[0]
    return _("%(things)s and %(last)s") % {"things": ", ".join(words[:-1]), "last": words[-1]}
