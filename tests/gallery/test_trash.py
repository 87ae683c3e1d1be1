"""Deleted photos: hidden at once, kept for a while, brought back, gone in the end."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import h5py
import pytest
from django.core.management import call_command
from django.test import Client, override_settings
from django.urls import reverse
from django.utils import timezone

from featurestore.errors import ImageNotStored
from featurestore.view import write_view
from gallery import components
from gallery.agreement import agree_after_crash, end_deletions
from gallery.checking import check_rows
from gallery.errors import DiskFull
from gallery.models import Image, ImageQuerySet
from gallery.search import layout_of_image, search_layout, search_text
from gallery.trash import (
    delete_expired,
    end_moves,
    move_to_trash,
    moved_at,
    restore_from_trash,
)
from gallery.uploads import Outcome, receive_file
from gallery.views import trash as trash_views
from tests.gallery.full_disk import file_size_limit
from tests.photos import CAT

pytestmark = pytest.mark.django_db

Photos = dict[str, int]


def shown_ids() -> set[int]:
    return set(Image.objects.shown().values_list("pk", flat=True))


def found_by_words(text: str) -> list[str]:
    return [hit.image.name for hit in search_text(text).hits]


def forget_catalogue() -> None:
    Image.objects.all().delete()
    call_command("rebuild_catalogue", verbosity=0)


def test_a_photo_in_the_trash_is_in_no_answer_and_comes_back_whole(
    packaged_photos: Photos, client: Client
) -> None:
    cat, motorcycle = packaged_photos["chelsea"], packaged_photos["motorcycle_left"]
    addresses = [f"/photos/{cat}/{end}" for end in ("", "original", "delete", "similar")]
    addresses += [f"/api/v1/images/{cat}", f"/api/v1/images/{cat}/similar"]
    before = [client.get(address).status_code for address in addresses]
    assert before == [200] * len(addresses)
    totals = client.get("/api/v1/images").json()["total"]

    move_to_trash([cat])
    assert [client.get(address).status_code for address in addresses] == [404] * len(addresses)
    assert found_by_words("kitten") == []
    alike = search_layout(layout_of_image(motorcycle), weak=True)
    assert "chelsea.png" not in [hit.image.name for hit in alike.hits]
    for page in ("/", "/photos/", "/search?q=kitten"):
        assert "chelsea.png" not in client.get(page).content.decode(), page
    assert client.get("/api/v1/images").json()["total"] == totals - 1
    assert cat not in components.index().live_ids
    neighbours = [Image.objects.newer_than(image) for image in Image.objects.shown()]
    assert cat not in [image.pk for image in neighbours if image]

    assert restore_from_trash([cat]) == 1
    assert [client.get(address).status_code for address in addresses] == before
    assert found_by_words("kitten") == ["chelsea.png"]
    assert components.store().read_image(cat) == CAT.read_bytes()
    assert list(check_rows()) == []


def test_the_trash_outlives_the_catalogue_a_compaction_and_a_backup(
    packaged_photos: Photos, tmp_path: Path
) -> None:
    cat, coffee = packaged_photos["chelsea"], packaged_photos["coffee"]
    _, moment = move_to_trash([cat, coffee])
    restore_from_trash([coffee])
    call_command("compact", verbosity=0)
    forget_catalogue()
    row = Image.objects.get(pk=cat)
    assert row.trashed_at is not None
    assert abs(row.trashed_at - moment) < timedelta(milliseconds=1)
    assert shown_ids() == set(packaged_photos.values()) - {cat}
    assert list(check_rows()) == []
    call_command("backup", str(tmp_path / "backup"), verbosity=0)
    rows = next((tmp_path / "backup").glob("catalogue-*.jsonl")).read_text().splitlines()
    assert [json.loads(row)["id"] for row in rows if json.loads(row)["trashed_at"]] == [cat]


def test_other_programs_see_no_photo_of_the_trash_in_the_view(packaged_photos: Photos) -> None:
    move_to_trash([packaged_photos["chelsea"]])
    with h5py.File(write_view(components.store(), components.model_id())) as view:
        ids = set(view["raw_images/image_id"][:].tolist())
        assert set(view["ssd_feature_group/image_id"][:].tolist()) == ids
    assert ids == set(packaged_photos.values()) - {packaged_photos["chelsea"]}


@pytest.mark.parametrize("restores", [False, True])
def test_what_a_killed_process_told_the_store_alone_is_brought_to_the_catalogue(
    packaged_photos: Photos, restores: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    cat = packaged_photos["chelsea"]
    if restores:
        move_to_trash([cat])
    with monkeypatch.context() as patch:
        patch.setattr(ImageQuerySet, "update", killed)
        with pytest.raises(KeyboardInterrupt):
            restore_from_trash([cat]) if restores else move_to_trash([cat])
    # Whatever is still to be done, no search shows it.
    assert found_by_words("kitten") == []
    agree_after_crash()
    assert (cat in shown_ids()) is restores
    assert list(check_rows()) == []


def killed(*args: object, **facts: object) -> int:
    raise KeyboardInterrupt


def test_an_upload_of_the_same_bytes_brings_a_photo_back_and_says_so(
    packaged_photos: Photos, monkeypatch: pytest.MonkeyPatch
) -> None:
    cat = packaged_photos["chelsea"]
    move_to_trash([cat])
    answer = receive_file(CAT)
    assert answer.outcome == Outcome.DUPLICATE
    assert answer.sentence == "It was in the trash and is back, as chelsea.png."
    assert answer.image is not None
    assert answer.image.pk == cat
    assert cat in shown_ids()
    # Also where a killed process has told the store alone.
    with monkeypatch.context() as patch:
        patch.setattr(ImageQuerySet, "update", killed)
        with pytest.raises(KeyboardInterrupt):
            move_to_trash([cat])
    assert receive_file(CAT).sentence == "It was in the trash and is back, as chelsea.png."
    end_moves()
    assert cat in shown_ids()
    move_to_trash([cat])
    call_command("ingest", str(CAT), verbosity=0)
    assert cat in shown_ids()


def test_what_is_old_enough_is_deleted_for_good_in_the_background(
    packaged_photos: Photos, run_worker: Callable[[], None]
) -> None:
    cat, coffee = packaged_photos["chelsea"], packaged_photos["coffee"]
    move_to_trash([cat, coffee])
    with override_settings(TRASH_DAYS=30):
        assert delete_expired(timezone.now() + timedelta(days=29)) == 0
        assert delete_expired(timezone.now() + timedelta(days=31)) == 2
    with pytest.raises(ImageNotStored):
        components.store().read_image(cat)
    end_deletions()
    assert not Image.objects.filter(pk__in=[cat, coffee]).exists()
    rocket = packaged_photos["rocket"]
    with override_settings(TRASH_DAYS=0):
        move_to_trash([rocket])
        run_worker()
    assert not Image.objects.filter(pk=rocket).exists()


def test_photos_that_were_moved_together_come_back_together(
    packaged_photos: Photos, client: Client
) -> None:
    ids = sorted(packaged_photos.values())
    answer = client.post(
        reverse("move_to_trash"), {"photos": f"{ids[0]},{ids[1]}"}, headers={"Accept": "*/json"}
    ).json()
    assert answer["sentence"] == "2 photos moved to the trash."
    page = client.post(reverse("move_to_trash"), {"photo": [ids[2]]}, follow=True)
    assert "1 photo moved to the trash." in page.content.decode()
    page = client.post(reverse("move_to_trash"), {"photo": [ids[2]]}, follow=True)
    assert "Nothing was moved" in page.content.decode()
    assert 'name="moment"' not in page.content.decode()
    undo = {"moment": answer["moment"]}
    page = client.post(reverse("restore"), undo, follow=True)
    assert "2 photos are back in the gallery." in page.content.decode()
    assert shown_ids() == set(ids) - {ids[2]}
    assert moved_at(timezone.now()).count() == 0
    for wrong in ("", "yesterday", "2020-01-01", "9" * 400):
        page = client.post(reverse("restore"), {"moment": wrong}, follow=True)
        assert "not known any more" in page.content.decode(), wrong


def test_the_page_of_the_trash_brings_back_and_asks_before_it_deletes_for_good(
    packaged_photos: Photos, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    cat, coffee, rocket = (packaged_photos[name] for name in ("chelsea", "coffee", "rocket"))
    assert "The trash is empty" in client.get("/trash").content.decode()
    move_to_trash([cat, coffee, rocket])
    page = client.get("/trash").content.decode()
    assert "30 days left" in page
    assert client.get(f"/photos/{cat}/grid.jpg").status_code == 200
    client.post(reverse("restore"), {"photo": [cat]})
    question = client.post(reverse("delete_for_good"), {"photo": [coffee, cat]})
    assert "Delete 2 photos for good?" in question.content.decode()
    assert Image.objects.filter(pk=coffee).exists()
    client.post(reverse("delete_for_good"), {"photos": f"{coffee},{cat}", "sure": "1"})
    # What is not in the trash is never deleted from its page.
    assert Image.objects.filter(pk=cat).exists()
    assert not Image.objects.filter(pk=coffee).exists()
    question = client.post(reverse("delete_for_good"), {"all": "1"})
    assert f'value="{rocket}"' in question.content.decode()
    # A trash of more photos than a form can name is emptied in several goes.
    monkeypatch.setattr(trash_views, "MOST_PHOTOS", 1)
    move_to_trash([cat])
    question = client.post(reverse("delete_for_good"), {"all": "1"})
    assert f'value="{rocket}"' in question.content.decode()


@pytest.mark.parametrize(
    "fields", [{}, {"photo": "x"}, {"photos": "1,,9" + "9" * 30}, {"photos": "1;2"}]
)
def test_a_form_that_names_no_photos_gets_a_sentence(
    gallery_data: Path, client: Client, fields: dict[str, str]
) -> None:
    for name in ("move_to_trash", "restore", "delete_for_good"):
        page = client.post(reverse(name), fields, follow=True)
        assert page.status_code == 200
        assert 'role="status"' in page.content.decode()
    assert client.post(reverse("download"), fields).status_code == 400


def test_the_api_moves_restores_lists_and_deletes_for_good(
    packaged_photos: Photos, client: Client
) -> None:
    address = f"/api/v1/images/{packaged_photos['chelsea']}"
    assert client.delete(address).status_code == 204
    assert client.delete(address).status_code == 404
    listed = client.get("/api/v1/trash").json()
    assert [photo["name"] for photo in listed["photos"]] == ["chelsea.png"]
    assert listed["total"] == 1
    assert client.post(f"{address}/restore").status_code == 204
    assert client.post(f"{address}/restore").status_code == 204
    assert client.get(address).status_code == 200
    client.delete(address)
    assert client.delete(f"{address}?for_good=true").status_code == 204
    assert client.post(f"{address}/restore").status_code == 404
    assert client.get("/api/v1/trash").json()["total"] == 0


def test_a_full_disk_leaves_a_photo_where_it_is(packaged_photos: Photos) -> None:
    with file_size_limit(100), pytest.raises(DiskFull):
        move_to_trash([packaged_photos["chelsea"]])
    assert packaged_photos["chelsea"] in shown_ids()
    assert components.store().trashed() == {}
