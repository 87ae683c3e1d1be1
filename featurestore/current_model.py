"""Which model's features are searched: a small file that is replaced at once."""

from __future__ import annotations

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
    """None where no choice was made yet. Raises SegmentDamaged where the file cannot be read."""
    path = folder / MODELS_FILE
    try:
        content = json.loads(path.read_text())
        return ModelChoice(str(content["current"]), content["previous"])
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError) as error:
        raise SegmentDamaged(path, "it should name the current and the previous model") from error


def write_model_choice(folder: Path, choice: ModelChoice) -> None:
    """Replace the choice durably and at once: every reader sees the old or the new one."""
    content = json.dumps(asdict(choice))
    write_durably(folder / MODELS_FILE, lambda path: path.write_text(content))
