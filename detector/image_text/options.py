"""What `clip.json` says of an image–text model that its files do not tell themselves."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, TypeVar

from detector.errors import ModelUnusable

OPTIONS_FILE = "clip.json"
RESIZE_RULES = ("crop", "squeeze")
#: What the photos of most such models are normalised by: 0..1 less the mean, through the deviation.
MEAN = (0.48145466, 0.4578275, 0.40821073)
DEVIATION = (0.26862954, 0.26130258, 0.27577711)
CONTEXT_LENGTH = 77
LOGIT_SCALE = 100.0
#: Phrases that say nothing of a photo; Kerr, Kim, Goldberg, Kanazawa, Tancik: LERF: Language
#: Embedded Radiance Fields (2023) compare with them what a text says.
NEUTRAL_PHRASES = ("object", "things", "stuff", "texture")

T = TypeVar("T")


@dataclass(frozen=True)
class ImageOptions:
    """Of the network for photos."""

    size: int | None = None
    """Pixels of a side; None where the network says so itself."""
    mean: tuple[float, float, float] = MEAN
    std: tuple[float, float, float] = DEVIATION
    resize: str = "crop"
    """Of `RESIZE_RULES`."""
    input: str = ""
    """A name; empty where there is only one that can be meant. So are all names here."""
    output: str = ""


@dataclass(frozen=True)
class TextOptions:
    """Of the network for texts."""

    context_length: int = CONTEXT_LENGTH
    """Tokens; what the network itself says goes before."""
    pad_token_id: int | None = None
    """None: as the tokenizer says, else 0."""
    input: str = ""
    mask: str = ""
    output: str = ""


@dataclass(frozen=True)
class Options:
    """All of the file; where it is missing, what most models want."""

    image: ImageOptions = field(default_factory=ImageOptions)
    text: TextOptions = field(default_factory=TextOptions)
    logit_scale: float = LOGIT_SCALE
    logit_bias: float | None = None
    """Of a model trained by a sigmoid; None of one trained by a softmax."""
    neutral: tuple[str, ...] = NEUTRAL_PHRASES
    cut_off: float | None = None
    """From which probability on a photo is said to match."""


def read_options(path: Path) -> Options:
    """Read `clip.json`. Raises `ModelUnusable` for what is wrong in it."""
    try:
        content = json.loads(path.read_bytes())
    except FileNotFoundError:
        return Options()
    except (OSError, ValueError) as error:
        raise ModelUnusable(path, f"it cannot be read as JSON: {error}") from error
    try:
        content = _known(content, Options, "")
        image = _known(content.pop("image", {}), ImageOptions, "image.")
        text = _known(content.pop("text", {}), TextOptions, "text.")
        for name in ("mean", "std"):
            if name in image:
                image[name] = tuple(map(float, image[name]))
        if "neutral" in content:
            content["neutral"] = tuple(map(str, content["neutral"]))
        options = Options(image=ImageOptions(**image), text=TextOptions(**text), **content)
        _check(options)
    except (TypeError, ValueError) as error:
        raise ModelUnusable(path, str(error)) from error
    return options


def _known(content: Any, kind: type[Any], prefix: str) -> dict[str, Any]:
    if not isinstance(content, dict):
        raise ValueError(f"{prefix.rstrip('.') or 'the file'} should be an object in braces")
    names = [each.name for each in fields(kind)]
    for name in content:
        if name not in names:
            raise ValueError(f"there is no option {prefix}{name}; there are {', '.join(names)}")
    return dict(content)


def _check(options: Options) -> None:
    """Raises ValueError, naming what was expected and what came."""
    image, text = options.image, options.text
    _expect("image.size", image.size, "a whole number from 32 to 1024", image.size is None
            or (_is_whole(image.size) and 32 <= image.size <= 1024))  # fmt: skip
    for name, numbers in (("mean", image.mean), ("std", image.std)):
        _expect(f"image.{name}", numbers, "three numbers", len(numbers) == 3)
    _expect("image.std", image.std, "numbers above 0", min(image.std) > 0)
    rules = " or ".join(RESIZE_RULES)
    _expect("image.resize", image.resize, rules, image.resize in RESIZE_RULES)
    _expect("text.context_length", text.context_length, "a whole number from 2 to 1024",
            _is_whole(text.context_length) and 2 <= text.context_length <= 1024)  # fmt: skip
    _expect("text.pad_token_id", text.pad_token_id, "a whole number", text.pad_token_id is None
            or (_is_whole(text.pad_token_id) and text.pad_token_id >= 0))  # fmt: skip
    for name in (image.input, image.output, text.input, text.mask, text.output):
        _expect("input, mask and output", name, "names", isinstance(name, str))
    _expect("logit_scale", options.logit_scale, "a number above 0",
            _is_number(options.logit_scale) and options.logit_scale > 0)  # fmt: skip
    _expect("logit_bias", options.logit_bias, "a number",
            options.logit_bias is None or _is_number(options.logit_bias))  # fmt: skip
    _expect("neutral", options.neutral, "a list of one phrase or more", bool(options.neutral))
    _expect("cut_off", options.cut_off, "a number above 0 and below 1", options.cut_off is None
            or (_is_number(options.cut_off) and 0 < options.cut_off < 1))  # fmt: skip


def _expect(name: str, found: object, expected: str, holds: bool) -> None:
    if not holds:
        raise ValueError(f"{name} should be {expected}, is {found!r}")


def _is_whole(number: object) -> bool:
    return isinstance(number, int) and not isinstance(number, bool)


def _is_number(number: object) -> bool:
    return isinstance(number, int | float) and math.isfinite(number)
