"""Ground truth: the images of a COCO annotation file and the objects that people marked in them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

# The frame of the detector, into which it squeezes every photo.
FRAME_SIDE = 300.0


class NotCocoAnnotations(ValueError):
    """The file at `path` cannot be read as COCO object annotations."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path} is not a COCO annotation file: {reason}.")
        self.path = path
        self.reason = reason


@dataclass(frozen=True)
class TrueImage:
    """A photo and its m marked objects; crowds ("many of these somewhere here") are left out."""

    file_name: str
    width: int
    """Pixels."""
    height: int
    """Pixels."""
    coco_split: str
    """The COCO subset it was published in, such as "val2017"; "" where the file does not say."""
    class_ids: NDArray[np.int64]
    """(m,) COCO category ids."""
    boxes: NDArray[np.float64]
    """(m, 4) xyxy in pixels."""

    @property
    def unit_boxes(self) -> NDArray[np.float64]:
        """(m, 4) xyxy, with the photo squeezed into the unit square."""
        return self.boxes / np.array([self.width, self.height, self.width, self.height], np.float64)

    def holds(self, class_id: int) -> bool:
        """Whether an object of the class is marked."""
        return bool((self.class_ids == class_id).any())


@dataclass(frozen=True)
class Truth:
    """All images of an annotation file, in its order, which is also their order in the store."""

    images: Sequence[TrueImage]
    class_names: Mapping[int, str]
    """Name of each category id."""

    def holds(self, class_id: int) -> NDArray[np.bool_]:
        """(n,) which images hold an object of the class."""
        return np.array([image.holds(class_id) for image in self.images], np.bool_)


def load_truth(path: Path) -> Truth:
    """Read a COCO annotation file, such as instances_val2017.json, without its crowd boxes.

    Raises:
        NotCocoAnnotations: if there is no such file, or it holds something else.
    """
    try:
        content = json.loads(path.read_bytes())
    except OSError as error:
        raise NotCocoAnnotations(path, error.strerror or str(error)) from error
    except ValueError as error:
        raise NotCocoAnnotations(path, f"not JSON, {error}") from error
    if not isinstance(content, dict):
        raise NotCocoAnnotations(path, f"expected an object, got a {type(content).__name__}")
    try:
        return _truth_of(content)
    except KeyError as error:
        raise NotCocoAnnotations(path, f"{error} is missing") from error
    except (TypeError, ValueError) as error:
        raise NotCocoAnnotations(path, str(error)) from error


def _truth_of(content: Mapping[str, Sequence[Mapping[str, object]]]) -> Truth:
    class_names = {_whole(entry["id"]): str(entry["name"]) for entry in content["categories"]}
    class_ids: dict[int, list[int]] = {_whole(entry["id"]): [] for entry in content["images"]}
    boxes: dict[int, list[list[float]]] = {image_id: [] for image_id in class_ids}
    for entry in content["annotations"]:
        image_id, class_id = _whole(entry["image_id"]), _whole(entry["category_id"])
        if image_id not in class_ids:
            raise ValueError(f"an annotation names image {image_id}, which is not listed")
        if class_id not in class_names:
            raise ValueError(f"an annotation names category {class_id}, which is not listed")
        if entry.get("iscrowd", 0):
            continue
        class_ids[image_id].append(class_id)
        boxes[image_id].append(_xyxy(entry["bbox"]))
    return Truth([_image_of(entry, class_ids, boxes) for entry in content["images"]], class_names)


def _image_of(
    entry: Mapping[str, object],
    class_ids: Mapping[int, list[int]],
    boxes: Mapping[int, list[list[float]]],
) -> TrueImage:
    image_id = _whole(entry["id"])
    width, height = _whole(entry["width"]), _whole(entry["height"])
    if width < 1 or height < 1:
        raise ValueError(f"image {image_id} is said to be {width}×{height} pixels")
    return TrueImage(
        file_name=str(entry["file_name"]),
        width=width,
        height=height,
        coco_split=str(entry.get("coco_split", "")),
        class_ids=np.array(class_ids[image_id], np.int64),
        boxes=np.array(boxes[image_id], np.float64).reshape(-1, 4),
    )


def _whole(value: object) -> int:
    if not isinstance(value, int):
        raise TypeError(f"expected a whole number, got {value!r}")
    return value


def _xyxy(box: object) -> list[float]:
    if not isinstance(box, list) or len(box) != 4:
        raise ValueError(f"expected a box [x, y, width, height], got {box!r}")
    x, y, width, height = (float(value) for value in box)
    return [x, y, x + width, y + height]
