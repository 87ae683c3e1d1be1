"""What people decided waits in files until a new catalogue can take it."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.db import OperationalError

from gallery.groups.kept_decisions import DecisionsUnreadable, decisions_text
from gallery.models import AlikePair, Image
from gallery.repairing import GalleryRepair, reconcile_rows
from gallery.waiting_texts import DECISIONS, end_take_over
from tests.gallery.made_gallery import add_photo


def test_decisions_wait_for_the_last_photo_of_the_store(packaged_photos: dict[str, int]) -> None:
    first, second = sorted(packaged_photos.values())[:2]
    AlikePair.objects.create(first_id=first, second_id=second, kind="scene", is_kept=True)
    DECISIONS.put(decisions_text().text)
    AlikePair.objects.all().delete()
    Image.objects.filter(pk=second).delete()
    # Of which the store has none, so that there are as many rows as it has photos.
    add_photo("upload.jpg", None)
    end_take_over()
    assert DECISIONS.path.exists()
    reconcile_rows(GalleryRepair())
    assert AlikePair.objects.kept().values_list("first_id", "second_id").get() == (first, second)
    assert not DECISIONS.path.exists()


@pytest.mark.django_db
def test_only_a_text_that_cannot_be_read_goes_to_quarantine(gallery_data: Path) -> None:
    DECISIONS.put("text")

    def bring_into_a_busy_database(text: str) -> int:
        error = OperationalError("database is locked")
        raise DecisionsUnreadable(str(error)) from error

    def bring_nothing(text: str) -> int:
        raise DecisionsUnreadable("no JSON")

    with pytest.raises(OperationalError, match="locked"):
        DECISIONS.take_over(bring_into_a_busy_database)
    assert DECISIONS.path.read_text() == "text"
    assert DECISIONS.take_over(bring_nothing) is None
    assert not DECISIONS.path.exists()
    [kept] = (gallery_data / "quarantine").iterdir()
    assert kept.read_text() == "text"
