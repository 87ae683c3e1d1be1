"""What takes long to find out: found out aside, and shown as it was a little while ago."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Lately(Generic[T]):
    """Asks in a thread of its own, at most once in a while; nobody waits long for the answer.

    Args:
        ask: must not use the database, whose connections belong to threads.
        keep_seconds: for how long an answer is good enough.
        patience_seconds: how long to wait for one.
    """

    def __init__(
        self, ask: Callable[[], T], *, keep_seconds: float, patience_seconds: float
    ) -> None:
        self._ask = ask
        self._keep = keep_seconds
        self._patience = patience_seconds
        self._lock = threading.Lock()
        self._answer: tuple[T] | None = None
        self._asked_at = -keep_seconds
        self._asking: threading.Thread | None = None

    def __call__(self) -> T | None:
        """The answer, if need be the last one; None where there is none yet."""
        with self._lock:
            asking = self._asking
            if asking is None and time.monotonic() - self._asked_at >= self._keep:
                asking = threading.Thread(target=self._find_out, daemon=True)
                self._asking = asking
                asking.start()
        if asking is not None:
            asking.join(self._patience)
        with self._lock:
            return self._answer[0] if self._answer is not None else None

    def forget(self) -> None:
        """Ask anew at the next call."""
        with self._lock:
            self._answer = None
            self._asked_at = -self._keep

    def _find_out(self) -> None:
        try:
            answer = self._ask()
            with self._lock:
                self._answer = (answer,)
        finally:
            with self._lock:
                self._asked_at = time.monotonic()
                self._asking = None
