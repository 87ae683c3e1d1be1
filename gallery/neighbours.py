"""What comes before and after a photo: in the results it was opened from, else by time."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from django.http import QueryDict
from django.urls import Resolver404, ResolverMatch, resolve, reverse
from django.utils.http import urlencode

from detector import DetectorError
from featurestore.errors import StoreError
from gallery.errors import Refused
from gallery.example_photo import ExamplePhoto
from gallery.hits import Answer
from gallery.layouts import parse_layout, parse_part
from gallery.look_search import read_likeness, search_alike
from gallery.models import Image
from gallery.photo_queries import load_photo_query
from gallery.search import search_layout, search_text

LONGEST_ORIGIN = 2000
LARGEST_PLACE = 10**9
# How far from its place a photo is looked for: just there, then where others that came or went
# meanwhile may have moved it.
NEAR, FAR = 2, 50


@dataclass(frozen=True)
class Origin:
    """The results that a photo was opened from."""

    address: str
    """Path and query of a page of results, whose first hit is the first of all."""
    place: int
    """The photo's among them, from 1."""


@dataclass(frozen=True)
class Neighbour:
    image: Image
    address: str


@dataclass(frozen=True)
class Neighbours:
    before: Neighbour | None
    after: Neighbour | None
    back_address: str
    """Where the photo was opened from."""
    in_results: bool
    """Whether that is a page of results."""
    place: int | None = None
    """The photo's among the results, from 1; None where it is not one of them any more."""
    total: int = 0


def read_origin(address: str, place: str) -> Origin | None:
    """What the address of a photo's page says about its origin; None where that is no search."""
    if not 0 < len(address) <= LONGEST_ORIGIN or _route(address) is None:
        return None
    known = place.isdecimal() and place.isascii() and len(place) <= len(str(LARGEST_PLACE))
    return Origin(address, min(max(1, int(place)), LARGEST_PLACE) if known else 1)


def address_in_results(image: Image, origin: Origin | None) -> str:
    """The address of a photo's page that remembers where it was opened from, if it is short."""
    page = image.get_absolute_url()
    if origin is None or len(origin.address) > LONGEST_ORIGIN:
        return page
    facts = urlencode({"from": origin.address, "at": str(origin.place)})
    # Readable where the standard lets it be.
    for code, sign in (("%2F", "/"), ("%3F", "?"), ("%3D", "="), ("%2C", ","), ("%3A", ":")):
        facts = facts.replace(code, sign)
    return f"{page}?{facts}"


def neighbours_of(image: Image, origin: Origin | None) -> Neighbours:
    """Those among the results of the origin, or by time where it is none of them."""
    if origin is None:
        return _neighbours_by_time(image, reverse("photos"), in_results=False)
    for reach in (NEAR, FAR):
        first = max(0, origin.place - 1 - reach)
        answer = _answer(origin.address, first, origin.place + reach - first)
        if answer is None:
            break
        images = [hit.image for hit in answer.hits]
        if image in images:
            return _neighbours_among(images, images.index(image), origin.address, first, answer)
    return _neighbours_by_time(image, origin.address, in_results=True)


def _neighbours_among(
    images: list[Image], found: int, address: str, first: int, answer: Answer
) -> Neighbours:
    """Those beside `images[found]`; `first` results come before these images."""

    def neighbour(at: int) -> Neighbour | None:
        if not 0 <= at < len(images):
            return None
        return Neighbour(
            images[at], address_in_results(images[at], Origin(address, first + at + 1))
        )

    place = first + found + 1
    return Neighbours(
        neighbour(found - 1), neighbour(found + 1), address, True, place, answer.total
    )


def _neighbours_by_time(image: Image, back_address: str, *, in_results: bool) -> Neighbours:
    newer, older = Image.objects.newer_than(image), Image.objects.older_than(image)
    before, after = (
        None if other is None else Neighbour(other, other.get_absolute_url())
        for other in (newer, older)
    )
    return Neighbours(before, after, back_address, in_results)


def _route(address: str) -> tuple[ResolverMatch, QueryDict] | None:
    """The view and the query of an address of results; None of any other."""
    path, _, query = address.partition("?")
    try:
        match = resolve(path)
    except Resolver404:
        return None
    if match.url_name not in ("search", "similar", "photo_results"):
        return None
    return match, QueryDict(query)


def _answer(address: str, offset: int, limit: int) -> Answer | None:
    """Some hits of a page of results, wherever its address begins; None where it has none."""
    route = _route(address)
    if route is None:
        return None
    match, query = route
    facts = {name: str(value) for name, value in query.items()}
    weak = facts.get("weak") == "1"
    try:
        if match.url_name == "search" and "layout" not in facts:
            return search_text(
                facts.get("q", ""),
                limit=limit,
                offset=offset,
                weak=weak,
                company=facts.get("company") == "1",
            )
        if match.url_name == "search":
            return search_layout(
                parse_layout(facts["layout"]),
                mirror=facts.get("mirror") == "1",
                limit=limit,
                offset=offset,
                weak=weak,
            )
        photo = _example(match)
        part = parse_part(facts["part"]) if facts.get("part") else None
        return search_alike(
            photo.layout(part),
            partial(photo.look, part),
            read_likeness(facts),
            without_image_id=photo.image_id,
            only=facts.get("q", ""),
            mirror=facts.get("mirror") == "1",
            limit=limit,
            offset=offset,
            weak=weak,
        )
    except (Refused, DetectorError, StoreError, LookupError, OSError, Image.DoesNotExist):
        # The photo is shown all the same, beside those of its time.
        return None


def _example(match: ResolverMatch) -> ExamplePhoto:
    """The photo that a search by photo compares."""
    if match.url_name == "similar":
        return ExamplePhoto.of_image(Image.objects.shown().get(pk=match.kwargs["image_id"]))
    return ExamplePhoto.of_query(load_photo_query(match.kwargs["token"]))
