"""The control of a results page that says in what photos are to be alike."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import QueryDict

from gallery.look_search import Likeness

LONGEST_WORDS = 500


@dataclass(frozen=True)
class LikenessControl:
    """Between the same layout and a similar look, and the words that photos have to answer."""

    likeness: Likeness
    only: str
    layout_address: str
    look_address: str
    kept: tuple[tuple[str, str], ...]
    """Names and values of what else the page is asked for."""

    @property
    def weight(self) -> str:
        """As a page's address has it, in any language."""
        return f"{self.likeness.weight:g}"

    @property
    def percent(self) -> int:
        return round(100 * self.likeness.weight)


def likeness_control(path: str, query: QueryDict, likeness: Likeness) -> LikenessControl:
    """The control of a page of an address."""

    def address(by: str) -> str:
        changed = query.copy()
        for name in ("offset", "weight"):
            changed.pop(name, None)
        changed["by"] = by
        return f"{path}?{changed.urlencode(safe=',:[]')}"

    kept = tuple((name, str(query[name])) for name in ("part", "mirror", "weak") if query.get(name))
    only = query.get("q", "")[:LONGEST_WORDS]
    return LikenessControl(likeness, only, address("layout"), address("look"), kept)
