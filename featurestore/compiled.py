"""Functions that numba compiles to machine code, once for all processes where that can be kept."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, cast

import numba

Function = TypeVar("Function", bound=Callable[..., object])

# Its type stubs leave out the settings that it reads from the environment.
config: Any = numba.config

SOURCES = Path(__file__).parent


def compiled(function: Function) -> Function:
    """A function over arrays and numbers, compiled at its first call; other threads run meanwhile.

    The machine code is kept in `cache_folder`, or made anew by each process where there is none.
    """
    return _compiled(function, set())


def compiled_for_vectors(function: Function) -> Function:
    """Likewise for numbers that are never NaN, and where the sign of a zero says nothing.

    min and max of such numbers are single vector instructions. Sums keep their order and no
    operations are merged, so results do not depend on where in an array a number lies.
    """
    return _compiled(function, {"nnan", "nsz"})


def _compiled(function: Function, promises: set[str]) -> Function:
    folder = cache_folder()
    if folder is None:
        return cast(Function, numba.njit(nogil=True, fastmath=promises)(function))
    # numba looks at its setting when a function is decorated, and only then.
    before = config.CACHE_DIR
    config.CACHE_DIR = str(folder)
    try:
        return cast(Function, numba.njit(nogil=True, cache=True, fastmath=promises)(function))
    finally:
        config.CACHE_DIR = before


@cache
def cache_folder() -> Path | None:
    """Where machine code is kept: beside the sources, else in the home folder, else nowhere.

    `NUMBA_CACHE_DIR` names another place. The folder is named by the digest of the sources: numba
    notices a change of a function's own file only, not of those that it calls. It holds pickles,
    so nobody else may write there.
    """
    name = f"image-gallery-{_digest_of_sources()}"
    chosen = config.CACHE_DIR
    places = [Path(chosen)] if chosen else [SOURCES / "__pycache__", *_home_cache()]
    return next((place / name for place in places if _is_ours(place / name)), None)


def _digest_of_sources() -> str:
    digest = hashlib.sha256(numba.__version__.encode())
    for path in sorted(SOURCES.glob("*.py")):
        text = path.read_bytes()
        # Others hold nothing that is compiled.
        if b"compiled" in text or b"numba" in text:
            digest.update(path.name.encode() + b"\0" + text)
    return digest.hexdigest()[:16]


def _home_cache() -> list[Path]:
    try:
        return [Path.home() / ".cache"]
    except RuntimeError:
        return []


def _is_ours(folder: Path) -> bool:
    """Whether the folder can be written, or made, and belongs to nobody else."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return folder.stat().st_uid == os.getuid() and os.access(folder, os.W_OK | os.X_OK)
    except OSError:
        return False
