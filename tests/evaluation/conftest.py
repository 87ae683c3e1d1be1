from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

CATEGORIES = [
    {"id": 17, "name": "cat"},
    {"id": 1, "name": "person"},
    {"id": 18, "name": "dog"},
    {"id": 90, "name": "toothbrush"},
]

WriteCoco = Callable[..., Path]


@pytest.fixture
def write_coco(tmp_path: Path) -> WriteCoco:
    """Write COCO annotations of two photos: 200×100 from val2017, 100×100 from train2017.

    Takes objects as (image id 1 or 2, category id, [x, y, width, height]) or, for crowds,
    with a fourth entry 1.
    """

    def write(*objects: tuple[Any, ...]) -> Path:
        path = tmp_path / "annotations.json"
        annotations = [
            {
                "id": number,
                "image_id": image_id,
                "category_id": category_id,
                "bbox": box,
                "iscrowd": crowd[0] if crowd else 0,
            }
            for number, (image_id, category_id, box, *crowd) in enumerate(objects, start=1)
        ]
        images = [
            {"id": 1, "file_name": "b.jpg", "width": 200, "height": 100, "coco_split": "val2017"},
            {"id": 2, "file_name": "a.jpg", "width": 100, "height": 100, "coco_split": "train2017"},
        ]
        content = {"images": images, "annotations": annotations, "categories": CATEGORIES}
        path.write_text(json.dumps(content))
        return path

    return write
