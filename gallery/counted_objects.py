"""Object classes as a sentence counts them: "a dog", "two dogs", in the reader's language."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from django.utils.functional import Promise
from django.utils.translation import gettext, gettext_noop, ngettext_lazy

# Larger numbers are written in digits.
NUMBERS = (
    gettext_noop("two"),
    gettext_noop("three"),
    gettext_noop("four"),
    gettext_noop("five"),
    gettext_noop("six"),
    gettext_noop("seven"),
    gettext_noop("eight"),
    gettext_noop("nine"),
    gettext_noop("ten"),
)

COUNTED: Mapping[str, Promise] = MappingProxyType(
    {
        "person": ngettext_lazy("a person", "%(number)s people", "count"),
        "bicycle": ngettext_lazy("a bicycle", "%(number)s bicycles", "count"),
        "car": ngettext_lazy("a car", "%(number)s cars", "count"),
        "motorcycle": ngettext_lazy("a motorcycle", "%(number)s motorcycles", "count"),
        "airplane": ngettext_lazy("an airplane", "%(number)s airplanes", "count"),
        "bus": ngettext_lazy("a bus", "%(number)s buses", "count"),
        "train": ngettext_lazy("a train", "%(number)s trains", "count"),
        "truck": ngettext_lazy("a truck", "%(number)s trucks", "count"),
        "boat": ngettext_lazy("a boat", "%(number)s boats", "count"),
        "traffic light": ngettext_lazy("a traffic light", "%(number)s traffic lights", "count"),
        "fire hydrant": ngettext_lazy("a fire hydrant", "%(number)s fire hydrants", "count"),
        "stop sign": ngettext_lazy("a stop sign", "%(number)s stop signs", "count"),
        "parking meter": ngettext_lazy("a parking meter", "%(number)s parking meters", "count"),
        "bench": ngettext_lazy("a bench", "%(number)s benches", "count"),
        "bird": ngettext_lazy("a bird", "%(number)s birds", "count"),
        "cat": ngettext_lazy("a cat", "%(number)s cats", "count"),
        "dog": ngettext_lazy("a dog", "%(number)s dogs", "count"),
        "horse": ngettext_lazy("a horse", "%(number)s horses", "count"),
        "sheep": ngettext_lazy("a sheep", "%(number)s sheep", "count"),
        "cow": ngettext_lazy("a cow", "%(number)s cows", "count"),
        "elephant": ngettext_lazy("an elephant", "%(number)s elephants", "count"),
        "bear": ngettext_lazy("a bear", "%(number)s bears", "count"),
        "zebra": ngettext_lazy("a zebra", "%(number)s zebras", "count"),
        "giraffe": ngettext_lazy("a giraffe", "%(number)s giraffes", "count"),
        "backpack": ngettext_lazy("a backpack", "%(number)s backpacks", "count"),
        "umbrella": ngettext_lazy("an umbrella", "%(number)s umbrellas", "count"),
        "handbag": ngettext_lazy("a handbag", "%(number)s handbags", "count"),
        "tie": ngettext_lazy("a tie", "%(number)s ties", "count"),
        "suitcase": ngettext_lazy("a suitcase", "%(number)s suitcases", "count"),
        "frisbee": ngettext_lazy("a frisbee", "%(number)s frisbees", "count"),
        "skis": ngettext_lazy("skis", "%(number)s pairs of skis", "count"),
        "snowboard": ngettext_lazy("a snowboard", "%(number)s snowboards", "count"),
        "sports ball": ngettext_lazy("a sports ball", "%(number)s sports balls", "count"),
        "kite": ngettext_lazy("a kite", "%(number)s kites", "count"),
        "baseball bat": ngettext_lazy("a baseball bat", "%(number)s baseball bats", "count"),
        "baseball glove": ngettext_lazy("a baseball glove", "%(number)s baseball gloves", "count"),
        "skateboard": ngettext_lazy("a skateboard", "%(number)s skateboards", "count"),
        "surfboard": ngettext_lazy("a surfboard", "%(number)s surfboards", "count"),
        "tennis racket": ngettext_lazy("a tennis racket", "%(number)s tennis rackets", "count"),
        "bottle": ngettext_lazy("a bottle", "%(number)s bottles", "count"),
        "wine glass": ngettext_lazy("a wine glass", "%(number)s wine glasses", "count"),
        "cup": ngettext_lazy("a cup", "%(number)s cups", "count"),
        "fork": ngettext_lazy("a fork", "%(number)s forks", "count"),
        "knife": ngettext_lazy("a knife", "%(number)s knives", "count"),
        "spoon": ngettext_lazy("a spoon", "%(number)s spoons", "count"),
        "bowl": ngettext_lazy("a bowl", "%(number)s bowls", "count"),
        "banana": ngettext_lazy("a banana", "%(number)s bananas", "count"),
        "apple": ngettext_lazy("an apple", "%(number)s apples", "count"),
        "sandwich": ngettext_lazy("a sandwich", "%(number)s sandwiches", "count"),
        "orange": ngettext_lazy("an orange", "%(number)s oranges", "count"),
        "broccoli": ngettext_lazy("broccoli", "%(number)s heads of broccoli", "count"),
        "carrot": ngettext_lazy("a carrot", "%(number)s carrots", "count"),
        "hot dog": ngettext_lazy("a hot dog", "%(number)s hot dogs", "count"),
        "pizza": ngettext_lazy("a pizza", "%(number)s pizzas", "count"),
        "donut": ngettext_lazy("a donut", "%(number)s donuts", "count"),
        "cake": ngettext_lazy("a cake", "%(number)s cakes", "count"),
        "chair": ngettext_lazy("a chair", "%(number)s chairs", "count"),
        "couch": ngettext_lazy("a couch", "%(number)s couches", "count"),
        "potted plant": ngettext_lazy("a potted plant", "%(number)s potted plants", "count"),
        "bed": ngettext_lazy("a bed", "%(number)s beds", "count"),
        "dining table": ngettext_lazy("a dining table", "%(number)s dining tables", "count"),
        "toilet": ngettext_lazy("a toilet", "%(number)s toilets", "count"),
        "tv": ngettext_lazy("a TV", "%(number)s TVs", "count"),
        "laptop": ngettext_lazy("a laptop", "%(number)s laptops", "count"),
        "mouse": ngettext_lazy("a mouse", "%(number)s mice", "count"),
        "remote": ngettext_lazy("a remote", "%(number)s remotes", "count"),
        "keyboard": ngettext_lazy("a keyboard", "%(number)s keyboards", "count"),
        "cell phone": ngettext_lazy("a cell phone", "%(number)s cell phones", "count"),
        "microwave": ngettext_lazy("a microwave", "%(number)s microwaves", "count"),
        "oven": ngettext_lazy("an oven", "%(number)s ovens", "count"),
        "toaster": ngettext_lazy("a toaster", "%(number)s toasters", "count"),
        "sink": ngettext_lazy("a sink", "%(number)s sinks", "count"),
        "refrigerator": ngettext_lazy("a refrigerator", "%(number)s refrigerators", "count"),
        "book": ngettext_lazy("a book", "%(number)s books", "count"),
        "clock": ngettext_lazy("a clock", "%(number)s clocks", "count"),
        "vase": ngettext_lazy("a vase", "%(number)s vases", "count"),
        "scissors": ngettext_lazy("scissors", "%(number)s pairs of scissors", "count"),
        "teddy bear": ngettext_lazy("a teddy bear", "%(number)s teddy bears", "count"),
        "hair drier": ngettext_lazy("a hair drier", "%(number)s hair driers", "count"),
        "toothbrush": ngettext_lazy("a toothbrush", "%(number)s toothbrushes", "count"),
    }
)
"""By class name; each takes the count and, as words or digits, the number."""


def counted_object(name: str, count: int) -> str:
    """How many of a class there are, like "an apple" or "two people"."""
    return str(COUNTED[name] % {"count": count, "number": number_in_words(count)})


def number_in_words(number: int) -> str:
    """From two to ten as a word, else in digits."""
    return gettext(NUMBERS[number - 2]) if 2 <= number <= 10 else str(number)
