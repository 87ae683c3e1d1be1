"""The words that the query language keeps for itself. All others name things."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from types import MappingProxyType

AND_WORD = "and"
OR_WORD = "or"
ONLY_WORD = "only"
ARTICLES = frozenset(["a", "an", "any", "some", "the"])
# They join things and ask for nothing themselves.
JOINING_WORDS = ARTICLES | {
    *(AND_WORD, "are", "at", "but", "is", "of", "that", "to", "which", "who", "with"),
    # Whose a thing is cannot be seen, and that it is to be found in a photo goes without saying.
    *("my", "your", "his", "her", "its", "our", "their", "me", "this", "these", "those", "there"),
    *("find", "show", "have", "has", "having", "image", "images", "photo", "photos"),
    *("picture", "pictures", "pic", "pics"),
}
# Between a thing and the relation that it has: "cat that is on the couch".
LINKING_WORDS = frozenset(
    [
        *("are", "is", "that", "which", "who"),
        *("held", "hanging", "jumping", "lying", "parked", "placed", "resting", "running"),
        *("seated", "sitting", "sleeping", "standing", "walking"),
    ]
)
NEGATIONS = frozenset(["except", "neither", "no", "nor", "not", "without"])
PERCENT_WORD = "percent"

BIG = "big"
SMALL = "small"
SIZES: Mapping[str, str] = MappingProxyType(
    dict.fromkeys(("big", "huge", "large"), BIG) | dict.fromkeys(("little", "small", "tiny"), SMALL)
)
SHAPES: Mapping[str, str] = MappingProxyType(
    {
        "wide": "wide",
        "landscape": "wide",
        "tall": "tall",
        "portrait": "tall",
        "square": "square",
    }
)

_NUMBER_WORDS = (
    *("zero", "one", "two", "three", "four", "five", "six"),
    *("seven", "eight", "nine", "ten", "eleven", "twelve"),
)
NUMBERS: Mapping[str, int] = MappingProxyType(
    {word: number for number, word in enumerate(_NUMBER_WORDS)}
)
# Words for an amount, and how many they are at least.
AMOUNTS: Mapping[str, int] = MappingProxyType({"many": 3, "multiple": 2, "several": 3})

LEFT_OF = "left of"
RIGHT_OF = "right of"


class NoRelation(Enum):
    """Phrases that look like a relation, and cannot be one."""

    DEPTH = "depth"
    """What lies before and behind cannot be told from boxes in a photo."""
    WITHOUT_OF = "without of"
    """ "on the left" does not say of what."""
    BETWEEN = "between"
    """A relation is one of two things, not three."""


def _sides() -> dict[tuple[str, ...], str | NoRelation]:
    """The ways to say "left of" and "right of"."""
    phrases: dict[tuple[str, ...], str | NoRelation] = {}
    for side, name in (("left", LEFT_OF), ("right", RIGHT_OF)):
        phrases[side, "of"] = name
        for word in ("at", "on", "to"):
            phrases[word, "the", side] = NoRelation.WITHOUT_OF
            phrases[word, "the", side, "side"] = NoRelation.WITHOUT_OF
            phrases[word, "the", side, "of"] = name
            phrases[word, "the", side, "side", "of"] = name
            phrases[word, side, "of"] = name
    return phrases


_RELATIONS: Mapping[str | NoRelation, tuple[str, ...]] = {
    "above": ("above", "over"),
    "below": ("below", "under", "beneath", "underneath"),
    "inside": ("in", "inside", "inside of", "within"),
    "on": ("on", "on top of", "atop"),
    "near": (
        *("near", "near to", "next to", "beside", "by", "close to", "alongside"),
        "adjacent to",
    ),
    "touching": ("touching",),
    NoRelation.DEPTH: ("behind", "in front of", "in back of"),
    NoRelation.BETWEEN: ("between", "in between"),
}
RELATION_PHRASES: Mapping[tuple[str, ...], str | NoRelation] = MappingProxyType(
    _sides()
    | {tuple(phrase.split()): name for name, phrases in _RELATIONS.items() for phrase in phrases}
)
MAX_RELATION_WORDS = max(map(len, RELATION_PHRASES))

# Words before a number, and how far from it the fewest and the most are; None where unbounded.
BOUNDS: Mapping[tuple[str, ...], tuple[int | None, int | None]] = MappingProxyType(
    {
        ("at", "least"): (0, None),
        ("at", "most"): (None, 0),
        ("up", "to"): (None, 0),
        ("more", "than"): (1, None),
        ("fewer", "than"): (None, -1),
        ("less", "than"): (None, -1),
        ("exactly",): (0, 0),
        ("no", "fewer", "than"): (0, None),
        ("no", "less", "than"): (0, None),
        ("no", "more", "than"): (None, 0),
        ("not", "more", "than"): (None, 0),
    }
)
MAX_BOUND_WORDS = max(map(len, BOUNDS))
# "3 or more dogs"
OPEN_ENDS: Mapping[str, tuple[int | None, int | None]] = MappingProxyType(
    {"more": (0, None), "fewer": (None, 0), "less": (None, 0)}
)
# Before a percentage: "cat over 60%".
SURER_THAN = frozenset([("above",), ("at", "least"), ("more", "than"), ("over",)])

# The usual ending of each image format, by what people type for it.
ENDINGS: Mapping[str, str] = MappingProxyType(
    {
        "avif": "avif",
        "bmp": "bmp",
        "gif": "gif",
        "heic": "heic",
        "heif": "heic",
        "jpeg": "jpg",
        "jpg": "jpg",
        "png": "png",
        "tif": "tiff",
        "tiff": "tiff",
        "webp": "webp",
    }
)

# Words that name a thing only within quotes or within a name of several words.
RESERVED_WORDS = (
    JOINING_WORDS
    | NEGATIONS
    | {OR_WORD, ONLY_WORD, "exactly"}
    | SIZES.keys()
    | SHAPES.keys()
    | NUMBERS.keys()
    | AMOUNTS.keys()
    | {phrase[0] for phrase in RELATION_PHRASES if len(phrase) == 1}
)
