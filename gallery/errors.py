"""What the gallery refuses; each error's text is a sentence for the person who asked.

Refused                     answered with its status, a 4xx but for the last, and its sentence
├── PhotoRefused (ValueError) an upload that is not a photo the gallery can keep
├── QueryRefused (ValueError) a search that cannot be understood
├── EditRefused (ValueError)  a change that makes no sense
├── EditConflict              a change of what others changed meanwhile, answered with 409
├── VersionMissing            a change that says not what it is a change of, answered with 428
└── DiskFull (OSError)        an upload that there is no room for, answered with 507

TrainingRefused (ValueError)  examples that nothing can be learnt from
ModelUnknown (LookupError)    a model that no detector at hand has
GalleryRuns (RuntimeError)    web, worker or an import are at work, which this must not meet
GalleryBusy (RuntimeError)    the catalogue is being made anew, which this must not meet
"""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from django.db import OperationalError
from django.utils.translation import gettext as _

# A full disk, a used-up quota, a file-size limit.
NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
POSTGRESQL_DISK_FULL = "53100"


class Refused(Exception):
    """Base of all refusals."""

    status = 400


class PhotoRefused(Refused, ValueError):
    """An upload that is not a photo the gallery can keep."""


class QueryRefused(Refused, ValueError):
    """A search that cannot be understood."""

    def __init__(self, sentence: str, span: tuple[int, int] | None = None) -> None:
        """`span`: start and stop of the typed text that is to blame, where one part is."""
        super().__init__(sentence)
        self.span = span


class EditRefused(Refused, ValueError):
    """A change to a photo that makes no sense."""


class EditConflict(Refused):
    """A change of what somebody else has changed since it was looked at."""

    status = 409


class VersionMissing(Refused):
    """A change that does not say which version it is a change of."""

    status = 428


class DiskFull(Refused, OSError):
    """An upload that there is no room for."""

    status = 507


class TrainingRefused(ValueError):
    """Examples that nothing can be learnt from."""


class ModelUnknown(LookupError):
    """A model that no detector at hand has."""

    def __init__(self, model_id: str, known: Sequence[str]) -> None:
        super().__init__(f"No detector has the model {model_id}; there are: {', '.join(known)}.")
        self.model_id = model_id
        self.known = known


class GalleryRuns(RuntimeError):
    """Others are at work in the data folder."""

    def __init__(self) -> None:
        super().__init__(
            "The gallery is running: stop web, worker and imports first, then give this again. "
            "They would go on with the catalogue that this replaces."
        )


class GalleryBusy(RuntimeError):
    """The catalogue is being made anew."""

    def __init__(self) -> None:
        super().__init__(
            "The catalogue is being made anew or restored just now; "
            "start again when that has ended."
        )


@contextmanager
def refusing_full_disk() -> Iterator[None]:
    """Raises DiskFull where system or database say that there is no room to write."""
    try:
        yield
    except (OSError, OperationalError) as error:
        if not is_disk_full(error):
            raise
        raise DiskFull(
            _(
                "The disk is full, so the gallery cannot keep this file. "
                "Make room and upload it again."
            )
        ) from error


def is_disk_full(error: OSError | OperationalError) -> bool:
    if isinstance(error, OSError):
        return error.errno in NO_ROOM
    return (
        getattr(error.__cause__, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL
        or getattr(error.__cause__, "sqlstate", None) == POSTGRESQL_DISK_FULL
    )
