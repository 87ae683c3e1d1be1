"""The 1,000 classes of ImageNet that an appearance model tells apart, in the order of its scores.

`look_labels.tsv` has a line for each: the WordNet 3.1 synset that the class is, and a name, which
is the first word of that synset, or where two classes share that, one that tells them apart.
ImageNet knows its classes by WordNet 3.0 synsets; each was found in WordNet 3.1 by its words and
definition. Four are what their pictures show instead: cups, televisions, sunglasses and swimsuits;
and a jersey is called by another word of its synset, T-shirt, which its pictures show.
`look_labels.fr.tsv` has the everyday French word for each name.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

_FILE: Final = Path(__file__).with_suffix(".tsv")


def _lines(path: Path) -> list[list[str]]:
    return [line.split("\t") for line in path.read_text(encoding="utf-8").splitlines()]


def names_in(language: str) -> Mapping[str, str]:
    """The names that a language has for each of `LOOK_NAMES`; none where nobody wrote them."""
    path = _FILE.with_suffix(f".{language}.tsv")
    return dict(_lines(path)) if path.is_file() else {}


_LINES: Final = _lines(_FILE)
#: `LOOK_NAMES[i]` is the name of class i.
LOOK_NAMES: Final[tuple[str, ...]] = tuple(name for _, name in _LINES)
#: `LOOK_SYNSETS[i]` is the number of class i's synset among WordNet 3.1's nouns.
LOOK_SYNSETS: Final[tuple[int, ...]] = tuple(int(synset) for synset, _ in _LINES)
