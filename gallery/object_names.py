"""Object classes by the names that the reader has for them, and back.

Queries are written with the English names in every language, so that they mean the same to
everybody; whoever reads or types another language has these.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

from django.conf import settings
from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import npgettext_lazy

NAMES: Mapping[str, Promise] = MappingProxyType(
    {
        "person": npgettext_lazy("object", "person", "people", "count"),
        "bicycle": npgettext_lazy("object", "bicycle", "bicycles", "count"),
        "car": npgettext_lazy("object", "car", "cars", "count"),
        "motorcycle": npgettext_lazy("object", "motorcycle", "motorcycles", "count"),
        "airplane": npgettext_lazy("object", "airplane", "airplanes", "count"),
        "bus": npgettext_lazy("object", "bus", "buses", "count"),
        "train": npgettext_lazy("object", "train", "trains", "count"),
        "truck": npgettext_lazy("object", "truck", "trucks", "count"),
        "boat": npgettext_lazy("object", "boat", "boats", "count"),
        "traffic light": npgettext_lazy("object", "traffic light", "traffic lights", "count"),
        "fire hydrant": npgettext_lazy("object", "fire hydrant", "fire hydrants", "count"),
        "stop sign": npgettext_lazy("object", "stop sign", "stop signs", "count"),
        "parking meter": npgettext_lazy("object", "parking meter", "parking meters", "count"),
        "bench": npgettext_lazy("object", "bench", "benches", "count"),
        "bird": npgettext_lazy("object", "bird", "birds", "count"),
        "cat": npgettext_lazy("object", "cat", "cats", "count"),
        "dog": npgettext_lazy("object", "dog", "dogs", "count"),
        "horse": npgettext_lazy("object", "horse", "horses", "count"),
        "sheep": npgettext_lazy("object", "sheep", "sheep", "count"),
        "cow": npgettext_lazy("object", "cow", "cows", "count"),
        "elephant": npgettext_lazy("object", "elephant", "elephants", "count"),
        "bear": npgettext_lazy("object", "bear", "bears", "count"),
        "zebra": npgettext_lazy("object", "zebra", "zebras", "count"),
        "giraffe": npgettext_lazy("object", "giraffe", "giraffes", "count"),
        "backpack": npgettext_lazy("object", "backpack", "backpacks", "count"),
        "umbrella": npgettext_lazy("object", "umbrella", "umbrellas", "count"),
        "handbag": npgettext_lazy("object", "handbag", "handbags", "count"),
        "tie": npgettext_lazy("object", "tie", "ties", "count"),
        "suitcase": npgettext_lazy("object", "suitcase", "suitcases", "count"),
        "frisbee": npgettext_lazy("object", "frisbee", "frisbees", "count"),
        "skis": npgettext_lazy("object", "skis", "skis", "count"),
        "snowboard": npgettext_lazy("object", "snowboard", "snowboards", "count"),
        "sports ball": npgettext_lazy("object", "sports ball", "sports balls", "count"),
        "kite": npgettext_lazy("object", "kite", "kites", "count"),
        "baseball bat": npgettext_lazy("object", "baseball bat", "baseball bats", "count"),
        "baseball glove": npgettext_lazy("object", "baseball glove", "baseball gloves", "count"),
        "skateboard": npgettext_lazy("object", "skateboard", "skateboards", "count"),
        "surfboard": npgettext_lazy("object", "surfboard", "surfboards", "count"),
        "tennis racket": npgettext_lazy("object", "tennis racket", "tennis rackets", "count"),
        "bottle": npgettext_lazy("object", "bottle", "bottles", "count"),
        "wine glass": npgettext_lazy("object", "wine glass", "wine glasses", "count"),
        "cup": npgettext_lazy("object", "cup", "cups", "count"),
        "fork": npgettext_lazy("object", "fork", "forks", "count"),
        "knife": npgettext_lazy("object", "knife", "knives", "count"),
        "spoon": npgettext_lazy("object", "spoon", "spoons", "count"),
        "bowl": npgettext_lazy("object", "bowl", "bowls", "count"),
        "banana": npgettext_lazy("object", "banana", "bananas", "count"),
        "apple": npgettext_lazy("object", "apple", "apples", "count"),
        "sandwich": npgettext_lazy("object", "sandwich", "sandwiches", "count"),
        "orange": npgettext_lazy("object", "orange", "oranges", "count"),
        "broccoli": npgettext_lazy("object", "broccoli", "broccoli", "count"),
        "carrot": npgettext_lazy("object", "carrot", "carrots", "count"),
        "hot dog": npgettext_lazy("object", "hot dog", "hot dogs", "count"),
        "pizza": npgettext_lazy("object", "pizza", "pizzas", "count"),
        "donut": npgettext_lazy("object", "donut", "donuts", "count"),
        "cake": npgettext_lazy("object", "cake", "cakes", "count"),
        "chair": npgettext_lazy("object", "chair", "chairs", "count"),
        "couch": npgettext_lazy("object", "couch", "couches", "count"),
        "potted plant": npgettext_lazy("object", "potted plant", "potted plants", "count"),
        "bed": npgettext_lazy("object", "bed", "beds", "count"),
        "dining table": npgettext_lazy("object", "dining table", "dining tables", "count"),
        "toilet": npgettext_lazy("object", "toilet", "toilets", "count"),
        "tv": npgettext_lazy("object", "tv", "tvs", "count"),
        "laptop": npgettext_lazy("object", "laptop", "laptops", "count"),
        "mouse": npgettext_lazy("object", "mouse", "mice", "count"),
        "remote": npgettext_lazy("object", "remote", "remotes", "count"),
        "keyboard": npgettext_lazy("object", "keyboard", "keyboards", "count"),
        "cell phone": npgettext_lazy("object", "cell phone", "cell phones", "count"),
        "microwave": npgettext_lazy("object", "microwave", "microwaves", "count"),
        "oven": npgettext_lazy("object", "oven", "ovens", "count"),
        "toaster": npgettext_lazy("object", "toaster", "toasters", "count"),
        "sink": npgettext_lazy("object", "sink", "sinks", "count"),
        "refrigerator": npgettext_lazy("object", "refrigerator", "refrigerators", "count"),
        "book": npgettext_lazy("object", "book", "books", "count"),
        "clock": npgettext_lazy("object", "clock", "clocks", "count"),
        "vase": npgettext_lazy("object", "vase", "vases", "count"),
        "scissors": npgettext_lazy("object", "scissors", "scissors", "count"),
        "teddy bear": npgettext_lazy("object", "teddy bear", "teddy bears", "count"),
        "hair drier": npgettext_lazy("object", "hair drier", "hair driers", "count"),
        "toothbrush": npgettext_lazy("object", "toothbrush", "toothbrushes", "count"),
    }
)
"""By class name."""


def shown_name(name: str, count: int = 1) -> str:
    """A class as the reader calls it, in singular or plural; what is no class stays as it is."""
    return str(NAMES[name] % {"count": count}) if name in NAMES else name


def shown_count(number: int, name: str) -> str:
    """Some objects of a class as the reader calls it: "dog" for one, "2 dogs"; "2 chiens"."""
    return shown_name(name) if number == 1 else f"{number} {shown_name(name, number)}"


def class_called(phrase: str) -> str | None:
    """The class that the reader calls so, in singular or plural, whatever letters and accents.

    None for all that is not among the names of the active language, and in English, which the
    vocabulary understands.
    """
    language = translation.get_language() or settings.LANGUAGE_CODE
    if language == settings.LANGUAGE_CODE:
        return None
    return _classes_by_shown_name(language).get(plainly(phrase))


def plainly(text: str) -> str:
    """Text as it is compared: in lower case, without accents, ligatures and typographic signs."""
    letters = unicodedata.normalize("NFKD", text.casefold().replace("œ", "oe").replace("’", "'"))
    return "".join(letter for letter in letters if not unicodedata.combining(letter)).strip()


@cache
def _classes_by_shown_name(language: str) -> dict[str, str]:
    with translation.override(language):
        # What is a class in the singular comes before what is one in the plural.
        return {plainly(shown_name(name, count)): name for count in (2, 1) for name in NAMES}
