from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client, override_settings
from django.utils import timezone

from gallery.models import Image
from gallery.timeline import (
    PHOTOS_ON_A_PAGE,
    Place,
    PlaceUnknown,
    all_months,
    page_before,
    page_from,
)
from gallery.trash import move_to_trash

pytestmark = pytest.mark.django_db

NEWEST = datetime(2026, 3, 20, 12, tzinfo=UTC)


def add_rows(moments: list[datetime]) -> list[Image]:
    """Photos of these times, which nothing but the catalogue knows of."""
    return Image.objects.bulk_create(
        [
            Image(
                sha256=f"{at:064x}",
                name=f"{at}.jpg",
                media_type="image/jpeg",
                size=1,
                width=400 + at,
                height=300,
                uploaded_at=moment,
                state=Image.State.READY,
            )
            for at, moment in enumerate(moments)
        ]
    )


def test_pages_follow_each_other_and_lead_back_whatever_goes(
    gallery_data: object,
) -> None:
    # Three at each time, so that only the ids tell them apart.
    images = add_rows([NEWEST - timedelta(hours=at // 3) for at in range(3 * PHOTOS_ON_A_PAGE)])
    in_order = list(Image.objects.newest_first())
    first = page_from(None)
    assert first.images == in_order[:PHOTOS_ON_A_PAGE]
    assert first.newer is None
    assert first.older is not None
    second = page_from(Place.parse(str(first.older)))
    assert second.images == in_order[PHOTOS_ON_A_PAGE : 2 * PHOTOS_ON_A_PAGE]
    assert second.newer is not None
    assert page_before(second.newer).images == first.images
    move_to_trash([second.images[0].pk])
    again = page_from(Place.parse(str(first.older)))
    assert again.images[: PHOTOS_ON_A_PAGE - 1] == second.images[1:]
    third = page_from(again.older)
    assert third.older is None
    assert len(first.images) + len(again.images) + len(third.images) == len(images) - 1


def test_a_page_from_a_month_begins_with_its_newest_photo(gallery_data: object) -> None:
    add_rows([NEWEST, NEWEST - timedelta(days=40), NEWEST - timedelta(days=90)])
    names = [image.name for image in page_from(Place.of_month("2026-02")).images]
    assert names == ["1.jpg", "2.jpg"]
    assert page_from(Place.of_month("2026-03")).images[0].name == "0.jpg"


@pytest.mark.parametrize("text", ["", "x", "2026", "1-2-3", "-5", "9" * 18 + "-1", "5-"])
def test_a_place_that_is_none_is_not_found(gallery_data: object, client: Client, text: str) -> None:
    with pytest.raises(PlaceUnknown):
        Place.parse(text)
    with pytest.raises(PlaceUnknown):
        Place.of_month(text)
    assert client.get("/photos/", {"from": text}).status_code == 404
    assert client.get("/photos/", {"until": text}).status_code == 404


def test_the_ends_of_time_are_no_trouble(gallery_data: object, client: Client) -> None:
    add_rows([NEWEST])
    for month in ("0001-01", "9999-11", "9999-12", "2026-13", "0000-00"):
        assert client.get("/photos/", {"month": month}).status_code in (200, 404), month
    assert client.get("/photos/", {"from": f"{10**17 - 1}-{10**18 - 1}"}).status_code == 200


def test_few_photos_of_neighbouring_days_share_a_heading(gallery_data: object) -> None:
    day = timedelta(days=1)
    add_rows([NEWEST, NEWEST - day, NEWEST - 2 * day, *[NEWEST - 3 * day] * 8, NEWEST - 30 * day])
    [march, february] = page_from(None).months
    assert [(group.key, len(group.images)) for group in march.days] == [
        ("2026-03-20 2026-03-18", 3),
        ("2026-03-17", 8),
    ]
    assert february.key == "2026-02"


@pytest.mark.parametrize("zone", ["UTC", "Asia/Kolkata", "America/Los_Angeles"])
def test_months_are_counted_in_the_zone_of_the_gallery(gallery_data: object, zone: str) -> None:
    midnight = datetime(2026, 3, 1, tzinfo=UTC)
    minutes = (0, 1, -1, -400, 600, -45 * 24 * 60, -45 * 24 * 60 - 1)
    add_rows([midnight + timedelta(minutes=minute) for minute in minutes])
    with override_settings(TIME_ZONE=zone):
        by_month: dict[str, int] = {}
        for image in Image.objects.newest_first():
            month = f"{timezone.localtime(image.uploaded_at):%Y-%m}"
            by_month[month] = by_month.get(month, 0) + 1
        assert {month.key: month.photos for month in all_months()} == by_month
        assert [month.key for month in all_months()] == sorted(by_month, reverse=True)


def test_the_grid_pages_without_a_script(gallery_data: object, client: Client) -> None:
    add_rows([NEWEST - timedelta(days=at) for at in range(PHOTOS_ON_A_PAGE + 5)])
    page = client.get("/photos/").content.decode()
    assert page.count('class="thumbnail ') == PHOTOS_ON_A_PAGE
    older = re.search(r'rel="next" href="([^"]+)"', page)
    assert older is not None
    second = client.get(f"/photos/{older[1]}").content.decode()
    assert second.count('class="thumbnail ') == 5
    assert 'rel="prev"' in second
    assert "March 2026" in page
    assert client.get("/photos/?month=2026-02").content.decode().count("March 2026") < page.count(
        "March 2026"
    )


def test_a_page_of_the_grid_is_light_and_asks_little_of_the_database(
    gallery_data: object, client: Client, django_assert_max_num_queries: object
) -> None:
    add_rows([NEWEST - timedelta(hours=at) for at in range(500)])
    Image.objects.update(preview=b"x" * 140)
    client.get("/photos/")
    with django_assert_max_num_queries(6):  # type: ignore[operator]
        page = client.get("/photos/")
    assert len(page.content) < 100_000


def test_the_size_of_the_pictures_is_remembered(gallery_data: object, client: Client) -> None:
    add_rows([NEWEST])
    assert 'data-size="medium"' in client.get("/photos/?size=huge").content.decode()
    client.get("/photos/?size=large")
    assert 'class="months" data-size="large"' in client.get("/photos/").content.decode()
