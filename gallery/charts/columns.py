"""Counts side by side, as columns of a chart that stretches to the width it is given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

# In units of the drawing; stretched, so only their proportion to each other counts.
STEP = 10
GAP = 2
HEIGHT = 100
# A column that stands for something is seen, however high the others are.
LEAST = 3


@dataclass(frozen=True)
class Column:
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Columns:
    columns: tuple[Column, ...]
    width: int
    height: int = HEIGHT


def draw_columns(counts: Sequence[int]) -> Columns:
    """A column for each count, the highest as high as the drawing."""
    most = max(counts, default=0)
    columns = []
    for place, count in enumerate(counts):
        height = max(LEAST, HEIGHT * count / most) if count else 0
        columns.append(
            Column(
                x=place * STEP + GAP / 2,
                y=round(HEIGHT - height, 2),
                width=STEP - GAP,
                height=round(height, 2),
            )
        )
    return Columns(tuple(columns), len(counts) * STEP)
