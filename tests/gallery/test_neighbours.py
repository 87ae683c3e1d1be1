"""What is beside a photo: in the results that it was opened from, else by time."""

from __future__ import annotations

import html
import re

import pytest
from django.test import Client
from django.urls import reverse

from gallery.models import Image
from gallery.neighbours import Neighbours, Origin, address_in_results, neighbours_of, read_origin
from gallery.search import search_text

pytestmark = pytest.mark.django_db

Photos = dict[str, int]
EVERYTHING = "/search?q=person,+cat,+motorcycle&weak=1"


def results(client: Client, address: str) -> list[tuple[int, str]]:
    """Photos of a page of results and the addresses that lead to them."""
    text = html.unescape(client.get(address).content.decode())
    links = re.findall(r'class="hit-picture" href="(/photos/(\d+)/[^"]*)"', text)
    return [(int(pk), link) for link, pk in links]


def beside(image_id: int, origin: Origin | None) -> Neighbours:
    return neighbours_of(Image.objects.get(pk=image_id), origin)


def ids(neighbours: Neighbours) -> tuple[int | None, int | None]:
    before, after = neighbours.before, neighbours.after
    return before and before.image.pk, after and after.image.pk  # type: ignore[return-value]


def test_by_itself_a_photo_is_between_the_newer_and_the_older(packaged_photos: Photos) -> None:
    newest_first = [image.pk for image in Image.objects.newest_first()]
    neighbours = beside(newest_first[1], None)
    assert ids(neighbours) == (newest_first[0], newest_first[2])
    assert not neighbours.in_results
    assert neighbours.back_address == reverse("photos")
    assert ids(beside(newest_first[0], None)) == (None, newest_first[1])


@pytest.mark.parametrize(
    "address",
    [
        EVERYTHING,
        '/search?layout=[{{"object":"cat","box":[0.1,0.1,0.9,0.9]}},'
        '{{"object":"person","box":[0.1,0.1,0.9,0.9]}}]&weak=1&mirror=1',
        "/photos/{coffee}/similar?weak=1",
        "/photos/{astronaut}/similar?part=0,0,1,1&weak=1",
    ],
)
def test_a_found_photo_is_between_its_neighbours_among_the_results(
    packaged_photos: Photos, client: Client, address: str
) -> None:
    found = results(client, address.format(**packaged_photos))
    assert found, address
    order = [None, *[pk for pk, _ in found], None]
    for place, (pk, link) in enumerate(found, start=1):
        response = client.get(link)
        neighbours = response.context["neighbours"]
        assert (neighbours.place, neighbours.total) == (place, len(found))
        assert ids(neighbours) == (order[place - 1], order[place + 1])
        assert results(client, neighbours.back_address) == found
        assert f"{place} of {len(found)}" in response.content.decode()
        if neighbours.after:
            assert neighbours.after.address == found[place][1], pk


def test_the_place_is_found_again_where_others_have_come_or_gone(packaged_photos: Photos) -> None:
    found = [hit.image.pk for hit in search_text("person, cat, motorcycle", weak=True).hits]
    assert len(found) > 2
    assert beside(found[0], Origin(EVERYTHING, 30)).place == 1
    assert ids(beside(found[1], Origin(EVERYTHING, 1))) == (found[0], found[2])


def test_what_is_no_result_any_more_is_shown_beside_those_of_its_time(
    packaged_photos: Photos,
) -> None:
    rocket = packaged_photos["rocket"]
    neighbours = beside(rocket, Origin("/search?q=cat", 1))
    assert ids(neighbours) == ids(beside(rocket, None))
    assert neighbours.in_results
    assert neighbours.place is None
    assert neighbours.back_address == "/search?q=cat"


@pytest.mark.parametrize(
    "address",
    [
        "",
        "/photos/",
        "/people",
        "/nothing",
        "https://evil.example/search?q=cat",
        "//evil.example/search",
        "javascript:alert(1)",
        "/search/../people",
        "/search?q=" + "x" * 2000,
    ],
)
def test_an_address_that_is_no_search_is_not_gone_back_to(
    packaged_photos: Photos, client: Client, address: str
) -> None:
    assert read_origin(address, "1") is None
    response = client.get(f"/photos/{packaged_photos['chelsea']}/", {"from": address, "at": "1"})
    assert response.status_code == 200
    assert response.context["neighbours"].back_address == reverse("photos")


@pytest.mark.parametrize(
    "address",
    [
        "/search?q=cat+left+of+(dog",
        "/search?layout=[",
        "/search/photo/" + "x" * 22 + "/",
        "/photos/999999/similar",
        "/photos/{rocket}/similar?part=1,2",
    ],
)
@pytest.mark.parametrize("place", ["1", "0", "-3", "²", "", "9" * 40])
def test_a_search_that_has_no_results_does_not_hide_the_photo(
    packaged_photos: Photos, client: Client, address: str, place: str
) -> None:
    facts = {"from": address.format(**packaged_photos), "at": place}
    response = client.get(f"/photos/{packaged_photos['chelsea']}/", facts)
    assert response.status_code == 200
    assert response.context["neighbours"].place is None


def test_long_searches_are_left_out_of_addresses(packaged_photos: Photos) -> None:
    cat = Image.objects.get(pk=packaged_photos["chelsea"])
    assert address_in_results(cat, Origin("/search?q=a&weak=1", 3)) == (
        f"/photos/{cat.pk}/?from=/search?q=a%26weak=1&at=3"
    )
    assert address_in_results(cat, Origin("/search?q=" + "a" * 2000, 3)) == f"/photos/{cat.pk}/"
