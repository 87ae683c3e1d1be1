from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils.dateparse import parse_datetime
from PIL import Image as Pillow
from pytest_django import Settings

from gallery import components
from gallery.models import Image
from tests.gallery.served_gallery import MULTIPART, free_port, multipart
from tests.photos import CAT, MOTORCYCLE_AGAIN, drawn_png, encoded

pytestmark = pytest.mark.django_db

Photos = dict[str, int]
NOTHING = encoded(Pillow.new("L", (300, 300), 200), "PNG")
WHY = {"asked", "object", "similarity", "score", "box", "query_box", "sentence"}


def get(client: Client, path: str, status: int = 200) -> Any:
    response = client.get(f"/api/v1{path}")
    assert response.status_code == status, response.content
    return response.json()


def upload(client: Client, *files: tuple[str, bytes], origin: str | None = None) -> Any:
    headers = {"Origin": origin} if origin else {}
    return client.post(
        "/api/v1/images", multipart(list(files)), content_type=MULTIPART, headers=headers
    )


def test_uploading_answers_each_file_and_the_best_of_them_with_the_status(
    gallery_data: Path, client: Client
) -> None:
    good, bad = ("good.png", drawn_png()), ("bad.png", b"no photo")
    assert upload(client, bad).status_code == 400
    response = upload(client, good, bad)
    assert response.status_code == 201
    stored, refused = response.json()["results"]
    assert stored == {
        "name": "good.png",
        "outcome": "stored",
        "sentence": "Stored.",
        "id": Image.objects.get().pk,
    }
    assert (refused["outcome"], refused["id"]) == ("refused", None)
    assert upload(client, good).status_code == 200


def test_an_upload_without_a_file_says_what_is_missing(gallery_data: Path, client: Client) -> None:
    response = client.post("/api/v1/images")
    assert response.status_code == 422
    assert "photos" in str(response.json()["detail"])


def test_a_photo_is_told_with_its_facts_and_objects(
    packaged_photos: Photos, client: Client
) -> None:
    photo = get(client, f"/images/{packaged_photos['chelsea']}")
    image = Image.objects.get(pk=packaged_photos["chelsea"])
    assert photo["sha256"] == image.sha256
    assert (photo["width"], photo["height"], photo["size"]) == (451, 300, CAT.stat().st_size)
    assert (photo["media_type"], photo["state"], photo["failure"]) == ("image/png", "ready", "")
    assert parse_datetime(photo["uploaded_at"]) is not None
    assert photo["objects"][0]["name"] == "cat"
    for found in photo["objects"]:
        xmin, ymin, xmax, ymax = found["box"]
        assert 0 <= xmin < xmax <= 1
        assert 0 <= ymin < ymax <= 1
    original = client.get(photo["original_url"].removeprefix("http://testserver"))
    assert original.content == CAT.read_bytes()


def test_photos_are_listed_newest_first_in_pages(packaged_photos: Photos, client: Client) -> None:
    whole = get(client, "/images")
    ids = [photo["id"] for photo in whole["photos"]]
    assert whole["total"] == 6
    assert ids == sorted(packaged_photos.values(), reverse=True)
    paged = [get(client, f"/images?limit=4&offset={offset}")["photos"] for offset in (0, 4, 8)]
    assert [photo["id"] for page in paged for photo in page] == ids
    assert paged[2] == []


def test_search_answers_words_with_reasons(packaged_photos: Photos, client: Client) -> None:
    answer = get(client, "/search?q=kitten,+qqxqq")
    assert answer["query"] == "kitten, qqxqq"
    assert answer["unknown_words"] == ["qqxqq"]
    assert answer["total"] == len(answer["results"])
    assert answer["took_ms"] > 0
    best = answer["results"][0]
    assert set(best) == {"id", "name", "sha256", "score", "why"}
    assert best["name"] == "chelsea.png"
    assert set(best["why"][0]) == WHY
    assert best["why"][0]["object"] == "cat"


@pytest.mark.parametrize("score", ["objects", "original"])
def test_search_has_both_scores(score: str, packaged_photos: Photos, client: Client) -> None:
    assert get(client, f"/search?q=cat&score={score}")["results"][0]["name"] == "chelsea.png"


def test_similar_photos_leave_the_photo_itself_out(packaged_photos: Photos, client: Client) -> None:
    cat = packaged_photos["chelsea"]
    answer = get(client, f"/images/{cat}/similar")
    assert answer["query"] == "chelsea.png"
    assert cat not in [hit["id"] for hit in answer["results"]]


def test_search_by_photo_finds_the_same_thing_and_keeps_nothing(
    packaged_photos: Photos, client: Client
) -> None:
    body = multipart([("query.png", MOTORCYCLE_AGAIN.read_bytes())], field="file")
    response = client.post("/api/v1/search/photo?limit=1", body, content_type=MULTIPART)
    assert response.status_code == 200
    answer = response.json()
    assert answer["query"] == "query.png"
    [best] = answer["results"]
    assert best["name"] == "motorcycle_left.png"
    assert set(best["why"][0]) == WHY
    assert best["why"][0]["query_box"] is not None
    assert Image.objects.count() == 6
    assert list(components.spool().folder.iterdir()) == []


@pytest.mark.parametrize(
    ("data", "status", "sentence"),
    [
        (b"", 415, "This file is empty."),
        (b"no photo", 415, "This is not a photo"),
        (CAT.read_bytes()[:9000], 415, "This photo is damaged or cut short"),
        (bytes(2**20 + 1), 415, "the limit is 1 MB"),
        (NOTHING, 400, "No object was recognised"),
    ],
)
def test_a_photo_that_cannot_be_searched_with_is_refused_with_a_sentence(
    data: bytes,
    status: int,
    sentence: str,
    packaged_photos: Photos,
    client: Client,
    settings: Settings,
) -> None:
    settings.MAX_UPLOAD_BYTES = 2**20
    body = multipart([("query.jpg", data)], field="file")
    response = client.post("/api/v1/search/photo", body, content_type=MULTIPART)
    assert response.status_code == status
    assert sentence in response.json()["detail"]


def test_a_detector_that_does_not_answer_is_told(
    gallery_data: Path, client: Client, settings: Settings
) -> None:
    components.detector.cache_clear()
    settings.DETECTOR_URL = f"grpc://127.0.0.1:{free_port()}"
    body = multipart([("query.png", drawn_png())], field="file")
    response = client.post("/api/v1/search/photo", body, content_type=MULTIPART)
    components.detector.cache_clear()
    assert response.status_code == 503
    assert response.json()["detail"].startswith("The detector does not answer just now")


@pytest.mark.parametrize("image_id", ["0", "999999999", "9" * 19, "9" * 40])
@pytest.mark.parametrize("path", ["/images/{}", "/images/{}/similar"])
def test_a_photo_that_is_not_there_is_404(
    path: str, image_id: str, gallery_data: Path, client: Client
) -> None:
    detail = get(client, path.format(image_id), status=404)["detail"]
    assert detail == f"There is no photo {image_id}; it may have been deleted."
    assert client.delete(f"/api/v1/images/{image_id}").status_code == 404


@pytest.mark.parametrize("image_id", ["-1", "abc", "1.5", "9" * 5000])
def test_what_is_no_id_is_404(image_id: str, gallery_data: Path, client: Client) -> None:
    assert client.get(f"/api/v1/images/{image_id}").status_code == 404


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=-1",
        "limit=1001",
        "limit=abc",
        "limit=" + "9" * 5000,
        "offset=-1",
        "offset=abc",
        "offset=" + "9" * 30,
    ],
)
@pytest.mark.parametrize("path", ["/images", "/search?q=cat"])
def test_a_page_that_makes_no_sense_is_refused(
    path: str, query: str, gallery_data: Path, client: Client
) -> None:
    separator = "&" if "?" in path else "?"
    detail = get(client, f"{path}{separator}{query}", status=422)["detail"]
    assert query.split("=")[0] in str(detail)


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("q=" + "d" * 10_000, "10,000 characters; the limit is 500"),
        ("q=!?%20--", "no word to search for"),
        ("q=%00%01%1b", "no word to search for"),
        ("q=", "no word to search for"),
        ("q=cat&score=best", "There is no score 'best'"),
    ],
)
def test_a_search_that_makes_no_sense_is_refused_with_a_sentence(
    query: str, sentence: str, gallery_data: Path, client: Client
) -> None:
    assert sentence in get(client, f"/search?{query}", status=400)["detail"]


def test_a_search_without_words_says_what_is_missing(gallery_data: Path, client: Client) -> None:
    assert "q" in str(get(client, "/search", status=422)["detail"])


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://testserver.evil.example", "http://[", "x"]
)
def test_a_write_from_another_site_is_refused(
    origin: str, gallery_data: Path, client: Client
) -> None:
    response = upload(client, ("photo.png", drawn_png()), origin=origin)
    assert response.status_code == 403
    assert response.json()["detail"].startswith("Refused: this request came from another web site")
    assert not Image.objects.exists()
    assert client.get("/api/v1/images", headers={"Origin": origin}).status_code == 200


def test_a_delete_from_another_site_is_refused(gallery_data: Path, client: Client) -> None:
    upload(client, ("photo.png", drawn_png()))
    image = Image.objects.get()
    headers = {"Origin": "https://evil.example"}
    assert client.delete(f"/api/v1/images/{image.pk}", headers=headers).status_code == 403
    assert Image.objects.exists()


def test_a_write_from_the_gallerys_own_pages_is_taken(gallery_data: Path, client: Client) -> None:
    response = upload(client, ("photo.png", drawn_png()), origin="http://testserver")
    assert response.status_code == 201


@pytest.mark.parametrize(
    ("method", "path"),
    [("put", "/images"), ("post", "/search"), ("post", "/images/1"), ("delete", "/images")],
)
def test_other_methods_are_refused(
    method: str, path: str, gallery_data: Path, client: Client
) -> None:
    assert getattr(client, method)(f"/api/v1{path}").status_code == 405


def test_openapi_describes_every_address(client: Client) -> None:
    described = get(client, "/openapi.json")
    assert described["info"]["title"] == "Image Gallery"
    assert {
        (method, path) for path, methods in described["paths"].items() for method in methods
    } == {
        ("post", "/api/v1/images"),
        ("get", "/api/v1/images"),
        ("get", "/api/v1/images/{image_id}"),
        ("patch", "/api/v1/images/{image_id}"),
        ("delete", "/api/v1/images/{image_id}"),
        ("get", "/api/v1/images/{image_id}/similar"),
        ("get", "/api/v1/search"),
        ("post", "/api/v1/search/photo"),
    }


def test_the_api_pages_load_nothing_from_other_hosts(client: Client) -> None:
    page = client.get("/api/v1/docs")
    assert page.status_code == 200
    sources = re.findall(r"""(?:src|href)=["']([^"']+)""", page.content.decode())
    assert sources
    assert all(source.startswith("/") for source in sources), sources
    for source in sources:
        assert client.get(source).status_code == 200, source
