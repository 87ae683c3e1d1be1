"""The protocol server in a process of its own, and the faults it is told to have."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest

SCRIPT = Path(__file__).with_name("protocol_server.py")


class ProtocolServer:
    """`protocol_server.py` over the SavedModels in folders, for as long as a `with` lasts."""

    def __init__(self, *saved_model_dirs: Path, log: Path) -> None:
        with log.open("w") as stderr:
            self._process = subprocess.Popen(
                [sys.executable, str(SCRIPT), *map(str, saved_model_dirs)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                text=True,
            )
        port = self._read_line()
        if not port:
            self._process.wait()
            pytest.fail(f"the protocol server did not start:\n{log.read_text()}")
        self.address = f"127.0.0.1:{port}"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._process.terminate()
        self._process.communicate()

    def tell(self, command: str) -> None:
        """Give it one of its commands, and wait until it has obeyed."""
        assert self._process.stdin is not None
        self._process.stdin.write(command + "\n")
        self._process.stdin.flush()
        assert self._read_line() == "done", f"the protocol server did not obey {command!r}"

    @contextmanager
    def fault(self, name: str) -> Iterator[None]:
        """Have all requests meet a fault for as long as this lasts."""
        self.tell(name)
        try:
            yield
        finally:
            self.tell("none")

    @contextmanager
    def down(self) -> Iterator[None]:
        """Have nobody listen at its address for as long as this lasts."""
        self.tell("down")
        try:
            yield
        finally:
            self.tell("up")

    @contextmanager
    def versions(self, *versions: int) -> Iterator[None]:
        """Have it serve these versions of the model instead of version 1."""
        self.tell(f"versions {' '.join(map(str, versions))}")
        try:
            yield
        finally:
            self.tell("versions 1")

    @contextmanager
    def loading(self) -> Iterator[None]:
        """Have it still load its models for as long as this lasts."""
        self.tell("loading")
        try:
            yield
        finally:
            self.tell("loaded")

    def _read_line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()
