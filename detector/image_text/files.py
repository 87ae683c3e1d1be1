"""The files of an image–text model in a folder, and the id that follows from them.

image.onnx      or image.xml (with image.bin), or the SavedModel image/: photo → vector
text.onnx       or text.xml, or text/: tokens → vector
tokenizer.json  text → tokens, as the library `tokenizers` reads it
clip.json       what the others do not tell, see `options`; may be missing
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from detector.errors import ModelUnusable
from detector.image_text.options import OPTIONS_FILE, ImageOptions, Options, read_options
from detector.model_files import sha256_of

TOKENIZER_FILE = "tokenizer.json"
NETWORK_SUFFIXES = (".onnx", ".xml")
SAVED_MODEL = "saved_model.pb"
#: What ids of image–text models begin with; a feature store knows them by it.
MODEL_ID_PREFIX = "clip-"
#: Raised when vectors change their meaning, so that all photos are looked at anew.
VECTORS_VERSION = 1


@dataclass(frozen=True)
class ImageTextFiles:
    """Where the parts of a model lie."""

    image: Path
    """A file, or the folder of a SavedModel."""
    text: Path
    tokenizer: Path
    options: Options
    model_id: str
    """Of the vectors of photos: another network for photos, or other pixels, give another."""


def find_files(folder: Path) -> ImageTextFiles:
    """Find and read them. Raises `ModelUnusable`, naming what is missing or wrong."""
    if not folder.is_dir():
        raise ModelUnusable(folder, "there is no such folder")
    image, text = _network(folder, "image"), _network(folder, "text")
    tokenizer = folder / TOKENIZER_FILE
    if not tokenizer.is_file():
        raise ModelUnusable(folder, f"there is no {TOKENIZER_FILE}")
    options = read_options(folder / OPTIONS_FILE)
    try:
        model_id = _model_id(image, options.image)
    except OSError as error:
        raise ModelUnusable(image, f"it cannot be read: {error.strerror}") from error
    return ImageTextFiles(image, text, tokenizer, options, model_id)


def _network(folder: Path, name: str) -> Path:
    candidates = [folder / f"{name}{suffix}" for suffix in NETWORK_SUFFIXES]
    found = [path for path in candidates if path.is_file()]
    if (folder / name / SAVED_MODEL).is_file():
        found.append(folder / name)
    if not found:
        raise ModelUnusable(folder, f"there is neither {name}.onnx nor a SavedModel {name}/")
    if len(found) > 1:
        names = " and ".join(path.name for path in found)
        raise ModelUnusable(folder, f"there are {names}; which of them is meant?")
    return found[0]


def _model_id(image: Path, options: ImageOptions) -> str:
    """Of what makes a photo's vector; names of files say nothing."""
    if image.is_dir():
        parts = sorted(path for path in image.rglob("*") if path.is_file())
    else:
        # Weights may lie beside the network.
        parts = sorted(image.parent.glob("image.*"))
    digests = [sha256_of(path) for path in parts if path.is_file()]
    facts = repr((VECTORS_VERSION, digests, options))
    return MODEL_ID_PREFIX + hashlib.sha256(facts.encode()).hexdigest()[:16]
