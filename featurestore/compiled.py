"""Functions that numba compiles to machine code, once for all processes where that can be kept."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

from featurestore.code_cache import code_cache

Function = TypeVar("Function", bound=Callable[..., object])


def compiled(function: Function) -> Function:
    """A function over arrays and numbers, compiled at its first call; other threads run meanwhile.

    The machine code is kept in `code_cache.cache_folder`, or made anew by each process where there
    is none.
    """
    return _compiled(function, set())


def compiled_for_vectors(function: Function) -> Function:
    """Likewise for numbers that are never NaN, and where the sign of a zero says nothing.

    min and max of such numbers are single vector instructions. Sums keep their order and no
    operations are merged, so results do not depend on where in an array a number lies.
    """
    return _compiled(function, {"nnan", "nsz"})


def _compiled(function: Function, promises: set[str]) -> Function:
    dispatcher: Any = numba.njit(nogil=True, fastmath=promises)(function)
    kept = code_cache(function)
    if kept is not None:
        # As `cache=True` does, with a cache of another kind.
        dispatcher._cache = kept
    return cast(Function, dispatcher)
