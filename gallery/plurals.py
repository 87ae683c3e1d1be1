"""Names of object classes in the plural, for sentences that count."""

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


def plural(name: str) -> str:
    """ "dogs" for "dog", "wine glasses" for "wine glass"."""
    if name in IRREGULAR:
        return IRREGULAR[name]
    return name + ("es" if name.endswith(HISSING) else "s")


def counted(number: int, name: str) -> str:
    """ "dog" for one dog, "2 dogs" for two."""
    return name if number == 1 else f"{number} {plural(name)}"
