"""Wrote the segments beside it, once, as format version 1 was. Run again, it shows what changed.

python -m tests.featurestore.data.make_samples FOLDER
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from PIL import Image as Pillow
from PIL import ImageDraw

from featurestore import segments
from featurestore.looks import LookFeatures, write_looks
from featurestore.segments import Edit, Features, StoredImage

MODEL_ID = "sample-model"
WRITTEN_NS = 1_700_000_000_000_000_000
SECOND = 1_000_000_000


def main(folder: Path) -> None:
    """Write one segment of each kind below a folder, laid out like a store."""
    for name in ("images", f"features/{MODEL_ID}", f"looks/{MODEL_ID}", "deletions", "edits"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    segments.write_images(
        folder / "images",
        [
            _image(1, "red square.png", "red", folder),
            _image(2, "grüner Kreis.png", "green", folder),
            _image(5, "empty.png", "", folder),
        ],
        time_ns=WRITTEN_NS,
    )
    ssd = np.zeros((2, 20, 6), np.float32)
    ssd[0, :2] = [[18, 0.875, 10, 20, 110.5, 220], [1, 0.5, 0, 0, 300, 300]]
    ssd[1, 0] = [62, 0.25, 1, 2, 3, 4]
    nlp = (np.arange(100).reshape(2, 50) / 8).astype(np.float32)
    segments.write_features(
        folder / "features" / MODEL_ID,
        MODEL_ID,
        Features(
            image_ids=np.array([1, 2], np.int64),
            ssd=ssd,
            nlp=nlp,
            written_at=np.array([WRITTEN_NS + 1, WRITTEN_NS + 2], np.int64),
        ),
        time_ns=WRITTEN_NS + SECOND,
    )
    segments.write_deletions(
        folder / "deletions", np.array([3, 5], np.int64), time_ns=WRITTEN_NS + 2 * SECOND
    )
    segments.write_edits(
        folder / "edits",
        [
            Edit(1, "name", '"first name.png"', 1_700_000_003.25),
            Edit(1, "name", '"zweiter Name 🎉.png"', 1_700_000_003.5),
        ],
        time_ns=WRITTEN_NS + 3 * SECOND,
    )
    write_looks(
        folder / "looks" / MODEL_ID,
        MODEL_ID,
        LookFeatures(
            image_ids=np.array([1, 2], np.int64),
            embedding=(np.arange(2560).reshape(2, 1280) / 512).astype(np.float16),
            class_ids=np.array([[817, 511, 436, 656, 479], [999, 0, 1, 2, 3]], np.int16),
            class_scores=np.array([[0.5, 0.25, 0.125, 0, 0], [1, 0, 0, 0, 0]], np.float32),
            written_at=np.array([WRITTEN_NS + 3, WRITTEN_NS + 4], np.int64),
        ),
        time_ns=WRITTEN_NS + 4 * SECOND,
    )


def _image(image_id: int, name: str, colour: str, folder: Path) -> StoredImage:
    """A drawn picture, or an original of no bytes."""
    data = b""
    if colour:
        picture = Pillow.new("RGB", (24, 16), "white")
        ImageDraw.Draw(picture).rectangle((4, 4, 4 + 4 * image_id, 11), fill=colour)
        picture.save(folder / "drawn.png")
        data = (folder / "drawn.png").read_bytes()
        (folder / "drawn.png").unlink()
    return StoredImage(
        image_id=image_id,
        name=name,
        media_type="image/png",
        width=24,
        height=16,
        uploaded_at=1_699_999_999.5 + image_id,
        data=data,
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
