"""A database that answers queries for photos with an error."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction


@contextmanager
def changed_database(statement: str) -> Iterator[None]:
    """A statement was given, until this ends; within a test that rolls back its own changes."""
    before = transaction.savepoint()
    with connection.cursor() as cursor:
        cursor.execute(statement)
    try:
        yield
    finally:
        transaction.savepoint_rollback(before)


@contextmanager
def broken_database() -> Iterator[None]:
    """The table of photos is not there, until this ends."""
    with changed_database("ALTER TABLE gallery_image RENAME TO elsewhere"):
        yield
