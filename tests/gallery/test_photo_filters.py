from __future__ import annotations

import unicodedata
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gallery.errors import QueryRefused
from gallery.models import Image
from gallery.search import search_text
from tests.gallery.made_gallery import LEFT, add_photo

pytestmark = pytest.mark.django_db

DOG = [("dog", 0.9, LEFT)]
# The zones whose days begin first and last.
FIRST_ZONE, LAST_ZONE = ZoneInfo("Pacific/Kiritimati"), ZoneInfo("Etc/GMT+12")


def names(text: str) -> list[str]:
    answer = search_text(text)
    assert answer.total == len(answer.hits)
    return [hit.image.name for hit in answer.hits]


@pytest.fixture
def dated(gallery_data: Path) -> None:
    """Photos of the moments around the beginning of May 2024, and much older and newer ones."""
    for name, moment in (
        ("old", datetime(2019, 6, 1, tzinfo=UTC)),
        ("april", datetime(2024, 4, 30, 23, 59, 59, 999_999, tzinfo=UTC)),
        ("may", datetime(2024, 5, 1, tzinfo=UTC)),
        ("late may", datetime(2024, 5, 31, 12, tzinfo=UTC)),
        ("new", datetime(2025, 1, 1, tzinfo=UTC)),
    ):
        add_photo(name, DOG if name != "old" else [], uploaded_at=moment)


@pytest.mark.usefixtures("dated")
@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("after:2024-05", ["new", "late may", "may"]),
        ("after:2024-05-01", ["new", "late may", "may"]),
        ("after:2024-05-02", ["new", "late may"]),
        ("before:2024-05", ["april", "old"]),
        ("before:2024", ["old"]),
        ("after:2024 before:2025", ["late may", "may", "april"]),
        ("-after:2024-05", ["april", "old"]),
        ("-before:2024-05", ["new", "late may", "may"]),
        ("after:2026", []),
        ("dog before:2024-05", ["april"]),
        ("dog, cat before:2024-05", ["april"]),
        ("-dog before:2025", ["old", "late may", "may", "april"]),
    ],
)
def test_dates_let_the_right_photos_through(text: str, found: list[str]) -> None:
    assert names(text) == found


@pytest.mark.usefixtures("dated")
def test_a_day_begins_in_the_gallerys_time_zone() -> None:
    with timezone.override(FIRST_ZONE):
        # It is May there 14 hours earlier.
        assert names("after:2024-05") == ["new", "late may", "may", "april"]
    with timezone.override(LAST_ZONE):
        assert names("after:2024-05") == ["new", "late may"]


@pytest.mark.usefixtures("dated")
@pytest.mark.parametrize("zone", [FIRST_ZONE, LAST_ZONE, ZoneInfo("America/Sao_Paulo"), UTC])
def test_the_first_and_last_days_there_are_can_be_asked_for(zone: ZoneInfo) -> None:
    with timezone.override(zone):
        for text in ("after:0001", "before:9999", "before:9999-12-31", "after:0001-01-01"):
            assert len(names(text)) == 5, text
            assert names(f"-{text}") == []
        for text in ("before:0001", "after:9999", "after:9999-12-31", "before:0001-01-02"):
            assert names(text) == []


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    day=st.dates(),
    direction=st.sampled_from(["after", "before"]),
    zone=st.sampled_from([FIRST_ZONE, LAST_ZONE, ZoneInfo("Europe/Berlin"), UTC]),
)
def test_every_day_parts_the_photos_in_two(
    day: datetime, direction: str, zone: ZoneInfo, dated: None
) -> None:
    text = f"{direction}:{day.year:04}-{day.month:02}-{day.day:02}"
    with timezone.override(zone):
        both = names(text) + names(f"-{text}")
    assert sorted(both) == sorted(Image.objects.values_list("name", flat=True))


@pytest.fixture
def named(gallery_data: Path) -> None:
    for name in (
        "Beach day.jpg",
        "ÉTÉ à la plage.JPG",
        unicodedata.normalize("NFD", "café noir.png"),
        unicodedata.normalize("NFC", "Café crème.png"),
        "100%_real.jpg",
        "1000 real.jpg",
        "9.41.00\u202fAM.png",
        "ПРИВЕТ.jpg",
        "a(b)[c]*.jpg",
        "Straße.jpg",
    ):
        add_photo(name, DOG)


@pytest.mark.usefixtures("named")
@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("name:beach", ["Beach day.jpg"]),
        ("name:BEACH", ["Beach day.jpg"]),
        ('name:"beach day"', ["Beach day.jpg"]),
        ('name:"BEACH DAY"', ["Beach day.jpg"]),
        ("name:été", ["ÉTÉ à la plage.JPG"]),
        (f"name:{unicodedata.normalize('NFD', 'Été')}", ["ÉTÉ à la plage.JPG"]),
        ("name:100%_", ["100%_real.jpg"]),
        ("name:привет", ["ПРИВЕТ.jpg"]),
        ('name:"00 am"', ["9.41.00\u202fAM.png"]),
        ('name:"(b)[c]*"', ["a(b)[c]*.jpg"]),
        ('name:"ß"', ["Straße.jpg"]),
        ("name:nowhere", []),
        ("dog name:beach", ["Beach day.jpg"]),
        ("cat name:beach", []),
    ],
)
def test_names_let_the_right_photos_through(text: str, found: list[str]) -> None:
    assert names(text) == found


@pytest.mark.usefixtures("named")
@pytest.mark.parametrize("word", ["café", "CAFÉ", unicodedata.normalize("NFD", "Café")])
def test_it_does_not_matter_how_accents_are_composed(word: str) -> None:
    found = {unicodedata.normalize("NFC", name) for name in names(f"name:{word}")}
    assert found == {"café noir.png", "Café crème.png"}


@pytest.mark.usefixtures("named")
@pytest.mark.parametrize("text", ["beach", "café", '"00 am"', "100%_"])
def test_a_name_parts_the_photos_in_two(text: str) -> None:
    both = names(f"name:{text}") + names(f"-name:{text}")
    assert sorted(both) == sorted(Image.objects.values_list("name", flat=True))


@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(text=st.text(min_size=1, max_size=10))
def test_any_name_can_be_asked_for(text: str, named: None) -> None:
    try:
        names(f'name:"{text}"')
    except QueryRefused:
        return


@pytest.mark.usefixtures("gallery_data")
@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("type:jpg", {"image/jpeg"}),
        ("type:JPEG", {"image/jpeg"}),
        ("type:png", {"image/png"}),
        ("type:heic", {"image/heic"}),
        ("type:heif", {"image/heic"}),
        ("type:tif", {"image/tiff"}),
        ("-type:png", {"image/jpeg", "image/heic", "image/tiff"}),
        ("-type:png -type:jpg", {"image/heic", "image/tiff"}),
        ("type:webp", set()),
        ("dog type:png", {"image/png"}),
    ],
)
def test_types_let_the_right_photos_through(text: str, found: set[str]) -> None:
    for media_type in ("image/jpeg", "image/png", "image/heic", "image/tiff"):
        add_photo(media_type, DOG, media_type=media_type)
    assert set(names(text)) == found


@pytest.mark.usefixtures("gallery_data")
@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("wide", {"1600 × 900", "110 × 100"}),
        ("landscape", {"1600 × 900", "110 × 100"}),
        ("tall", {"900 × 1600", "100 × 110"}),
        ("portrait", {"900 × 1600", "100 × 110"}),
        ("square", {"100 × 100", "109 × 100", "100 × 109"}),
        ("-wide", {"900 × 1600", "100 × 110", "100 × 100", "109 × 100", "100 × 109"}),
        ("-wide -tall", {"100 × 100", "109 × 100", "100 × 109"}),
        ("-square", {"1600 × 900", "900 × 1600", "110 × 100", "100 × 110"}),
        ("wide tall", set()),
        ("dog square", {"100 × 100", "109 × 100", "100 × 109"}),
    ],
)
def test_shapes_let_the_right_photos_through(text: str, found: set[str]) -> None:
    """A tenth more makes a long side, and that exactly: 110 is a tenth more than 100."""
    sides = ((1600, 900), (110, 100), (109, 100), (100, 100))
    for width, height in {*sides, *((height, width) for width, height in sides)}:
        add_photo(f"{width} × {height}", DOG, size=(width, height))
    assert set(names(text)) == found


@pytest.mark.usefixtures("gallery_data")
def test_filters_alone_list_all_that_they_let_through_newest_first() -> None:
    ids = [add_photo(f"{number}.png", [], media_type="image/png").pk for number in range(70)]
    add_photo("other.jpg", DOG)
    answer = search_text("type:png")
    assert (answer.total, answer.hidden) == (70, 0)
    assert [hit.image.pk for hit in answer.hits] == ids[:-51:-1]
    rest = search_text("type:png", offset=50)
    assert [hit.image.pk for hit in rest.hits] == ids[19::-1]
    assert {hit.score for hit in answer.hits + rest.hits} == {1.0}


@pytest.mark.usefixtures("gallery_data")
def test_photos_without_features_are_not_let_through() -> None:
    add_photo("waiting.png", None, state=Image.State.RECEIVED)
    add_photo("failed.png", None, state=Image.State.FAILED)
    add_photo("lost.png", DOG, state=Image.State.LOST)
    add_photo("without.png", None)
    assert names("wide") == []
    assert names("-tall") == []
