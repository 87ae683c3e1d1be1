"""Which images are in the trash: an edit moves an image there, and another takes it out again."""

from __future__ import annotations

import json
from collections.abc import Mapping

from featurestore.segments import Edit

# The field of edits that says since when an image is in the trash; null takes it out.
TRASHED = "trashed_at"


def trash_edit(image_id: int, trashed_at: float | None, edited_at: float) -> Edit:
    """The edit that moves an image to the trash, or out of it.

    Args:
        trashed_at: seconds since 1970 UTC, None to take it out.
    """
    return Edit(image_id, TRASHED, json.dumps(trashed_at), edited_at)


def trashed_images(edits: Mapping[tuple[int, str], Edit]) -> dict[int, float]:
    """Images in the trash by id, with when they were moved there: seconds since 1970 UTC.

    Args:
        edits: the latest edit of each field of each image.
    """
    moments = {
        image_id: json.loads(edit.value)
        for (image_id, field), edit in edits.items()
        if field == TRASHED
    }
    # Whatever another program may have written there: an image is hidden by a number alone.
    return {
        image_id: float(moment)
        for image_id, moment in moments.items()
        if isinstance(moment, int | float) and not isinstance(moment, bool)
    }
