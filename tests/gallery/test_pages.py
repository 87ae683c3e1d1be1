from __future__ import annotations

import html
import re
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from gallery import components
from gallery.models import Image
from gallery.uploads import receive_file
from tests.gallery.conftest import MakeFile
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


def test_photos_are_paged(gallery_data: Path, client: Client, make_file: MakeFile) -> None:
    for seed in range(61):
        receive_file(make_file(drawn_png(seed), f"drawn-{seed}.png"))
    first, second = page(client, "/photos/"), page(client, "/photos/?page=2")
    assert "drawn-60.png" in first
    assert "drawn-0.png" not in first
    assert "drawn-0.png" in second
    assert "?page=2" in first


@pytest.mark.parametrize(
    "number", ["-1", "0", "abc", "99999", "1.5", "", "%00", "9" * 5000, "1&page=x"]
)
def test_a_page_number_that_does_not_exist_is_404_with_a_sentence(
    number: str, packaged_photos: Photos, client: Client
) -> None:
    text = page(client, f"/photos/?page={number}", status=404)
    assert "There is no page" in text
    assert "the last is page 1" in text


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
    assert re.search(r"“kitten” is close to cat \(0\.\d\d\), \d+% sure", text)


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
    for path in ("/", "/photos/", "/search?q=cat", f"/photos/{packaged_photos['chelsea']}/"):
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


def test_a_thumbnail_may_be_kept_for_good(packaged_photos: Photos, client: Client) -> None:
    response = client.get(reverse("thumbnail", args=[packaged_photos["chelsea"]]))
    assert {"private", "immutable"} <= set(response["Cache-Control"].split(", "))


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
