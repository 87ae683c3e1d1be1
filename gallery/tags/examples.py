"""Examples to learn from: photos in folders, or photos of the gallery that people tagged."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from django.conf import settings
from numpy.typing import NDArray

from detector import Embedder, create_embedder
from featurestore.looks import EMBEDDING_DIMENSIONS
from gallery import components
from gallery.decoding import look_input, read_pixels
from gallery.errors import EditRefused, PhotoRefused, TrainingRefused
from gallery.models import Image, PhotoTag
from gallery.tags.head import NOTHING
from gallery.tags.names import tag_name
from gallery.tags.training import LEAST_EXAMPLES
from gallery.thumbnails import Size

BATCH = 32


@dataclass(frozen=True)
class Examples:
    """Photos with their classes, by class and then by name."""

    embedding: NDArray[np.float16]
    """(n, 1280)"""
    labels: tuple[str, ...]
    """(n,)"""
    unreadable: tuple[Path, ...] = ()
    """Files that are no photos."""


@cache
def _embedder(url: str, models_dir: Path) -> Embedder:
    return create_embedder(url, models_dir)


def learning_embedder() -> Embedder:
    """In float32 where it is local, so that the same photos teach the same on every machine.

    Raises TrainingRefused, DetectorError.
    """
    url = settings.LOOK_URL
    if url == components.LOOKS_OFF:
        raise TrainingRefused("LOOK_URL is off:, so no photo can be looked at.")
    return _embedder("local:f32" if url.startswith("local:") else url, components.models_dir())


def examples_in(
    folder: Path, embedder: Embedder, on_file: Callable[[], object] = lambda: None
) -> Examples:
    """Photos below a folder that has a sub-folder for each class, looked at.

    Raises TrainingRefused, DetectorError.
    """
    if not folder.is_dir():
        raise TrainingRefused(f"There is no folder {folder}.")
    classes = sorted(path for path in folder.iterdir() if path.is_dir() and path.name[0] != ".")
    found = [(_class_name(each), file) for each in classes for file in _files(each)]
    if not found:
        raise TrainingRefused(
            f"{folder} has no photos in sub-folders. Make a sub-folder for each class, named as "
            "the tag should be, and put its photos in there."
        )
    return _looked_at(found, embedder, on_file)


def photos_in(
    folder: Path, embedder: Embedder, on_file: Callable[[], object] = lambda: None
) -> Examples:
    """All photos below a folder, without classes. Raises as `examples_in` does."""
    if not folder.is_dir():
        raise TrainingRefused(f"There is no folder {folder}.")
    return _looked_at([("", file) for file in _files(folder)], embedder, on_file)


def examples_tagged(look_model_id: str) -> Examples:
    """Photos that people gave one of their tags, as far as each has enough photos.

    Raises TrainingRefused where no two tags have.
    """
    rows = PhotoTag.objects.by_people().filter(is_refused=False, image__in=Image.objects.shown())
    names: dict[int, list[str]] = {}
    for image_id, name in rows.order_by("image", "name").values_list("image", "name"):
        names.setdefault(image_id, []).append(name)
    looks = components.store().looks(look_model_id).read(names)
    # What has several of the tags is no example of how they differ.
    of_one = [row for row, id_ in enumerate(looks.image_ids.tolist()) if len(names[id_]) == 1]
    labels = [names[int(looks.image_ids[row])][0] for row in of_one]
    enough = {name for name in labels if labels.count(name) >= LEAST_EXAMPLES}
    if len(enough - {NOTHING}) < 1 or len(enough) < 2:
        raise TrainingRefused(
            f"Two tags at least have to be on {LEAST_EXAMPLES} photos each, 10 are better, that "
            "have no other tag by a person. Tag some more photos on their pages."
        )
    kept = sorted(
        (label, row) for label, row in zip(labels, of_one, strict=True) if label in enough
    )
    rows_kept = np.array([row for _, row in kept], np.int64)
    return Examples(looks.embedding[rows_kept], tuple(label for label, _ in kept))


def _class_name(folder: Path) -> str:
    try:
        return tag_name(folder.name)
    except EditRefused as refusal:
        raise TrainingRefused(f"The folder {folder.name!r} cannot name a tag: {refusal}") from None


def _files(folder: Path) -> list[Path]:
    return sorted(
        path for path in folder.rglob("*") if path.is_file() and not path.name.startswith(".")
    )


def _looked_at(
    found: Iterable[tuple[str, Path]], embedder: Embedder, on_file: Callable[[], object]
) -> Examples:
    embeddings: list[NDArray[np.float16]] = [np.empty((0, EMBEDDING_DIMENSIONS), np.float16)]
    labels: list[str] = []
    unreadable: list[Path] = []
    waiting: list[NDArray[np.uint8]] = []
    for label, path in found:
        try:
            # At the size of a thumbnail, of which the looks of the gallery's photos are made.
            waiting.append(look_input(read_pixels(path, Size.GRID)))
            labels.append(label)
        except PhotoRefused:
            unreadable.append(path)
        if len(waiting) == BATCH:
            embeddings.append(embedder.embed(np.stack(waiting)).embedding.astype(np.float16))
            waiting.clear()
        on_file()
    if waiting:
        embeddings.append(embedder.embed(np.stack(waiting)).embedding.astype(np.float16))
    return Examples(np.concatenate(embeddings), tuple(labels), tuple(unreadable))
