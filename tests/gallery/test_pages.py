from __future__ import annotations

import html
import re
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from gallery import components
from gallery.models import Image
from gallery.uploads import receive_file
from gallery.views import search
from tests.gallery.served_gallery import MULTIPART, free_port, multipart
from tests.photos import CAT, MOTORCYCLE_AGAIN, drawn_png

pytestmark = pytest.mark.django_db

Photos = dict[str, int]


def page(client: Client, path: str, status: int = 200) -> str:
    """The text of a page, as a reader sees its entities."""
    response = client.get(path)
    assert response.status_code == status, path
    assert response["Content-Type"] == "text/html; charset=utf-8"
    return html.unescape(response.content.decode())


def search_by_photo(client: Client, name: str, data: bytes) -> tuple[int, str]:
    """The status and the address or the page that a search by photo leads to."""
    body = multipart([(name, data)], field="photo")
    response = client.post(reverse("photo_query"), body, content_type=MULTIPART)
    return response.status_code, response.get("Location") or response.content.decode()


@pytest.mark.parametrize("path", ["/", "/photos/", "/progress"])
def test_an_empty_gallery_has_its_pages(path: str, gallery_data: Path, client: Client) -> None:
    page(client, path)


def test_every_page_of_a_gallery_answers(packaged_photos: Photos, client: Client) -> None:
    cat = packaged_photos["chelsea"]
    for path in (
        "/",
        "/progress",
        "/photos/",
        "/photos/?page=1",
        f"/photos/{cat}/",
        f"/photos/{cat}/delete",
        f"/photos/{cat}/similar",
        "/search?q=cat",
        "/search?q=cat&offset=48",
        "/search?q=qqxqq",
        "/search?q=puppy+on+couch,+only+vehicles+after:2020",
        "/search?q=wide",
        "/draw",
    ):
        page(client, path)


def test_the_dashboard_counts_and_links_its_common_objects(
    packaged_photos: Photos, client: Client
) -> None:
    dashboard = page(client, "/")
    assert "6" in dashboard
    assert "?q=cat" in dashboard
    assert "?q=motorcycle" in dashboard
    for image_id in packaged_photos.values():
        assert reverse("thumbnail", args=[image_id]) in dashboard


def test_the_dashboard_tells_what_failed(gallery_data: Path, client: Client) -> None:
    receive_file(CAT)
    Image.objects.update(state=Image.State.FAILED, failure="It rained on the detector.")
    for path in ("/", "/progress"):
        text = page(client, path)
        assert "It rained on the detector." in text
        assert reverse("retry") in text


def test_a_photos_page_names_its_objects_and_leads_to_its_neighbours(
    packaged_photos: Photos, client: Client
) -> None:
    ids = sorted(packaged_photos.values())
    text = page(client, f"/photos/{ids[1]}/")
    assert "cat" in text
    assert "451 × 300" in text
    for other in (ids[0], ids[2]):
        assert reverse("photo", args=[other]) in text


@pytest.mark.parametrize("offset", ["-1", "abc", "1.5", "", "9" * 30])
def test_an_offset_that_makes_no_sense_is_404_with_a_sentence(
    offset: str, packaged_photos: Photos, client: Client
) -> None:
    cat = packaged_photos["chelsea"]
    for path in (f"/search?q=cat&offset={offset}", f"/photos/{cat}/similar?offset={offset}"):
        assert "There is no such page of results." in page(client, path, status=404)


@pytest.mark.parametrize("image_id", ["0", "999999999", "9" * 18])
@pytest.mark.parametrize("name", ["photo", "thumbnail", "view", "original", "delete", "similar"])
def test_a_photo_that_is_not_there_is_404_with_a_sentence(
    name: str, image_id: str, gallery_data: Path, client: Client
) -> None:
    text = page(client, reverse(name, args=[int(image_id)]), status=404)
    assert f"There is no photo {image_id}; it may have been deleted." in text


@pytest.mark.parametrize(
    "path",
    [
        "/photos/-1/",
        "/photos/abc/",
        "/photos/" + "9" * 30 + "/",
        "/nothing",
        "/photos/1/huge.jpg",
        "/search/photo/token/",
        "/search/photo/" + "x" * 22 + "/",
        "/search/photo/" + "x" * 22 + "/query.jpg",
        "/search/photo/..%2f..%2fsecret_key/",
    ],
)
def test_an_address_that_leads_nowhere_is_404_with_a_page(
    path: str, gallery_data: Path, client: Client
) -> None:
    text = page(client, path, status=404)
    assert reverse("dashboard") in text


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("d" * 10_000, "This search has 10,000 characters; the limit is 500."),
        ("!?…%20--%20,,", "There is no word to search for."),
        ("%00%01%1b%7f", "There is no word to search for."),
        ("", "There is no word to search for."),
    ],
)
def test_a_search_that_makes_no_sense_is_refused_with_a_sentence(
    query: str, sentence: str, packaged_photos: Photos, client: Client
) -> None:
    assert sentence in page(client, f"/search?q={query}", status=400)


def test_a_word_that_no_vector_knows_is_named(packaged_photos: Photos, client: Client) -> None:
    text = page(client, "/search?q=cat+qqxqq")
    assert "qqxqq" in text
    assert "The gallery does not know the word" in text
    assert reverse("photo", args=[packaged_photos["chelsea"]]) in text


def test_results_tell_why_they_match(packaged_photos: Photos, client: Client) -> None:
    text = page(client, "/search?q=kitten")
    assert re.search(r"kitten: cat, \d+% sure", text)
    assert re.search(r"read as cat.*; similarity 0\.\d\d", text)


def test_a_drawn_layout_has_results_and_a_canvas(packaged_photos: Photos, client: Client) -> None:
    layout = '[{"object":"cat","box":[0.1,0.1,0.9,0.9]}]'
    results = page(client, f"/search?layout={layout}")
    assert reverse("photo", args=[packaged_photos["chelsea"]]) in results
    assert f"{reverse('draw')}?layout=" in results
    assert "Mirror images too" in results
    assert "Only as it lies" in page(client, f"/search?layout={layout}&mirror=1")
    canvas = page(client, f"/draw?layout={layout}&mirror=1&shape=3:4")
    assert f'data-layout="{layout}"' in canvas
    assert "1 photo</option>" in canvas


@pytest.mark.parametrize(
    ("layout", "sentence"),
    [
        ("", "This layout is not JSON."),
        ("[]", "This layout has no object in it."),
        ("{", "This layout is not JSON."),
        ('[{"object":"<b>","box":[0,0,1,1]}]', "The gallery knows no object “<b>”."),
        ('[{"object":"cat","box":[0.5,0,0.5,1]}]', "A box should have its first corner above"),
    ],
)
def test_a_layout_that_makes_no_sense_is_refused_with_a_sentence(
    layout: str, sentence: str, packaged_photos: Photos, client: Client
) -> None:
    text = page(client, f"/search?layout={layout}", status=400)
    assert sentence in text
    if layout:
        assert sentence in page(client, f"/draw?layout={layout}", status=400)


def test_a_part_of_a_photo_is_searched_with(packaged_photos: Photos, client: Client) -> None:
    motorcycle = packaged_photos["motorcycle_left"]
    text = page(client, f"/photos/{motorcycle}/similar?part=0.05,0.05,0.99,0.99&weak=1")
    assert "like this part" in text
    assert f'href="/photos/{motorcycle}/similar?weak=1">Search with the whole photo' in text


@pytest.mark.parametrize("part", ["x", "0,0,1", "0,0,2,1", "0.5,0,0.4,1", "nan,0,1,1", "0,0,0,0"])
def test_a_part_that_is_none_is_refused_with_a_sentence(
    part: str, packaged_photos: Photos, client: Client
) -> None:
    cat = packaged_photos["chelsea"]
    text = page(client, f"/photos/{cat}/similar?part={part}", status=400)
    assert "A part of a photo" in text


def test_what_breaks_the_language_is_marked(packaged_photos: Photos, client: Client) -> None:
    text = page(client, "/search?q=cat+left+of+(dog", status=400)
    assert "Brackets have no meaning in a search." in text
    assert '<mark><span class="visually-hidden">Here: </span>(</mark>dog' in text


def test_pages_of_results_keep_the_search_in_their_addresses(
    packaged_photos: Photos, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "HITS_ON_A_PAGE", 1)
    whole = "[0.1,0.1,0.9,0.9]"
    layout = f'[{{"object":"person","box":{whole}}},{{"object":"cat","box":{whole}}}]'
    for path in (
        "/search?q=cat,+motorcycle&weak=1",
        f"/search?layout={layout}&weak=1&mirror=1",
        "/search?q=cat&weak=1&company=1",
    ):
        text = page(client, path)
        address = re.search(r'rel="next" href="([^"]+offset=1)"', text)
        assert address, path
        facts = parse_qs(urlsplit(address[1]).query)
        asked = parse_qs(urlsplit(path).query)
        assert facts == asked | {"offset": ["1"]}
        assert 'rel="prev"' in page(client, address[1])


def test_a_search_by_photo_has_an_address_and_shows_the_photo(
    packaged_photos: Photos, client: Client
) -> None:
    status, address = search_by_photo(client, "right.png", MOTORCYCLE_AGAIN.read_bytes())
    assert status == 302
    assert reverse("photo", args=[packaged_photos["motorcycle_left"]]) in page(client, address)
    picture = client.get(f"{address}query.jpg")
    assert picture["Content-Type"] == "image/jpeg"
    assert b"".join(picture).startswith(b"\xff\xd8")
    assert Image.objects.count() == 6


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "This file is empty."),
        (b"no photo", "This is not a photo in a format the gallery reads"),
        (CAT.read_bytes()[:9000], "This photo is damaged or cut short"),
        (bytes(2**20 + 1), "the limit is 1 MB"),
    ],
)
def test_a_search_by_what_is_no_photo_is_refused_with_a_sentence(
    data: bytes, sentence: str, gallery_data: Path, client: Client, settings: Settings
) -> None:
    settings.MAX_UPLOAD_BYTES = 2**20
    status, text = search_by_photo(client, "query.jpg", data)
    assert status == 400
    assert sentence in text
    assert not any(
        path.is_file() for path in gallery_data.rglob("*") if "store" not in path.parts[-2]
    )


def test_a_search_by_photo_without_a_photo_is_refused(gallery_data: Path, client: Client) -> None:
    response = client.post(reverse("photo_query"))
    assert response.status_code == 400
    assert "Choose a photo to search with." in response.content.decode()


def test_a_search_by_photo_without_a_detector_is_told(
    gallery_data: Path, client: Client, settings: Settings
) -> None:
    components.detector.cache_clear()
    settings.DETECTOR_URL = f"grpc://127.0.0.1:{free_port()}"
    status, text = search_by_photo(client, "query.png", drawn_png())
    components.detector.cache_clear()
    assert status == 503
    assert "The detector does not answer just now. Please try again in a moment." in text


def test_a_photo_that_still_waits_has_pages(gallery_data: Path, client: Client) -> None:
    image = receive_file(CAT).image
    assert image is not None
    page(client, image.get_absolute_url())
    assert "No object was recognised" in page(
        client, reverse("similar", args=[image.pk]), status=400
    )
    for name in ("thumbnail", "view"):
        response = client.get(reverse(name, args=[image.pk]))
        assert response.status_code == 200
        assert response["Content-Type"] == "image/jpeg"


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/upload", "POST"),
        ("/retry", "POST"),
        ("/search/photo", "POST"),
    ],
)
def test_what_changes_something_refuses_get(
    path: str, allowed: str, gallery_data: Path, client: Client
) -> None:
    response = client.get(path)
    assert response.status_code == 405
    assert response["Allow"] == allowed


@pytest.mark.parametrize("path", ["/", "/photos/", "/progress", "/search?q=cat"])
@pytest.mark.parametrize("method", ["post", "put", "delete", "patch"])
def test_what_is_only_read_refuses_writes(
    method: str, path: str, gallery_data: Path, client: Client
) -> None:
    assert getattr(client, method)(path).status_code == 405


@pytest.mark.parametrize("path", ["/upload", "/retry", "/search/photo", "/photos/{}/delete"])
def test_a_form_without_its_token_is_refused_with_a_page(
    path: str, packaged_photos: Photos
) -> None:
    path = path.format(packaged_photos["chelsea"])
    response = Client(enforce_csrf_checks=True).post(path)
    assert response.status_code == 403
    assert "Please reload the page and try again." in response.content.decode()
    assert Image.objects.count() == 6


@pytest.mark.parametrize("path", ["/", "/photos/", "/search?q=cat", "/nothing", "/api/v1/images"])
def test_every_answer_is_guarded_by_its_headers(
    path: str, packaged_photos: Photos, client: Client
) -> None:
    response = client.get(path)
    policy = response["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["X-Frame-Options"] == "DENY"
    assert response["Referrer-Policy"] == "same-origin"


def test_pages_hold_no_inline_script_or_style(packaged_photos: Photos, client: Client) -> None:
    cat = packaged_photos["chelsea"]
    paths = ["/", "/photos/", "/search?q=cat", "/draw", f"/photos/{cat}/", f"/photos/{cat}/similar"]
    for path in paths:
        source = client.get(path).content.decode()
        assert not re.search(r"<script(?![^>]*\bsrc=)", source)
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:", source)


def test_an_original_is_a_download_that_nothing_in_it_runs(
    packaged_photos: Photos, client: Client
) -> None:
    response = client.get(reverse("original", args=[packaged_photos["chelsea"]]))
    assert response.content == CAT.read_bytes()
    assert response["Content-Type"] == "image/png"
    assert response["Content-Disposition"] == 'attachment; filename="chelsea.png"'
    assert response["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert response["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("picture", ["grid_url", "view_url"])
def test_a_picture_may_be_kept_for_good_where_its_address_says_whose_it_is(
    picture: str, packaged_photos: Photos, client: Client
) -> None:
    cat = Image.objects.get(pk=packaged_photos["chelsea"])
    address = getattr(cat, picture)
    assert {"private", "immutable"} <= set(client.get(address)["Cache-Control"].split(", "))
    # A restored backup may give the same id to another photo.
    other = Image.objects.get(pk=packaged_photos["coffee"])
    of_another_photo = address.replace(cat.version, other.version)
    for uncertain in (address.partition("?")[0], of_another_photo):
        response = client.get(uncertain)
        assert response.status_code == 200
        assert set(response["Cache-Control"].split(", ")) == {"private", "no-cache"}


def test_pages_show_pictures_by_addresses_that_may_be_kept(
    packaged_photos: Photos, client: Client
) -> None:
    cat = Image.objects.get(pk=packaged_photos["chelsea"])
    for path in (
        *("/", "/photos/", "/search?q=cat", cat.get_absolute_url()),
        *(reverse(name, args=[cat.pk]) for name in ("delete", "similar")),
    ):
        source = client.get(path).content.decode()
        pictures = re.findall(r'src="(/photos/[^"]+[.]jpg[^"]*)"', source)
        assert pictures, path
        assert all(re.search(r"[?]v=[0-9a-f]{12}$", picture) for picture in pictures), path


def test_names_with_html_are_shown_as_they_are(packaged_photos: Photos, client: Client) -> None:
    name = "<img src=x onerror=alert(1)> \"'&.png"
    cat = packaged_photos["chelsea"]
    Image.objects.filter(pk=cat).update(name=name, state=Image.State.READY)
    paths = [
        "/",
        "/photos/",
        f"/photos/{cat}/",
        f"/photos/{cat}/delete",
        f"/photos/{cat}/similar",
        "/search?q=cat",
    ]
    for path in paths:
        source = client.get(path).content.decode()
        assert "<img src=x" not in source, path
        assert 'onerror=alert(1)> "' not in source, path
    assert name in page(client, f"/photos/{cat}/")
    Image.objects.filter(pk=cat).update(state=Image.State.FAILED, failure="<script>alert(2)")
    for path in ("/", "/progress", f"/photos/{cat}/"):
        assert "<script>alert(2)" not in client.get(path).content.decode()


def test_a_search_with_html_is_shown_as_it_is(packaged_photos: Photos, client: Client) -> None:
    source = client.get("/search", {"q": '"><script>alert(1)</script>'}).content.decode()
    assert "<script>alert(1)" not in source


def test_an_uploaded_name_with_html_is_shown_as_it_is(gallery_data: Path, client: Client) -> None:
    body = multipart([("<b>bold<b>.png", drawn_png())])
    source = client.post(reverse("upload"), body, content_type=MULTIPART).content.decode()
    assert "<b>bold" not in source
    assert "Stored." in source


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "[bad"])
def test_another_host_name_is_refused_with_a_page(
    host: str, gallery_data: Path, client: Client, settings: Settings
) -> None:
    settings.ALLOWED_HOSTS = ["localhost"]
    response = client.get("/", headers={"Host": host})
    assert response.status_code == 400
    assert "could not make sense" in response.content.decode()
