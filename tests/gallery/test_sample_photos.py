"""Sample photos: taken in like uploads, and out again without touching anybody's own."""

from __future__ import annotations

import html
import subprocess
import sys
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from gallery import sample_photos
from gallery.access.binding import Login
from gallery.models import Image
from gallery.sample_photos import SAMPLES, import_samples, imported_samples, remove_samples
from gallery.uploads import Outcome, receive_file
from tests.gallery.people import Who, client_of
from tests.photos import CAT

pytestmark = pytest.mark.django_db


def test_they_are_taken_in_once(gallery_data: Path, client: Client) -> None:
    assert "Try it with six sample photos" in client.get("/").content.decode()
    assert client.post(reverse("import_samples")).status_code == 302
    assert Image.objects.received().count() == len(SAMPLES) == 6
    assert [answer.outcome for answer in import_samples()] == [Outcome.DUPLICATE] * 6
    dashboard = html.unescape(client.get("/").content.decode())
    assert "6 sample photos are here to try things with." in dashboard
    assert "Stefan van der Walt, CC0" in dashboard


def test_they_are_taken_out_but_nobodys_own_copy(gallery_data: Path, client: Client) -> None:
    own = receive_file(CAT).image
    import_samples()
    assert imported_samples().count() == 5
    renamed = imported_samples().first()
    assert renamed is not None
    Image.objects.filter(pk=renamed.pk).update(name="mine.png")
    answer = client.post(reverse("remove_samples"), follow=True)
    assert "4 sample photos are gone." in answer.content.decode()
    assert set(Image.objects.all()) == {own, renamed}
    assert remove_samples() == 0


def test_readers_of_an_empty_gallery_are_told_so_and_offered_nothing(
    gallery_data: Path, settings: Settings
) -> None:
    settings.GALLERY_LOGIN = Login.REQUIRED
    shown = client_of(Who.READER).get("/").content.decode()
    assert "Photos appear here as soon as an editor adds some" in shown
    assert "sample photos" not in shown
    assert "manage.py ingest" not in shown
    editors, owners = (
        html.unescape(client_of(who).get("/").content.decode()) for who in (Who.EDITOR, Who.OWNER)
    )
    assert ">python manage.py ingest ~/Pictures<" in editors
    # Where the gallery lies is told to owners only.
    assert str(settings.BASE_DIR) not in editors
    assert str(settings.BASE_DIR) in owners


def test_they_are_not_offered_where_the_package_is_missing(
    gallery_data: Path, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sample_photos, "PACKAGE", "no_such_package")
    assert "sample photos" not in client.get("/").content.decode()
    answer = client.post(reverse("import_samples"), follow=True)
    assert "is not installed" in answer.content.decode()


def test_the_package_itself_is_never_imported() -> None:
    code = (
        "import os, sys; os.environ['DJANGO_SETTINGS_MODULE'] = 'tests.settings'\n"
        "import django; django.setup()\n"
        "from gallery.sample_photos import sample_paths\n"
        "assert len(sample_paths()) == 6\n"
        "assert 'skimage' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
