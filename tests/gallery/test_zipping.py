from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from zipfile import ZipFile

import pytest
from django.test import Client
from django.urls import reverse

from gallery import components
from gallery.edits import rename_image
from gallery.models import Image
from gallery.trash import move_to_trash
from gallery.zipping import MISSING, SafeNames, safe_name, zip_of
from tests.photos import CAT, COFFEE

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("cat.png", "cat.png"),
        ("../../etc/passwd", "_.._etc_passwd.png"),
        ("AC/DC: live?.jpg", "AC_DC_ live_.jpg"),
        ("CON.png", "_CON.png"),
        ("", "photo.png"),
        (" . ", "photo.png"),
        ("no ending", "no ending.png"),
        ("Dr. Who at the station", "Dr. Who at the station.png"),
        ("x" * 300 + ".jpg", "x" * 120 + ".jpg"),
        ("cafe\u0301.jpg", "caf\u00e9.jpg"),
    ],
)
def test_every_system_can_have_a_file_of_the_name(name: str, safe: str) -> None:
    assert safe_name(name, "image/png") == safe
    assert "/" not in safe_name(name, "image/png")


def test_each_photo_has_a_name_of_its_own() -> None:
    names = SafeNames()
    given = [Image(name=name, media_type="image/jpeg") for name in ("a.jpg", "A.JPG", "a.jpg")]
    assert [names.of(image) for image in given] == ["a.jpg", "A (2).JPG", "a (3).jpg"]


def test_a_zip_holds_the_originals_byte_for_byte(
    packaged_photos: dict[str, int], client: Client
) -> None:
    cat, coffee = packaged_photos["chelsea"], packaged_photos["coffee"]
    rename_image(Image.objects.get(pk=cat), "../COFFEE.png")
    response = client.post(reverse("download"), {"photos": f"{coffee},{cat},{coffee},999999"})
    assert response["Content-Type"] == "application/zip"
    assert "attachment" in response["Content-Disposition"]
    with ZipFile(io.BytesIO(b"".join(response.streaming_content))) as archive:  # type: ignore[attr-defined]
        assert archive.testzip() is None
        content = {name: archive.read(name) for name in archive.namelist()}
    assert content == {"coffee.png": COFFEE.read_bytes(), "_COFFEE.png": CAT.read_bytes()}


def test_a_photo_of_the_trash_is_in_no_download(
    packaged_photos: dict[str, int], client: Client
) -> None:
    cat = packaged_photos["chelsea"]
    move_to_trash([cat])
    response = client.post(reverse("download"), {"photo": [cat]})
    assert response.status_code == 400
    assert "None of these photos is there any more." in response.content.decode()


def test_what_cannot_be_read_is_named_at_the_end(
    packaged_photos: dict[str, int], damage_images: Callable[[], None]
) -> None:
    damage_images()
    with ZipFile(io.BytesIO(b"".join(zip_of([packaged_photos["chelsea"]])))) as archive:
        assert archive.namelist() == [MISSING]
        assert "chelsea.png" in archive.read(MISSING).decode()


@pytest.fixture
def damage_images(gallery_data: Path) -> Callable[[], None]:
    """Takes the originals off the disk."""

    def damage() -> None:
        for path in (components.store().folder / "images").glob("*.h5"):
            path.unlink()

    return damage


def test_it_goes_out_in_pieces_and_is_nowhere_as_a_whole(
    packaged_photos: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gallery.zipping.PIECE", 10_000)
    pieces = list(zip_of(list(packaged_photos.values())))
    assert max(map(len, pieces)) < 11_000 + 500 * len(packaged_photos)
    with ZipFile(io.BytesIO(b"".join(pieces))) as archive:
        assert len(archive.namelist()) == len(packaged_photos)
