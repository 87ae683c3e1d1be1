"""Which model's features are searched: a small file that is replaced at once."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path

from featurestore.durable import write_durably
from featurestore.errors import SegmentDamaged

MODELS_FILE = "models.json"


@dataclass(frozen=True)
class ModelChoice:
    """The model that is searched, and the one that was searched before."""

    current: str
    previous: str | None = None

    def switched_to(self, model_id: str) -> ModelChoice:
        """The choice after a switch; to switch to the previous model is the way back."""
        return self if model_id == self.current else ModelChoice(model_id, self.current)


def read_model_choice(folder: Path) -> ModelChoice | None:
    """None where no choice was made yet. Raises SegmentDamaged where the file has changed."""
    path = folder / MODELS_FILE
    try:
        text = path.read_text()
        content = json.loads(text)
        choice = ModelChoice(str(content["current"]), content["previous"])
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError) as error:
        raise SegmentDamaged(path, "it should name the current and the previous model") from error
    # To the last blank, so that no change goes unnoticed. Older galleries wrote no SHA-256.
    if text not in (_text(choice), _names(choice)):
        raise SegmentDamaged(path, "its SHA-256 is not that of the models it names")
    return choice


def write_model_choice(folder: Path, choice: ModelChoice) -> None:
    """Replace the choice durably and at once: every reader sees the old or the new one."""
    write_durably(folder / MODELS_FILE, lambda path: path.write_text(_text(choice)))


def write_first_choice(folder: Path, model_id: str) -> None:
    """Choose a model where none was chosen yet; a damaged choice is left to `check_store`."""
    if not (folder / MODELS_FILE).exists():
        write_model_choice(folder, ModelChoice(model_id))


def _text(choice: ModelChoice) -> str:
    digest = hashlib.sha256(_names(choice).encode()).hexdigest()
    return json.dumps(asdict(choice) | {"sha256": digest})


def _names(choice: ModelChoice) -> str:
    return json.dumps(asdict(choice))
