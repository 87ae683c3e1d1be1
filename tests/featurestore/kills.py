"""A process that is killed before a change of the disk, as far as the disk shows it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest


class Killed(BaseException):
    """What a process was about to do when it was killed is never done."""


@contextmanager
def killed_before(step: int | None) -> Iterator[None]:
    """From its `step`-th change of the disk on, a process changes nothing any more.

    It ends by Killed, which nothing may catch. None: it lives.
    """
    if step is None:
        yield
        return
    made = 0

    def or_killed(change: Callable[..., object]) -> Callable[..., object]:
        def call(*args: object, **options: object) -> object:
            nonlocal made
            made += 1
            if made >= step:
                raise Killed
            return change(*args, **options)

        return call

    with pytest.MonkeyPatch.context() as patch:
        for name in ("fsync", "rename", "replace", "link", "unlink"):
            patch.setattr(os, name, or_killed(getattr(os, name)))
        yield
