"""The gallery's settings for a machine on which something is killed every second."""

from __future__ import annotations

from gallery.settings import *  # noqa: F403

# A killed worker's photos wait for the end of its lease; a test does not want to.
INGEST_LEASE_SECONDS = 8
# The kills are no photo's fault, so no photo is given up for them.
INGEST_TRIES = 20
