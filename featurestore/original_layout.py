"""The original system's single file, written and read: one array per image.

`raw_images` holds one dataset of pixels per image, `ssd_feature_group` and `nlp_feature_group` hold
one of features each; the three of an image have the same name. `corrected_objects` is an addition:
an array of the objects of each image that a person corrected, by the same name.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

from featurestore import segments
from featurestore.corrections import Correction
from featurestore.durable import write_durably
from featurestore.errors import ImageNotStored, NotOriginalLayout
from featurestore.hdf5_files import HDF5_LOCK
from featurestore.store import FeatureStore

PIXELS = "raw_images"
DETECTIONS = "ssd_feature_group"
SENTENCE_VECTORS = "nlp_feature_group"
# (k, 7) float32: a correction's objects, and 1 for each that a person drew or changed, else 0.
CORRECTIONS = "corrected_objects"

# Written with the pixels, so that a nearly black picture is not taken for one in 0..1.
HIGHEST = "highest_value"


def export_original(
    store: FeatureStore,
    model_id: str,
    path: Path,
    decode: Callable[[bytes], NDArray[np.uint8]],
    *,
    on_image: Callable[[], object] = lambda: None,
) -> int:
    """Write all images and one model's features in the original layout; returns how many images.

    Pixels are (H, W, 3) float32 in 0..255, so the file takes many times the room of the store.
    Images come by rising id, and their groups keep that order.

    Args:
        path: replaced when everything is written.
        decode: (H, W, 3) uint8 RGB, upright, of an original's bytes.
        on_image: called after each image.

    Raises StoreError for an original that is damaged, OSError (a full disk), and what `decode`
    raises; nothing is left behind then.
    """
    written: list[str] = []
    write_durably(
        path,
        lambda temporary: written.extend(_export(store, model_id, temporary, decode, on_image)),
    )
    return len(written)


class OriginalFile:
    """A file in the original layout, open only while something is read from it."""

    def __init__(self, path: Path) -> None:
        """Raises NotOriginalLayout, or OSError where there is no such file."""
        self.path = path
        with path.open("rb"):
            pass  # h5py's error for a missing file does not tell it from a damaged one.
        try:
            with HDF5_LOCK, h5py.File(path, "r", locking=False) as file:
                self.names = self._checked_names(file)
                """Of all images, in the order in which they were written, if the file keeps it."""
        except (OSError, RuntimeError) as error:
            raise NotOriginalLayout(path, f"it is not an HDF5 file ({error})") from error

    def pixels(self, name: str) -> NDArray[np.uint8]:
        """(H, W, 3) RGB of one image.

        Takes grey and RGB, whole numbers and floats, 0..1 and 0..255. Raises NotOriginalLayout.
        """
        values, highest = self._read(f"{PIXELS}/{name}")
        try:
            return _as_pixels(values, highest)
        except ValueError as error:
            raise NotOriginalLayout(self.path, f"{PIXELS}/{name}: {error}") from error

    def correction(self, name: str) -> Correction | None:
        """What a person made of the objects of one image; None where nobody did.

        Raises NotOriginalLayout.
        """
        address = f"{CORRECTIONS}/{name}"
        try:
            with HDF5_LOCK, h5py.File(self.path, "r", locking=False) as file:
                if not isinstance(file.get(address), h5py.Dataset):
                    return None
            values, _ = self._read(address)
            return Correction.of_rows(values.astype(np.float64))
        except (OSError, RuntimeError, ValueError) as error:
            raise NotOriginalLayout(self.path, f"{address} cannot be read: {error}") from error

    def _read(self, name: str) -> tuple[NDArray[np.generic], float | None]:
        """The values of a dataset, and the highest value that the file allows, if it says so."""
        try:
            with HDF5_LOCK, h5py.File(self.path, "r", locking=False) as file:
                dataset = file.get(name)
                if not isinstance(dataset, h5py.Dataset):
                    raise NotOriginalLayout(self.path, f"{name} is missing")
                highest = file[PIXELS].attrs.get(HIGHEST)
                said = isinstance(highest, np.floating) and highest > 0
                return np.asarray(dataset[()]), float(highest) if said else None
        except (OSError, RuntimeError, MemoryError) as error:
            raise NotOriginalLayout(self.path, f"{name} cannot be read: {error}") from error

    def _checked_names(self, file: h5py.File) -> list[str]:
        group = file.get(PIXELS)
        if not isinstance(group, h5py.Group):
            raise NotOriginalLayout(self.path, f"it has no group {PIXELS}")
        if "format" in file.attrs and "kind" in file.attrs:
            raise NotOriginalLayout(self.path, "it is a part of a feature store")
        return list(self._dataset_names(group))

    def _dataset_names(self, group: h5py.Group, prefix: str = "") -> Iterator[str]:
        """Names of images; one that holds a slash has become groups within groups."""
        for name in group:
            member = group.get(name)
            if isinstance(member, h5py.Group):
                yield from self._dataset_names(member, f"{prefix}{name}/")
            elif isinstance(member, h5py.Dataset):
                self._check_shape(f"{prefix}{name}", member)
                yield f"{prefix}{name}"

    def _check_shape(self, name: str, dataset: h5py.Dataset) -> None:
        shape: tuple[int, ...] = dataset.shape or ()
        grey = len(shape) == 2
        if dataset.dtype.kind not in "buif" or not (
            grey or (len(shape) == 3 and shape[2] in (1, 3))
        ):
            raise NotOriginalLayout(
                self.path,
                f"{PIXELS}/{name} should hold numbers of shape (H, W), (H, W, 1) or (H, W, 3), "
                f"holds {dataset.dtype} of shape {shape}",
            )
        if 0 in shape:
            raise NotOriginalLayout(self.path, f"{PIXELS}/{name} has no pixels: shape {shape}")


def _export(
    store: FeatureStore,
    model_id: str,
    path: Path,
    decode: Callable[[bytes], NDArray[np.uint8]],
    on_image: Callable[[], object],
) -> list[str]:
    """Names of the written images."""
    features = _StoredFeatures(store, model_id)
    trashed = store.trashed()
    facts_by_id = {
        facts.image_id: facts for facts in store.image_facts() if facts.image_id not in trashed
    }
    edited_names = store.edited_names()
    corrections = store.corrections()
    names: dict[str, None] = {}
    with _new_file(path) as (pixel_group, ssd_group, nlp_group, corrected_group):
        for image_id in sorted(facts_by_id):
            try:
                data = store.read_image(image_id)
            except ImageNotStored:
                continue  # Deleted since the export began.
            name = _dataset_name(edited_names.get(image_id, facts_by_id[image_id].name), names)
            names[name] = None
            pixels = decode(data).astype(np.float32)
            found = features.of(image_id)
            with HDF5_LOCK:
                pixel_group[name] = pixels
                if found is not None:
                    ssd_group[name], nlp_group[name] = found
                if image_id in corrections:
                    corrected_group[name] = corrections[image_id].as_rows()
            on_image()
    return list(names)


@contextmanager
def _new_file(path: Path) -> Iterator[list[h5py.Group]]:
    """The four groups of a new file. Hold `HDF5_LOCK` while writing to them."""
    with HDF5_LOCK:
        file = h5py.File(path, "x", libver=("v110", "v110"))
    try:
        with HDF5_LOCK:
            groups = [
                file.create_group(name, track_order=True)
                for name in (PIXELS, DETECTIONS, SENTENCE_VECTORS, CORRECTIONS)
            ]
            groups[0].attrs[HIGHEST] = 255.0
        yield groups
    finally:
        with HDF5_LOCK:
            file.close()


def _dataset_name(name: str, taken: Collection[str]) -> str:
    """A name that HDF5 takes as one, and that no other image has."""
    stem = name.replace("/", "_").replace("\0", "_") or "unnamed"
    if stem == ".":
        stem = "_"
    unique, number = stem, 1
    while unique in taken:
        number += 1
        unique = f"{Path(stem).stem} ({number}){Path(stem).suffix}"
    return unique


class _StoredFeatures:
    """One model's features by image, with one segment at a time in memory.

    Images that follow each other mostly lie in the same segment.
    """

    def __init__(self, store: FeatureStore, model_id: str) -> None:
        self._places: dict[int, tuple[Path, int]] = {}
        for part in store.feature_segments(model_id):
            ids, _ = segments.read_feature_rows(part.path)
            for row in part.live.tolist():
                self._places[int(ids[row])] = part.path, row
        self._path = Path()
        self._read: segments.Features | None = None

    def of(self, image_id: int) -> tuple[NDArray[np.float32], NDArray[np.float32]] | None:
        """((20, 6) detections, (50,) sentence vector), or None before they are computed."""
        if image_id not in self._places:
            return None
        path, row = self._places[image_id]
        if self._read is None or path != self._path:
            self._path, self._read = path, segments.read_features(path)
        return self._read.ssd[row], self._read.nlp[row]


def _as_pixels(values: NDArray[np.generic], highest: float | None) -> NDArray[np.uint8]:
    """(H, W, 3) uint8 of grey or RGB values in 0..1 or 0..255. Raises ValueError for others."""
    if values.dtype != np.uint8:
        numbers = values.astype(np.float32)
        low, high = float(numbers.min()), float(numbers.max())
        if not (low >= 0 and high <= 255):
            raise ValueError(f"values should be in 0..1 or 0..255, are in {low:g}..{high:g}")
        if highest is None:
            highest = 1.0 if high <= 1 and values.dtype.kind in "fb" else 255.0
        values = np.rint(numbers * np.float32(255 / highest)).clip(0, 255)
    pixels = values.astype(np.uint8).reshape(*values.shape[:2], -1)
    return np.repeat(pixels, 3 // pixels.shape[2], axis=2)
