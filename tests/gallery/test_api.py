from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils.dateparse import parse_datetime
from PIL import Image as Pillow
from PIL import ImageOps
from pytest_django import Settings

from gallery import components
from gallery.access.rules import RULES
from gallery.models import Image
from tests.gallery.made_gallery import add_photo
from tests.gallery.served_gallery import MULTIPART, free_port, multipart
from tests.photos import ASTRONAUT, CAT, COFFEE, MOTORCYCLE_AGAIN, drawn_png, encoded

pytestmark = pytest.mark.django_db

Photos = dict[str, int]
NOTHING = encoded(Pillow.new("L", (300, 300), 200), "PNG")
ANSWER = {
    "query",
    "parsed",
    "parts",
    "unknown_words",
    "total",
    "hidden",
    "took_ms",
    "undescribed",
    "read_as_description",
    "without_look",
    "results",
}
WHY = {"asked", "sentence", "part", "met", "objects", "looks", "query_box", "mirrored"}
CUP = '[{"object": "cup", "box": [0.2, 0.1, 0.8, 0.8]}]'


def get(client: Client, path: str, status: int = 200) -> Any:
    response = client.get(f"/api/v1{path}")
    assert response.status_code == status, response.content
    return response.json()


def post_layout(client: Client, layout: str, query: str = "", status: int = 200) -> Any:
    response = client.post(f"/api/v1/search/layout{query}", layout, content_type="application/json")
    assert response.status_code == status, response.content
    return response.json()


def post_photo(client: Client, data: bytes, query: str = "", status: int = 200) -> Any:
    body = multipart([("query.png", data)], field="file")
    response = client.post(f"/api/v1/search/photo{query}", body, content_type=MULTIPART)
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
    assert response.status_code == 400
    assert response.json()["detail"] == "photos: Field required."


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
    assert set(answer) == ANSWER
    assert answer["query"] == "kitten, qqxqq"
    assert answer["unknown_words"] == ["qqxqq"]
    assert answer["total"] == len(answer["results"])
    assert answer["took_ms"] > 0
    best = answer["results"][0]
    assert set(best) == {"id", "name", "sha256", "score", "why"}
    assert best["name"] == "chelsea.png"
    [why] = best["why"]
    assert set(why) == WHY
    assert why["asked"] == "kitten"
    assert why["objects"][0]["object"] == "cat"
    assert set(why["objects"][0]) == {"object", "score", "box", "part"}


def test_search_tells_how_words_were_read(packaged_photos: Photos, client: Client) -> None:
    answer = get(client, "/search?q=KITTEN+and+a+dgo")
    assert answer["parsed"] == "kitten and dgo"
    kitten, dgo = answer["parts"]
    assert (kitten["text"], kitten["without"]) == ("kitten", "dgo")
    [reading] = kitten["readings"]
    assert reading["classes"][0] == "cat"
    assert reading["exact_query"] == '"cat" and dgo'
    [reading] = dgo["readings"]
    assert (reading["known"], reading["classes"]) == (False, [])
    assert {"word": "dog", "query": "kitten and dog"} in reading["corrections"]
    assert get(client, "/search?q=kitten+and+dog")["unknown_words"] == []


def test_search_shows_weaker_matches_on_demand(packaged_photos: Photos, client: Client) -> None:
    answer, weak = (get(client, f"/search?q=cup+and+person{weak}") for weak in ("", "&weak=1"))
    assert weak["total"] >= answer["total"] + answer["hidden"] > answer["total"]
    assert weak["results"][: answer["total"]] == answer["results"]


@pytest.mark.parametrize("score", ["objects", "original"])
def test_search_has_both_scores(score: str, packaged_photos: Photos, client: Client) -> None:
    assert get(client, f"/search?q=cat&score={score}")["results"][0]["name"] == "chelsea.png"


def test_similar_photos_leave_the_photo_itself_out(packaged_photos: Photos, client: Client) -> None:
    cat = packaged_photos["chelsea"]
    answer = get(client, f"/images/{cat}/similar")
    assert answer["query"] == "chelsea.png"
    assert cat not in [hit["id"] for hit in answer["results"]]


def test_similar_photos_to_a_part_of_a_photo(packaged_photos: Photos, client: Client) -> None:
    coffee = packaged_photos["coffee"]
    whole = get(client, f"/images/{coffee}/similar?weak=1")
    assert coffee not in [hit["id"] for hit in whole["results"]]
    detail = get(client, f"/images/{coffee}/similar?part=0,0,0.02,0.02", status=400)["detail"]
    assert detail.startswith("No object was recognised")
    detail = get(client, f"/images/{coffee}/similar?part=dog", status=400)["detail"]
    assert detail.startswith("A part of a photo is four numbers")
    get(client, f"/images/{coffee}/similar?part=0,0,1,1&mirror=1&weak=1&score=objects")


def test_a_part_of_a_photo_whose_picture_is_gone_is_404(
    packaged_photos: Photos, client: Client
) -> None:
    add_photo("gone.png", [])
    gone = Image.objects.get(name="gone.png").pk
    detail = get(client, f"/images/{gone}/similar?part=0,0,0.5,0.5", status=404)["detail"]
    assert "picture of this photo is gone" in detail


def test_search_by_photo_finds_the_same_thing_and_keeps_nothing(
    packaged_photos: Photos, client: Client
) -> None:
    answer = post_photo(client, MOTORCYCLE_AGAIN.read_bytes(), "?limit=1")
    assert set(answer) == ANSWER
    assert (answer["query"], answer["parsed"], answer["parts"]) == ("query.png", None, [])
    [best] = answer["results"]
    assert best["name"] == "motorcycle_left.png"
    assert set(best["why"][0]) == WHY
    assert best["why"][0]["query_box"] is not None
    assert Image.objects.count() == 6
    assert list(components.spool().folder.iterdir()) == []


def test_search_by_a_part_of_a_photo(packaged_photos: Photos, client: Client) -> None:
    data = COFFEE.read_bytes()
    whole = post_photo(client, data)
    part = post_photo(client, data, "?part=0.15,0.05,0.85,0.9")
    assert part["results"][0]["name"] == "coffee.png"
    pairs = [len(answer["results"][0]["why"]) for answer in (part, whole)]
    assert pairs[0] < pairs[1]
    detail = post_photo(client, data, "?part=0.5,0,0.5,1", status=400)["detail"]
    assert detail.startswith("A part of a photo lies within it")


def test_search_by_a_mirrored_photo(packaged_photos: Photos, client: Client) -> None:
    with Pillow.open(ASTRONAUT) as photo:
        data = encoded(ImageOps.mirror(photo.convert("RGB")), "PNG")
    plain, mirrored = post_photo(client, data), post_photo(client, data, "?mirror=1")
    assert mirrored["results"][0]["name"] == "astronaut.png"
    assert mirrored["results"][0]["score"] > plain["results"][0]["score"]
    assert {why["mirrored"] for why in mirrored["results"][0]["why"]} == {True}


def test_search_by_layout_finds_what_lies_like_it(packaged_photos: Photos, client: Client) -> None:
    answer = post_layout(client, CUP)
    assert set(answer) == ANSWER
    assert answer["results"][0]["name"] == "coffee.png"
    why = answer["results"][0]["why"][0]
    assert (why["asked"], why["query_box"]) == ("cup", pytest.approx([0.2, 0.1, 0.8, 0.8]))
    triangle = '[{"object": "cup", "region": [[0.2, 0.1], [0.8, 0.1], [0.5, 0.8]]}]'
    assert post_layout(client, triangle)["results"][0]["name"] == "coffee.png"


def test_search_by_layout_takes_the_same_options(packaged_photos: Photos, client: Client) -> None:
    persons = '[{"object": "person", "box": [0, 0, 0.3, 0.3]}]'
    answer, weak = post_layout(client, persons), post_layout(client, persons, "?weak=1")
    assert weak["results"][: answer["total"]] == answer["results"]
    assert weak["total"] == answer["total"] + answer["hidden"]
    last = weak["total"] - 1
    [worst] = post_layout(client, persons, f"?weak=1&limit=1&offset={last}")["results"]
    assert worst == weak["results"][last]
    mirrored = post_layout(client, persons, "?weak=1&mirror=1")
    scores = {hit["id"]: hit["score"] for hit in mirrored["results"]}
    assert all(scores[hit["id"]] >= hit["score"] for hit in weak["results"])
    original = post_layout(client, persons, "?score=original")
    assert "mean of scores and areas" in original["results"][0]["why"][0]["sentence"]


@pytest.mark.parametrize(
    ("layout", "sentence"),
    [
        ("", "A layout is a list of objects"),
        ("dog", "Cannot parse request body"),
        ("[]", "This layout has no object in it"),
        ("{}", "A layout is a list of objects"),
        ("[" * 100_000, "Cannot parse request body"),
        ('[{"object": "dog"}]', "should have a name and a box or a region"),
        (
            '[{"object": "dog", "box": [0, 0, 1, 2]}]',
            "Object 1 of this layout should lie",
        ),
        ('[{"object": "dog", "box": [0, 0, 1, NaN]}]', "should lie within the photo"),
        ('[{"object": "dog", "box": [1, 0, 0, 1]}]', "first corner above and left"),
        ('[{"object": "unicorn", "box": [0, 0, 1, 1]}]', "no object “unicorn”"),
        ('[{"object": "\\ud800", "box": [0, 0, 1, 1]}]', "knows no object"),
        (
            '[{"object": "dog", "region": [[0, 0], [0.5, 0.5], [1, 1]]}]',
            "drawn area should enclose something",
        ),
        ("[" + ",".join([CUP[1:-1]] * 21) + "]", "A layout has at most 20 objects"),
    ],
)
def test_a_layout_that_makes_no_sense_is_refused_with_a_sentence(
    layout: str, sentence: str, gallery_data: Path, client: Client
) -> None:
    assert sentence in post_layout(client, layout, status=400)["detail"]


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
    assert get(client, f"/images/{image_id}", status=404)["detail"]


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
    detail = get(client, f"{path}{separator}{query}", status=400)["detail"]
    assert re.match(f"{query.split('=')[0]}: (Input should be|Unable to parse)", detail)


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
    assert get(client, "/search", status=400)["detail"] == "q: Field required."


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
    answers = described["paths"]["/api/v1/search/photo"]["post"]["responses"]
    assert set(answers["200"]["content"]) == {"application/json", "image/*"}
    problem = answers["400"]["content"]["application/json"]["schema"]
    assert problem == {"$ref": "#/components/schemas/Problem"}
    # Of an address that answers GET, HEAD is answered as well.
    found = {
        (method.upper(), path.removeprefix("/"))
        for path, methods in described["paths"].items()
        for method in methods
        if method != "head"
    }
    own_pages = {"api/v1/", "api/v1/docs", "api/v1/openapi.json"}
    assert found == {
        (method, re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", path))
        for method, path in RULES
        if path.startswith("api/v1/") and path not in own_pages
    }


def test_the_api_pages_load_nothing_from_other_hosts(client: Client) -> None:
    page = client.get("/api/v1/docs")
    assert page.status_code == 200
    sources = re.findall(r"""(?:src|href)=["']([^"']+)""", page.content.decode())
    assert sources
    assert all(source.startswith("/") for source in sources), sources
    for source in sources:
        assert client.get(source).status_code == 200, source
