"""How well words find photos that somebody sorted into folders: what objects alone do not tell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypedDict

import numpy as np

from gallery.evaluation.queries import SEED, JudgedQuery
from gallery.evaluation.search_quality import TextScores, average_precisions


class LabelledFigures(TypedDict):
    """Average precision of each label as a query, and its mean over the labels, by score name."""

    images: int
    mean: dict[str, float]
    labels: dict[str, dict[str, float]]


def labelled_photos(folder: Path) -> dict[Path, str]:
    """Files in the sub-folders of a folder, by path, with the sub-folder's name as the label.

    Their order is chance, and the same each time: words that find nothing leave photos in it.
    """
    labels = sorted(path for path in folder.iterdir() if path.is_dir() and path.name[0] != ".")
    found = [
        (path, label.name)
        for label in labels
        for path in sorted(label.rglob("*"))
        if path.is_file() and not path.name.startswith(".")
    ]
    order = np.random.default_rng(SEED).permutation(len(found)).tolist()
    return dict(found[place] for place in order)


def labelled_figures(
    labels: Sequence[str], text_scores: Mapping[str, TextScores]
) -> LabelledFigures:
    """Search n photos for the name of each label.

    Args:
        labels: (n,) in the order of the scores, of which there is one at least.
        text_scores: score functions by name.
    """
    names = sorted(set(labels))
    queries = [JudgedQuery(name, np.array([label == name for label in labels])) for name in names]
    found = {
        score_name: average_precisions(queries, np.stack([score(name) for name in names]))
        for score_name, score in text_scores.items()
    }
    return LabelledFigures(
        images=len(labels),
        mean={name: round(float(values.mean()), 4) for name, values in found.items()},
        labels={
            label: {name: round(float(values[place]), 4) for name, values in found.items()}
            for place, label in enumerate(names)
        },
    )
