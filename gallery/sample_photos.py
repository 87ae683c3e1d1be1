"""A few photos to try the gallery with: scikit-image's wheel ships them, so nothing is fetched."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from gallery.models import Image, ImageQuerySet
from gallery.originals import delete_images
from gallery.uploads import UploadAnswer, receive_file

PACKAGE = "skimage"


@dataclass(frozen=True)
class SamplePhoto:
    """A photo of the package, and who took it."""

    file_name: str
    name: str
    """What it is called in the gallery: by this it is known from somebody's own copy."""
    credit: Promise


SAMPLES = (
    SamplePhoto("astronaut.png", "sample-astronaut.png", _("Eileen Collins: NASA, public domain")),
    SamplePhoto("chelsea.png", "sample-cat.png", _("Chelsea the cat: Stefan van der Walt, CC0")),
    SamplePhoto("coffee.png", "sample-coffee.png", _("Coffee: Rachel Michetti, CC0")),
    SamplePhoto("rocket.jpg", "sample-rocket.jpg", _("Falcon 9: SpaceX, public domain")),
    SamplePhoto(
        "motorcycle_left.png",
        "sample-motorcycle.png",
        _("Motorcycle, twice: D. Scharstein et al., Middlebury stereo benchmark 2014"),
    ),
    SamplePhoto(
        "motorcycle_right.png",
        "sample-motorcycle-again.png",
        _("Motorcycle, twice: D. Scharstein et al., Middlebury stereo benchmark 2014"),
    ),
)


def sample_paths() -> list[Path]:
    """The files, in the order of SAMPLES; none where the package lacks one of them."""
    # Only looked for: the package itself takes half a second to import, and is not needed.
    spec = find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        return []
    folder = Path(spec.submodule_search_locations[0]) / "data"
    paths = [folder / sample.file_name for sample in SAMPLES]
    return paths if all(path.is_file() for path in paths) else []


def sample_credits() -> list[Promise]:
    """Who is to be thanked, each once."""
    return list(dict.fromkeys(sample.credit for sample in SAMPLES))


def import_samples() -> list[UploadAnswer]:
    """Take them in like an upload: durably, and those that are there already only once."""
    return [
        receive_file(path, name=sample.name)
        for path, sample in zip(sample_paths(), SAMPLES, strict=False)
    ]


def imported_samples() -> ImageQuerySet:
    """The sample photos that are in the gallery.

    Somebody's own upload of the same picture has another name, and so has one that was renamed.
    """
    names = [sample.name for sample in SAMPLES]
    return Image.objects.shown().filter(sha256__in=_checksums(), name__in=names)


def remove_samples() -> int:
    """Take them out again; returns how many. Nothing is lost, since the package has them."""
    images = list(imported_samples())
    delete_images(images)
    return len(images)


@cache
def _checksums() -> tuple[str, ...]:
    return tuple(hashlib.sha256(path.read_bytes()).hexdigest() for path in sample_paths())
