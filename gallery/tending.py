"""Keeps the store in shape while the gallery runs: few segments, current index and view."""

from __future__ import annotations

import logging

from featurestore.compaction import Compaction, compact
from featurestore.errors import CompactionRuns
from featurestore.view import write_view
from gallery import components
from gallery.look_projection import current_look_space

logger = logging.getLogger(__name__)


def tend_store(*, everything: bool = False) -> Compaction | None:
    """Compact, renew index files and renew `gallery.h5`.

    Args:
        everything: merge even a few small segments.

    Returns:
        What compaction did, or None where another process is at it.

    Raises OSError (a full disk), after which nothing is lost.
    """
    store = components.store()
    model_id = components.model_id()
    try:
        done = compact(
            store,
            everything=everything,
            before_removal=lambda paths: write_view(store, model_id, leaving_out=paths),
        )
    except CompactionRuns:
        return None
    for path in done.damaged:
        logger.error("%s is damaged: run `python manage.py check_store --repair`.", path)
    for stored_model_id in store.model_ids():
        store.renew_index(stored_model_id)
    look_model_id = components.look_model_id()
    if look_model_id is not None:
        store.renew_look_index(look_model_id, current_look_space(look_model_id))
    return done
