"""The 1,000 classes of ImageNet that an appearance model tells apart, in the order of its scores.

`look_labels.tsv` has a line for each: the WordNet 3.1 synset that the class is, and a name, which
is the first word of that synset, or where two classes share that, one that tells them apart.
ImageNet knows its classes by WordNet 3.0 synsets; each was found in WordNet 3.1 by its words and
definition. Four are what their pictures show instead: cups, televisions, sunglasses and swimsuits.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

_LINES: Final = [
    line.split("\t")
    for line in (Path(__file__).with_suffix(".tsv")).read_text(encoding="utf-8").splitlines()
]

#: `LOOK_NAMES[i]` is the name of class i.
LOOK_NAMES: Final[tuple[str, ...]] = tuple(name for _, name in _LINES)
#: `LOOK_SYNSETS[i]` is the number of class i's synset among WordNet 3.1's nouns.
LOOK_SYNSETS: Final[tuple[int, ...]] = tuple(int(synset) for synset, _ in _LINES)
