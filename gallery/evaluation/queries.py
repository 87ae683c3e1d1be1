"""Text queries about one thing, and which images answer them by the ground truth."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from gallery.evaluation.truth import TrueImage, Truth
from gallery.evaluation.words import (
    CAPTION_WORDS,
    CLASS_NAME_BY_SYNONYM,
    CLASS_NAMES_BY_HYPERNYM,
)

SEED = 2017
# Sets that could be larger are sampled, so that evaluating stays a matter of seconds.
LARGEST_SET = 200
# With fewer answers, average precision is a matter of luck.
MIN_RELEVANT = 3
MAX_COUNT = 10

# Parts of the frame's area.
BIG_AREA = 0.2
SMALL_AREA = 0.04

IRREGULAR_PLURALS = {
    "person": "people",
    "mouse": "mice",
    "knife": "knives",
    "sheep": "sheep",
    "skis": "skis",
    "scissors": "scissors",
    "broccoli": "broccoli",
}

Item = TypeVar("Item")


@dataclass(frozen=True)
class JudgedQuery:
    """Words that somebody might type, and the images that answer them."""

    text: str
    relevant: NDArray[np.bool_]
    """(n,) of which at least one is true."""


def sample(candidates: Sequence[Item], seed: int = SEED) -> list[Item]:
    """At most `LARGEST_SET` of the candidates, in their order, always the same ones."""
    if len(candidates) <= LARGEST_SET:
        return list(candidates)
    places = np.random.default_rng(seed).choice(len(candidates), LARGEST_SET, replace=False)
    return [candidates[place] for place in np.sort(places).tolist()]


def name_queries(truth: Truth) -> list[JudgedQuery]:
    """Each class name as it is."""
    return _answered(JudgedQuery(name, truth.holds(id_)) for id_, name in truth.class_names.items())


def synonym_queries(truth: Truth) -> list[JudgedQuery]:
    """32 other words for classes."""
    return _queries_for_classes(
        truth, [(word, (name,)) for word, name in CLASS_NAME_BY_SYNONYM.items()]
    )


def more_synonym_queries(truth: Truth) -> list[JudgedQuery]:
    """Words for classes that people use in captions of COCO photos."""
    return _queries_for_classes(
        truth, [(word, (name,)) for name, words in CAPTION_WORDS.items() for word in words]
    )


def hypernym_queries(truth: Truth) -> list[JudgedQuery]:
    """Words for several classes: an image is relevant if it holds an object of any of them."""
    return _queries_for_classes(truth, list(CLASS_NAMES_BY_HYPERNYM.items()))


def exact_count_queries(truth: Truth) -> list[JudgedQuery]:
    """ "2 dogs": images that hold two dogs, neither fewer nor more."""
    return _count_queries(truth, 1, "{} {}", lambda counts, number: counts == number)


def at_least_count_queries(truth: Truth) -> list[JudgedQuery]:
    """ "2+ dogs": images that hold two dogs or more."""
    return _count_queries(truth, 2, "{}+ {}", lambda counts, number: counts >= number)


def big_queries(truth: Truth) -> list[JudgedQuery]:
    """ "big dog": images that hold a dog whose box covers at least `BIG_AREA` of the frame."""
    return _size_queries(truth, "big", lambda areas: areas >= BIG_AREA)


def small_queries(truth: Truth) -> list[JudgedQuery]:
    """ "small dog": images that hold a dog whose box covers at most `SMALL_AREA`."""
    return _size_queries(truth, "small", lambda areas: areas <= SMALL_AREA)


def plural(name: str) -> str:
    """The plural of a class name."""
    if name in IRREGULAR_PLURALS:
        return IRREGULAR_PLURALS[name]
    return name + ("es" if name.endswith(("s", "sh", "ch", "x")) else "s")


def _count_queries(
    truth: Truth,
    fewest: int,
    form: str,
    matches: Callable[[NDArray[np.int64], int], NDArray[np.bool_]],
) -> list[JudgedQuery]:
    queries = []
    for class_id, name in truth.class_names.items():
        counts = np.array([np.sum(image.class_ids == class_id) for image in truth.images], np.int64)
        for number in range(fewest, MAX_COUNT + 1):
            text = form.format(number, name if number == 1 else plural(name))
            queries.append(JudgedQuery(text, matches(counts, number)))
    return sample(_answered(queries, MIN_RELEVANT))


def _size_queries(
    truth: Truth, size: str, matches: Callable[[NDArray[np.float64]], NDArray[np.bool_]]
) -> list[JudgedQuery]:
    def relevant(class_id: int) -> NDArray[np.bool_]:
        of_images = [
            matches(_areas(image)[image.class_ids == class_id]).any() for image in truth.images
        ]
        return np.array(of_images, np.bool_)

    queries = [
        JudgedQuery(f"{size} {name}", relevant(id_)) for id_, name in truth.class_names.items()
    ]
    return sample(_answered(queries, MIN_RELEVANT))


def _areas(image: TrueImage) -> NDArray[np.float64]:
    """(m,) parts of the frame that the boxes cover, 0..1."""
    boxes = image.unit_boxes
    areas: NDArray[np.float64] = (boxes[:, 2:] - boxes[:, :2]).prod(axis=1)
    return areas


def _queries_for_classes(
    truth: Truth, meanings: Sequence[tuple[str, tuple[str, ...]]]
) -> list[JudgedQuery]:
    """Queries of words that stand for one or more class names."""
    id_by_name = {name: id_ for id_, name in truth.class_names.items()}
    queries = []
    for word, names in meanings:
        ids = [id_by_name[name] for name in names if name in id_by_name]
        held = [np.isin(image.class_ids, ids).any() for image in truth.images]
        queries.append(JudgedQuery(word, np.array(held, np.bool_)))
    return _answered(queries)


def _answered(queries: Iterable[JudgedQuery], min_relevant: int = 1) -> list[JudgedQuery]:
    return [query for query in queries if query.relevant.sum() >= min_relevant]
