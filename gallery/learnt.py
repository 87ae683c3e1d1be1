"""What a gallery was taught, in versions: each training adds one, and the last step can be undone.

    GALLERY_DATA/learnt/tags/NAME/0003.npz      what was learnt the third time
    GALLERY_DATA/learnt/tags/NAME/history.json  {"steps": [1, 3, 0]}; 0: removed

Nothing is ever written over, so the way back is always there.
"""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from django.conf import settings

from featurestore.durable import write_durably

HISTORY = "history.json"
REMOVED = 0
NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
# What a backup holds of it.
PACKED = re.compile(rf"(?:tags/)?{NAME.pattern}/(?:[0-9]+\.(?:npz|json)|history\.json)")


class NothingBefore(LookupError):
    """There is no step to go back."""


@dataclass(frozen=True)
class Learnt:
    """All versions of one thing."""

    folder: Path

    def steps(self) -> list[int]:
        """The versions in the order they were chosen; the last is in use, and 0 is none."""
        try:
            steps = json.loads((self.folder / HISTORY).read_text(encoding="utf-8"))["steps"]
            return [int(step) for step in steps]
        except FileNotFoundError:
            return []
        except (OSError, ValueError, KeyError, TypeError):
            # What was learnt is still there; the highest version is the likeliest choice.
            return self._versions()

    @property
    def current(self) -> int | None:
        """The version in use, 0 where it was removed, None where nothing was ever learnt."""
        steps = self.steps()
        return steps[-1] if steps else None

    def path(self, version: int) -> Path:
        return self.folder / f"{version:04d}.npz"

    def facts(self, version: int) -> dict[str, Any]:
        """What was said of a version when it was learnt; {} where that is lost."""
        try:
            facts = json.loads(self.path(version).with_suffix(".json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return facts if isinstance(facts, dict) else {}

    def add(self, write: Callable[[Path], object], facts: dict[str, Any]) -> int:
        """Keep another version and use it; returns its number.

        Args:
            write: writes what was learnt, durably, to the path that it is given.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        version = max(self._versions(), default=0) + 1
        text = json.dumps(facts, ensure_ascii=False, indent=1)
        write_durably(self.path(version).with_suffix(".json"), lambda file: _write(file, text))
        write(self.path(version))
        self._choose([*self.steps(), version])
        return version

    def remove(self) -> None:
        """Use none from now on; `back` undoes it."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._choose([*self.steps(), REMOVED])

    def back(self) -> int | None:
        """Undo the last step; returns what is in use now. Raises NothingBefore."""
        steps = self.steps()
        if not steps:
            raise NothingBefore(self.folder.name)
        self._choose(steps[:-1])
        return self.current

    def _versions(self) -> list[int]:
        return sorted(int(path.stem) for path in self.folder.glob("*.npz") if path.stem.isdecimal())

    def _choose(self, steps: list[int]) -> None:
        text = json.dumps({"steps": steps})
        write_durably(self.folder / HISTORY, lambda file: _write(file, text))


def pack(path: Path) -> None:
    """Write all that was ever learnt into one file, for a backup."""
    folder = Path(settings.LEARNT_DIR)
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(folder.rglob("*")):
            name = file.relative_to(folder).as_posix()
            if PACKED.fullmatch(name):
                # Of no date, so that the same content is the same file.
                archive.writestr(zipfile.ZipInfo(name), file.read_bytes())


def unpack(path: Path) -> None:
    """Bring back what `pack` wrote. Raises ValueError for what is no such file."""
    try:
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                if PACKED.fullmatch(name):
                    content = archive.read(name)
                    target = Path(settings.LEARNT_DIR) / name
                    target.parent.mkdir(parents=True, exist_ok=True)
                    write_durably(target, partial(_write_bytes, content=content))
    except (zipfile.BadZipFile, KeyError, EOFError) as error:
        raise ValueError(str(error)) from error


def _write_bytes(path: Path, content: bytes) -> None:
    path.write_bytes(content)


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
