"""The gallery's settings with small batches, and leases that a test can wait for the end of."""

from __future__ import annotations

from gallery.settings import *  # noqa: F403

INGEST_BATCH = 4
INGEST_LEASE_SECONDS = 8
