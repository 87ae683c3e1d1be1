"""What groups show, as the reader calls it, in the plural where it has one.

Objects have their names in `gallery.object_names`. Here are those of the tags that come with the
gallery, and of what photos as a whole often look like that is neither. All else is called as it is
kept: tags as people wrote them.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from django.utils.functional import Promise
from django.utils.translation import npgettext_lazy

from detector.look_labels import LOOK_NAMES
from gallery.look_names import shown_look, typed_look
from gallery.object_names import NAMES as OBJECTS
from gallery.object_names import shown_name

KINDS: Mapping[str, Promise] = MappingProxyType(
    {
        "dress": npgettext_lazy("kind", "dress", "dresses", "count"),
        "hat": npgettext_lazy("kind", "hat", "hats", "count"),
        "longsleeve": npgettext_lazy("kind", "long-sleeved top", "long-sleeved tops", "count"),
        "outwear": npgettext_lazy("kind", "outerwear", "outerwear", "count"),
        "pants": npgettext_lazy("kind", "pants", "pants", "count"),
        "shirt": npgettext_lazy("kind", "shirt", "shirts", "count"),
        "shoes": npgettext_lazy("kind", "shoe", "shoes", "count"),
        "shorts": npgettext_lazy("kind", "shorts", "shorts", "count"),
        "skirt": npgettext_lazy("kind", "skirt", "skirts", "count"),
        **dict.fromkeys(
            ("t-shirt", "T-shirt"), npgettext_lazy("kind", "T-shirt", "T-shirts", "count")
        ),
        "gown": npgettext_lazy("kind", "gown", "gowns", "count"),
        "jeans": npgettext_lazy("kind", "jeans", "jeans", "count"),
        "clog": npgettext_lazy("kind", "clog", "clogs", "count"),
        "sandal": npgettext_lazy("kind", "sandal", "sandals", "count"),
        "running shoe": npgettext_lazy("kind", "running shoe", "running shoes", "count"),
        "sunglasses": npgettext_lazy("kind", "sunglasses", "sunglasses", "count"),
        "sweatshirt": npgettext_lazy("kind", "sweatshirt", "sweatshirts", "count"),
        "swimming trunks": npgettext_lazy("kind", "swimming trunks", "swimming trunks", "count"),
        "suit": npgettext_lazy("kind", "suit", "suits", "count"),
        "trench coat": npgettext_lazy("kind", "trench coat", "trench coats", "count"),
        "alp": npgettext_lazy("kind", "mountain", "mountains", "count"),
        "cliff": npgettext_lazy("kind", "cliff", "cliffs", "count"),
        "coral reef": npgettext_lazy("kind", "coral reef", "coral reefs", "count"),
        "lakeside": npgettext_lazy("kind", "lakeside", "lakesides", "count"),
        "seashore": npgettext_lazy("kind", "seashore", "seashores", "count"),
        "valley": npgettext_lazy("kind", "valley", "valleys", "count"),
        "volcano": npgettext_lazy("kind", "volcano", "volcanoes", "count"),
        "ballplayer": npgettext_lazy("kind", "baseball player", "baseball players", "count"),
        "daisy": npgettext_lazy("kind", "daisy", "daisies", "count"),
        "mushroom": npgettext_lazy("kind", "mushroom", "mushrooms", "count"),
        "church": npgettext_lazy("kind", "church", "churches", "count"),
        "castle": npgettext_lazy("kind", "castle", "castles", "count"),
        "palace": npgettext_lazy("kind", "palace", "palaces", "count"),
        "mosque": npgettext_lazy("kind", "mosque", "mosques", "count"),
        "fountain": npgettext_lazy("kind", "fountain", "fountains", "count"),
        "pier": npgettext_lazy("kind", "pier", "piers", "count"),
        "dock": npgettext_lazy("kind", "dock", "docks", "count"),
        "street sign": npgettext_lazy("kind", "street sign", "street signs", "count"),
        "bakery": npgettext_lazy("kind", "bakery", "bakeries", "count"),
        "library": npgettext_lazy("kind", "library", "libraries", "count"),
        "restaurant": npgettext_lazy("kind", "restaurant", "restaurants", "count"),
        "stage": npgettext_lazy("kind", "stage", "stages", "count"),
        "washbasin": npgettext_lazy("kind", "washbasin", "washbasins", "count"),
        "toilet seat": npgettext_lazy("kind", "toilet seat", "toilet seats", "count"),
        "bathtub": npgettext_lazy("kind", "bathtub", "bathtubs", "count"),
        "desk": npgettext_lazy("kind", "desk", "desks", "count"),
        "web site": npgettext_lazy("kind", "screenshot", "screenshots", "count"),
        "comic book": npgettext_lazy("kind", "comic book", "comic books", "count"),
        "menu": npgettext_lazy("kind", "menu", "menus", "count"),
        "plate": npgettext_lazy("kind", "plate", "plates", "count"),
        "espresso": npgettext_lazy("kind", "espresso", "espressos", "count"),
        "ice cream": npgettext_lazy("kind", "ice cream", "ice creams", "count"),
        "cheeseburger": npgettext_lazy("kind", "cheeseburger", "cheeseburgers", "count"),
        "tennis ball": npgettext_lazy("kind", "tennis ball", "tennis balls", "count"),
        "racket": npgettext_lazy("kind", "racket", "rackets", "count"),
        "airliner": npgettext_lazy("kind", "airliner", "airliners", "count"),
        "sports car": npgettext_lazy("kind", "sports car", "sports cars", "count"),
        "mountain bike": npgettext_lazy("kind", "mountain bike", "mountain bikes", "count"),
        "steam locomotive": npgettext_lazy(
            "kind", "steam locomotive", "steam locomotives", "count"
        ),
        "Labrador retriever": npgettext_lazy(
            "kind", "Labrador retriever", "Labrador retrievers", "count"
        ),
        "golden retriever": npgettext_lazy(
            "kind", "golden retriever", "golden retrievers", "count"
        ),
        "tabby": npgettext_lazy("kind", "tabby", "tabbies", "count"),
    }
)
"""By tag or class of looks."""


def is_tag(name: str) -> bool:
    """Whether it is what people call photos, or a tagger of this gallery, and no word else."""
    return name not in OBJECTS and name not in KINDS and name not in LOOK_NAMES


def is_countable(name: str) -> bool:
    """Whether it is known how to say several of it."""
    return name in OBJECTS or name in KINDS


def plural_name(name: str) -> str:
    """Several of what a group shows, as the reader calls it."""
    if name in KINDS:
        return str(KINDS[name] % {"count": 2})
    # Much that is found as an object is a class of looks as well.
    is_look = name in LOOK_NAMES and name not in OBJECTS
    return shown_look(name) if is_look else shown_name(name, 2)


def typed_kind(name: str) -> str | None:
    """What no tag is as a search has it; None where it cannot be typed."""
    return typed_look(name) if name in LOOK_NAMES and name not in OBJECTS else name
