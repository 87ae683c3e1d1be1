"""What is found together, as the lower half of a matrix whose steps carry the names."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

# In units of the drawing, which a phone shows as pixels.
CELL = 24
GAP = 2
NAME_ROOM = 94
SHADES = 5
LARGEST_SCALE = 1.3


@dataclass(frozen=True)
class Cell:
    """Two names, and how often they come together."""

    row_name: str
    column_name: str
    count: int
    x: int
    y: int
    shade: int
    """0 for never, then 1..SHADES by the share of the most frequent pair."""
    side: int = CELL - GAP


@dataclass(frozen=True)
class Label:
    """A name at the end of its row, on the head of its column."""

    name: str
    x: int
    y: int


@dataclass(frozen=True)
class Matrix:
    """Each pair of names once: below the diagonal, where both a row and a column lead to it."""

    cells: tuple[Cell, ...]
    labels: tuple[Label, ...]
    width: int
    height: int

    @property
    def largest_width(self) -> int:
        """Pixels that it should have at the most, so that its names are no headings."""
        return round(self.width * LARGEST_SCALE)

    @property
    def pairs(self) -> list[Cell]:
        """Cells of what does come together, most often first."""
        met = [cell for cell in self.cells if cell.count]
        return sorted(met, key=lambda cell: -cell.count)


def draw_matrix(names: Sequence[str], counts: Sequence[Sequence[int]]) -> Matrix:
    """The matrix of n names.

    Args:
        counts: n rows of n counts, of which those below the diagonal are read.
    """
    most = max((counts[i][j] for i in range(len(names)) for j in range(i)), default=0)
    cells = tuple(
        Cell(names[i], names[j], counts[i][j], j * CELL, i * CELL, shade(counts[i][j], most))
        for i in range(len(names))
        for j in range(i)
    )
    labels = tuple(
        Label(name, place * CELL + 4, place * CELL + CELL // 2) for place, name in enumerate(names)
    )
    steps = max(len(names) - 1, 0)
    return Matrix(cells, labels, steps * CELL + NAME_ROOM, len(names) * CELL)


def shade(count: int, most: int) -> int:
    """1..SHADES by the root of the share, so that rare pairs differ too; 0 for none."""
    if count <= 0 or most <= 0:
        return 0
    return max(1, min(SHADES, round(SHADES * math.sqrt(count / most))))
