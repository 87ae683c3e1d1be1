from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse

from featurestore.errors import ImageNotStored
from gallery import components, originals
from gallery.errors import DiskFull
from gallery.ingest import ingest_batch
from gallery.models import Image
from gallery.originals import delete_images, read_original, thumbnail_path
from gallery.previews import make_missing_previews
from gallery.thumbnails import Size
from gallery.uploads import Outcome, receive_file
from tests.gallery.full_disk import file_size_limit
from tests.photos import CAT, MOTORCYCLE, MOTORCYCLE_AGAIN

pytestmark = pytest.mark.django_db

Delete = Callable[[Client, Image], None]


def by_page(client: Client, image: Image) -> None:
    response = client.post(reverse("delete", args=[image.pk]))
    assert response.status_code == 302
    assert response["Location"] == reverse("photos")


def by_api(client: Client, image: Image) -> None:
    response = client.delete(f"/api/v1/images/{image.pk}")
    assert response.status_code == 204
    assert response.content == b""


@pytest.fixture
def photos(gallery_data: Path) -> dict[str, Image]:
    """Two photos of a motorcycle and a cat, ready."""
    for path in (MOTORCYCLE, MOTORCYCLE_AGAIN, CAT):
        receive_file(path)
    ingest_batch(Image.objects.claim_batch())
    return {Path(image.name).stem: image for image in Image.objects.ready()}


@pytest.mark.parametrize("delete", [by_page, by_api])
def test_a_deleted_photo_is_gone_from_every_page_and_answer_at_once(
    delete: Delete, photos: dict[str, Image], client: Client
) -> None:
    doomed, other = photos["motorcycle_left"], photos["motorcycle_right"]
    # Small pictures are still shown on the page of the trash.
    addresses = [
        reverse(name, args=[doomed.pk]) for name in ("photo", "original", "delete", "similar")
    ] + [f"/api/v1/images/{doomed.pk}", f"/api/v1/images/{doomed.pk}/similar"]
    for address in addresses:
        assert client.get(address).status_code == 200, address
    delete(client, doomed)
    for address in addresses:
        assert client.get(address).status_code == 404, address
    for address in ("/", "/photos/", "/search?q=motorcycle", f"/photos/{other.pk}/similar"):
        page = client.get(address).content.decode()
        assert doomed.name not in page
        assert doomed.get_absolute_url() not in page
    assert client.delete(f"/api/v1/images/{doomed.pk}").status_code == 404
    assert client.get("/api/v1/images").json()["total"] == 2
    found = client.get("/api/v1/search?q=motorcycle").json()["results"]
    assert [hit["name"] for hit in found] == [other.name]
    alike = client.get(f"/api/v1/images/{other.pk}/similar").json()["results"]
    assert doomed.name not in [hit["name"] for hit in alike]


def test_the_bytes_of_a_deleted_photo_cannot_be_read(photos: dict[str, Image]) -> None:
    cat = photos["chelsea"]
    paths = [thumbnail_path(cat, size) for size in Size]
    delete_images([cat])
    with pytest.raises(ImageNotStored):
        components.store().read_image(cat.pk)
    assert not any(path.exists() for path in paths)


def test_a_thumbnail_that_is_made_during_a_deletion_does_not_stay(
    photos: dict[str, Image],
) -> None:
    cat = photos["chelsea"]

    def read_just_before_the_deletion(image: Image) -> bytes:
        original = read_original(image)
        delete_images([image])
        return original

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(originals, "read_original", read_just_before_the_deletion)
        with pytest.raises(ImageNotStored):
            thumbnail_path(cat, Size.VIEW)
    assert cat.sha256 not in " ".join(map(str, components.thumbnails().files()))


def test_a_thumbnail_that_the_disk_has_no_room_for_leaves_nothing(
    photos: dict[str, Image],
) -> None:
    cat = photos["chelsea"]
    components.thumbnails().remove(cat.sha256)
    before = sorted(components.thumbnails().files())
    Image.objects.update(preview=None)
    with file_size_limit(1000):
        with pytest.raises(DiskFull):
            thumbnail_path(cat, Size.GRID)
        with pytest.raises(DiskFull):
            make_missing_previews(seconds=10)
    assert sorted(components.thumbnails().files()) == before
    # Nor is it given up on for that.
    assert make_missing_previews(seconds=10) == len(photos)
    assert Image.objects.get(pk=cat.pk).preview


def test_deletion_asks_first(photos: dict[str, Image], client: Client) -> None:
    cat = photos["chelsea"]
    page = client.get(reverse("delete", args=[cat.pk]))
    assert page.status_code == 200
    assert cat.name in page.content.decode()
    assert Image.objects.filter(pk=cat.pk).exists()


def test_a_photo_that_still_waits_can_be_deleted(gallery_data: Path) -> None:
    image = receive_file(CAT).image
    assert image is not None
    delete_images([image])
    assert list(components.spool().folder.iterdir()) == []
    assert Image.objects.claim_batch() == []


def test_a_deleted_photo_can_be_uploaded_again_and_is_a_new_one(
    photos: dict[str, Image],
) -> None:
    cat = photos["chelsea"]
    delete_images([cat])
    answer = receive_file(CAT)
    assert answer.outcome == Outcome.STORED
    ingest_batch(Image.objects.claim_batch())
    assert answer.image is not None
    assert answer.image.pk > cat.pk
    assert components.store().read_image(answer.image.pk) == CAT.read_bytes()


def test_deleting_nothing_writes_nothing(gallery_data: Path) -> None:
    delete_images([])
    assert not list(components.store().folder.rglob("*.h5"))
