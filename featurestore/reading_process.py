"""Reads files that may be damaged in a process of its own: HDF5 may crash on them, or never end."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from types import TracebackType
from typing import Any, ParamSpec, TypeVar

from featurestore.errors import DAMAGE_ERRORS, SegmentDamaged

P = ParamSpec("P")
T = TypeVar("T")

# A value may take so long, and in addition what a slow disk takes for the file.
SECONDS = 30.0
BYTES_PER_SECOND = 2_000_000

VALUE, END, GONE, FAILED = "value", "end", "gone", "failed"

# Finds this package wherever the parent found it.
_START = f"""\
import runpy, sys
sys.path.insert(0, {str(Path(__file__).resolve().parent.parent)!r})
runpy.run_module("featurestore.reading_process", run_name="__main__")
"""


class ReadingProcess:
    """A process that starts when it is first needed, and anew after one that did not survive."""

    def __init__(self, *, seconds: float = SECONDS) -> None:
        self._seconds = seconds
        self._process: subprocess.Popen[bytes] | None = None
        self._connection: Connection[Any, Any] | None = None

    def __enter__(self) -> ReadingProcess:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.end()

    def read(
        self,
        path: Path,
        function: Callable[P, Iterable[T]],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> Iterator[T]:
        """What a function of a module gives for a file, one value at a time.

        Values and arguments are pickled. One iteration has to end before the next begins.

        Raises SegmentDamaged where the function fails, crashes or takes too long for one value,
        FileNotFoundError where it does.
        """
        seconds = self._seconds + path.stat().st_size / BYTES_PER_SECOND
        connection, ended = self._started(), False
        try:
            connection.send((seconds, function, args, kwargs))
            while not ended:
                outcome, value = connection.recv()
                ended = outcome != VALUE
                if outcome == VALUE:
                    yield value
                elif outcome == GONE:
                    raise FileNotFoundError(*value)
                elif outcome == FAILED:
                    raise SegmentDamaged(path, value)
        except (EOFError, ConnectionError) as error:
            raise SegmentDamaged(path, self._cause_of_death()) from error
        finally:
            if not ended:
                self.end()

    def end(self) -> None:
        """End the process, whatever it does."""
        if self._connection is not None:
            self._connection.close()
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self._connection = self._process = None

    def _started(self) -> Connection[Any, Any]:
        if self._connection is None:
            self._connection, theirs = Pipe()
            with theirs:
                self._process = subprocess.Popen(
                    [sys.executable, "-c", _START, str(theirs.fileno())],
                    pass_fds=[theirs.fileno()],
                )
        return self._connection

    def _cause_of_death(self) -> str:
        assert self._process is not None
        if self._process.wait() == -signal.SIGALRM:
            return "reading it does not end"
        return "reading it crashes"


def main(connection: Connection[Any, Any]) -> None:
    """Answer questions until there are no more."""
    # Ends this process within HDF5 as well, and even where nobody waits for the answer any more.
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    while True:
        signal.setitimer(signal.ITIMER_REAL, 0)
        try:
            seconds, function, args, kwargs = connection.recv()
        except EOFError:
            return
        try:
            signal.setitimer(signal.ITIMER_REAL, seconds)
            for value in function(*args, **kwargs):
                signal.setitimer(signal.ITIMER_REAL, seconds)
                connection.send((VALUE, value))
            answer: tuple[str, object] = (END, None)
        except FileNotFoundError as error:
            answer = (GONE, error.args)
        except DAMAGE_ERRORS as error:
            reason = error.reason if isinstance(error, SegmentDamaged) else str(error)
            answer = (FAILED, reason)
        connection.send(answer)


if __name__ == "__main__":
    main(Connection(int(sys.argv[1])))
