"""The exported models on disk: where their files lie, what they are called, whether they are whole.

    <models>/model.json             model id and the SHA-256 of every file below
    <models>/ssd/1/                 SavedModel, what TensorFlow Serving loads as model `ssd`
    <models>/ssd-local/1/model.xml  the bare network as OpenVINO IR, what `LocalDetector` loads

and likewise `look.json`, `look/1/` and `look-local/1/` (see `look_model`). A manifest is written
last, so where it stands the rest stands too.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import astuple, dataclass
from pathlib import Path
from types import MappingProxyType

from detector.errors import ModelMissing
from detector.nms_settings import DEFAULT_SETTINGS

FORMAT = "image-gallery-models"
#: Raised when exported files change, so that they are made anew.
FORMAT_VERSION = 3
#: Raised when detections change their meaning, so that all photos are looked at anew.
DETECTIONS_VERSION = 2

#: SHA-256 of the files of the package that are used: the graph, and its weights in order. The
#: files are pinned, not the archive, because a mirror may pack it anew.
WEIGHT_FILES: Mapping[str, str] = MappingProxyType(
    {
        "model.json": "3770b2528339b1e3340cb74360e1e40401816b009779aeb8d0cce3a4353ea3a9",
        "group1-shard1of5": "0e7af0f713e98521252321f7f84892c31cefccccec3ac64c84e5065b75ed5646",
        "group1-shard2of5": "74cc6cfc2c4510c9cd81b8ad4cebf6f6a8f305119bb365ce0eb96276da38519a",
        "group1-shard3of5": "50383033f893eae136392a403e8f70ade5efd90867df5695c4ca5ac640e14f38",
        "group1-shard4of5": "d856dc534c780068bbf6c666ce1516df2c8433d87578aa31fcdf197de7058cc2",
        "group1-shard5of5": "3d356f1fb6dfca6af78c56db34d9326706d0196e303f9de6b04f236ca79ed309",
    }
)


def _model_id() -> str:
    # Digests of the weights rather than of the exported files, whose bytes differ from one
    # TensorFlow to the next; the NMS settings are in because they shape the detections as well.
    facts = repr((DETECTIONS_VERSION, tuple(WEIGHT_FILES.values()), astuple(DEFAULT_SETTINGS)))
    return "ssdlite-mobilenet-v2-coco-1-" + hashlib.sha256(facts.encode()).hexdigest()[:8]


MODEL_ID = _model_id()


@dataclass(frozen=True)
class ExportedModel:
    """A model that the export makes."""

    name: str
    """What a server calls it."""
    manifest: str
    model_id: str

    @property
    def saved_model_dir(self) -> str:
        """Relative to the folder of models, as are all paths here."""
        return f"{self.name}/1"

    @property
    def ir_file(self) -> str:
        """Its weights lie beside it."""
        return f"{self.name}-local/1/model.xml"


SSD = ExportedModel("ssd", "model.json", MODEL_ID)


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a manifest says: the model's id, and SHA-256 by path relative to its folder."""

    model_id: str
    files: Mapping[str, str]


def default_models_dir() -> Path:
    """Return `var/models` beside this package."""
    return Path(__file__).resolve().parents[1] / "var" / "models"


def write_manifest(models_dir: Path, model: ExportedModel = SSD) -> None:
    """Write the manifest of a model for the files that lie under `models_dir`."""
    paths = sorted(path for path in models_dir.rglob("*") if path.is_file())
    content = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "model_id": model.model_id,
        "files": {path.relative_to(models_dir).as_posix(): sha256_of(path) for path in paths},
    }
    (models_dir / model.manifest).write_text(json.dumps(content, indent=2) + "\n")


def read_manifest(models_dir: Path, model: ExportedModel = SSD) -> Manifest:
    """Read a model's manifest; raises `ModelMissing` if there is none that this version can use."""
    path = models_dir / model.manifest
    try:
        content = json.loads(path.read_text())
        manifest = Manifest(str(content["model_id"]), dict(content["files"]))
        version = (content["format"], content["format_version"])
    except FileNotFoundError as error:
        raise ModelMissing(models_dir) from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelMissing(path, f"unreadable: {error}") from error
    if version != (FORMAT, FORMAT_VERSION) or manifest.model_id != model.model_id:
        held, needed = (
            f"{manifest.model_id} in format {version[1]}",
            f"{model.model_id} in {FORMAT_VERSION}",
        )
        raise ModelMissing(path, f"it holds {held}, needed is {needed}")
    return manifest


def verify(models_dir: Path, model: ExportedModel = SSD) -> None:
    """Raise `ModelMissing` unless every file of the manifest is there with its checksum."""
    manifest = read_manifest(models_dir, model)
    for name, checksum in manifest.files.items():
        path = models_dir / name
        if not path.is_file():
            raise ModelMissing(path)
        if sha256_of(path) != checksum:
            raise ModelMissing(path, "its checksum does not match")


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
