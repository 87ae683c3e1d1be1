"""Where numba keeps machine code, and how: damage and a lack of room there stop no call.

numba's own cache raises whatever unpickling a torn file raises, from each call in each process.
"""

from __future__ import annotations

import hashlib
import logging
import os
import pickle
import re
import shutil
import threading
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

import numba
from numba.core import caching, serialize, sigutils

logger = logging.getLogger(__name__)

# numba's settings are read from the environment, and its functions have no types.
config: Any = numba.config
dumps: Any = serialize.dumps
normalize_signature: Any = sigutils.normalize_signature

SOURCES = Path(__file__).parent

FOLDER_NAME = re.compile(r"image-gallery-[0-9a-f]{16}")

# Permissions to write of anybody but the owner.
OTHERS_WRITE = 0o022

_setting_lock = threading.Lock()


class _ByPackage(caching.UserProvidedCacheLocator):
    """A place for each package, wherever its folder lies: a copy of it finds the same code.

    That the sources are the same is looked at all the same.
    """

    @classmethod
    def get_suitable_cache_subpath(cls, py_file: str) -> str:
        return Path(py_file).parent.name


class _CheckedCode(caching.CompileResultCacheImpl):
    """What is kept of a function, with its SHA-256: changed machine code may crash the process."""

    # Others would keep code where the functions that it calls may change unnoticed.
    _locator_classes: ClassVar = [  # type: ignore[misc]  # numba declares it without ClassVar
        _ByPackage
    ]

    def reduce(self, cres: Any) -> tuple[bytes, bytes]:
        plain: Any = super()
        content: bytes = dumps(plain.reduce(cres))
        return hashlib.sha256(content).digest(), content

    def rebuild(self, target_context: Any, payload: tuple[bytes, bytes]) -> Any:
        digest, content = payload
        if hashlib.sha256(content).digest() != digest:
            raise ValueError("its SHA-256 is not that of its content")
        plain: Any = super()
        return plain.rebuild(target_context, pickle.loads(content))


class CodeCache(caching.FunctionCache):
    """Kept machine code of one function. Nothing that happens to its files makes a call fail."""

    _impl_class = _CheckedCode

    def __init__(self, function: Callable[..., object]) -> None:
        plain: Any = super()
        plain.__init__(function)

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """The code for a signature, None where it has to be compiled."""
        plain: Any = super()
        try:
            found = plain.load_overload(sig, target_context)
            # Two processes that begin at once can each give the same file name to their signature.
            if found is None or found.signature.args == normalize_signature(sig)[0]:
                return found
            problem = f"it is code for {found.signature.args}"
        # Unpickling what is damaged may raise anything.
        except Exception as error:
            problem = f"{type(error).__name__}: {error}"
        logger.warning("Machine code of %s is made anew: %s", self._name, problem)
        self._forget()
        return None

    def save_overload(self, sig: Any, data: Any) -> None:
        """Keep the code for a signature, if the disk has room for it."""
        plain: Any = super()
        try:
            # A process of newer sources may have removed the folder; see `sweep_old_code`.
            if Path(self.cache_path).parent.is_dir():
                plain.save_overload(sig, data)
        # No room, or what it is to be added to is damaged.
        except Exception as error:
            logger.warning("Machine code of %s could not be kept: %s", self._name, error)

    def _forget(self) -> None:
        """Remove the list of what is kept of the function; the code itself is written over."""
        try:
            Path(self._cache_file._index_path).unlink(missing_ok=True)
        except OSError as error:
            logger.warning("%s cannot be removed: %s", self._cache_file._index_path, error)


def code_cache(function: Callable[..., object]) -> CodeCache | None:
    """Where the machine code of a function is kept, None where it cannot be."""
    folder = cache_folder()
    if folder is None:
        return None
    # Modules are imported in several threads at once, and the setting is of the whole process.
    with _setting_lock:
        # numba looks at its setting when a cache is made, and only then.
        before = config.CACHE_DIR
        config.CACHE_DIR = str(folder)
        try:
            return CodeCache(function)
        except RuntimeError as error:
            # The folder cannot be written just now.
            logger.warning("Machine code is not kept: %s", error)
            return None
        finally:
            config.CACHE_DIR = before


@cache
def cache_folder() -> Path | None:
    """Where machine code is kept: beside the sources, else in the home folder, else nowhere.

    `NUMBA_CACHE_DIR` names another place. The folder is named by the digest of the sources: numba
    notices a change of a function's own file only, not of functions and constants of others. It
    holds pickles, so nobody else may write there.
    """
    name = f"image-gallery-{digest_of(SOURCES)}"
    chosen = config.CACHE_DIR
    places = [Path(chosen)] if chosen else [SOURCES / "__pycache__", *_home_cache()]
    return next((place / name for place in places if _is_ours(place / name)), None)


def digest_of(sources: Path) -> str:
    """16 hexadecimal digits that change with numba and with any module of a folder."""
    digest = hashlib.sha256(numba.__version__.encode())
    for path in sorted(sources.glob("*.py")):
        # Lengths keep apart what would be the same one after the other.
        text = path.read_bytes()
        digest.update(f"{path.name}\0{len(text)}\0".encode() + text)
    return digest.hexdigest()[:16]


def sweep_old_code() -> list[Path]:
    """Remove the machine code of other sources beside that of these; returns the removed folders.

    A process that still runs older sources goes on with the code that it has, compiles what it
    lacks and keeps no more of it. Several processes may sweep at once.
    """
    current = cache_folder()
    if current is None:
        return []
    removed = []
    for path in current.parent.iterdir():
        if path != current and FOLDER_NAME.fullmatch(path.name) and not path.is_symlink():
            # Another process may be removing it as well.
            shutil.rmtree(path, ignore_errors=True)
            removed.append(path)
    return removed


def _home_cache() -> list[Path]:
    try:
        return [Path.home() / ".cache"]
    except RuntimeError:
        return []


def _is_ours(folder: Path) -> bool:
    """Whether the folder can be written, or made, and by nobody else."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        stat = folder.stat()
        return (
            stat.st_uid == os.getuid()
            and stat.st_mode & OTHERS_WRITE == 0
            and os.access(folder, os.W_OK | os.X_OK)
        )
    except OSError:
        return False
