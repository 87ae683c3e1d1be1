from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from django.core.management import call_command
from django.test import Client

from gallery import components
from gallery.models import Image
from gallery.uploads import receive_file
from tests.photos import CAT

pytestmark = pytest.mark.django_db


@pytest.fixture
def cat(run_worker: Callable[[], None]) -> Image:
    image = receive_file(CAT).image
    assert image is not None
    run_worker()
    return image


def rename(client: Client, image: Image, name: str) -> tuple[int, str]:
    response = client.patch(
        f"/api/v1/images/{image.pk}", json.dumps({"name": name}), content_type="application/json"
    )
    return response.status_code, response.json().get("name", response.json().get("detail"))


def test_a_photo_is_renamed_on_its_page(client: Client, cat: Image) -> None:
    response = client.post(f"/photos/{cat.pk}/rename", {"name": "Chelsea <b>"}, follow=True)
    assert "Chelsea &lt;b&gt;" in response.content.decode()
    assert Image.objects.get(pk=cat.pk).name == "Chelsea <b>"


def test_a_photo_is_renamed_by_the_api(client: Client, cat: Image) -> None:
    assert rename(client, cat, "Chelsea.png") == (200, "Chelsea.png")
    assert client.get(f"/api/v1/images/{cat.pk}").json()["name"] == "Chelsea.png"


def test_a_name_is_only_text(client: Client, cat: Image) -> None:
    assert rename(client, cat, " AC/DC \n<b>live</b>.jpg ") == (200, "AC/DC <b>live</b>.jpg")


@pytest.mark.parametrize("name", ["", "  ", "x" * 256])
def test_a_name_that_is_none_is_refused(client: Client, cat: Image, name: str) -> None:
    status, sentence = rename(client, cat, name)
    assert status == 400
    assert "name" in sentence.lower()
    assert Image.objects.get(pk=cat.pk).name == "chelsea.png"


def test_the_new_name_outlives_the_catalogue(client: Client, cat: Image) -> None:
    rename(client, cat, "first.png")
    rename(client, cat, "Chelsea.png")
    Image.objects.all().delete()
    call_command("rebuild_catalogue", verbosity=0)
    assert Image.objects.get(pk=cat.pk).name == "Chelsea.png"


def test_the_new_name_survives_compaction(client: Client, cat: Image) -> None:
    for number in range(10):
        rename(client, cat, f"{number}.png")
    call_command("compact", verbosity=0)
    assert json.loads(components.store().edits()[cat.pk, "name"].value) == "9.png"


def test_a_photo_that_is_not_there_cannot_be_renamed(client: Client, gallery_data: object) -> None:
    response = client.patch("/api/v1/images/5", '{"name": "x"}', content_type="application/json")
    assert response.status_code == 404
