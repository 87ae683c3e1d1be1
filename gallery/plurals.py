"""Nouns in singular and plural: names of object classes, and words that people type."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

IRREGULAR: Mapping[str, str] = MappingProxyType(
    {
        "person": "people",
        "mouse": "mice",
        "knife": "knives",
        "sheep": "sheep",
        "broccoli": "broccoli",
        "skis": "skis",
        "scissors": "scissors",
    }
)
HISSING = ("s", "x", "z", "ch", "sh")

# Endings of English plurals and what they replace, longest first.
PLURAL_ENDINGS = (("ves", "fe"), ("ves", "f"), ("ies", "y"), ("es", ""), ("s", ""))
IRREGULAR_SINGULARS = {
    "people": "person",
    "men": "man",
    "women": "woman",
    "children": "child",
    "feet": "foot",
    "teeth": "tooth",
    "geese": "goose",
    "mice": "mouse",
    "oxen": "ox",
}


def plural(name: str) -> str:
    """ "dogs" for "dog", "wine glasses" for "wine glass"."""
    if name in IRREGULAR:
        return IRREGULAR[name]
    return name + ("es" if name.endswith(HISSING) else "s")


def singulars(word: str) -> list[str]:
    """The word itself, then what it may be the plural of: "knives" gives "knife", among others."""
    candidates = [word]
    if word in IRREGULAR_SINGULARS:
        candidates.append(IRREGULAR_SINGULARS[word])
    for ending, singular_ending in PLURAL_ENDINGS:
        if word.endswith(ending) and len(word) > len(ending) + 1:
            candidates.append(word.removesuffix(ending) + singular_ending)
    return candidates
