from __future__ import annotations

import errno
import socket
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from gallery import components
from gallery.agreement import end_deletions
from gallery.models import Image
from gallery.originals import read_original
from gallery.uploads import Outcome, UploadAnswer, _create_row, clean_name, receive_file
from tests.gallery.conftest import MakeFile
from tests.gallery.full_disk import file_size_limit
from tests.gallery.served_gallery import BOUNDARY, MULTIPART, ServedGallery, multipart
from tests.photos import CAT, drawn_photo, drawn_png, encoded

pytestmark = pytest.mark.django_db

FORMATS = ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "HEIF", "AVIF"]


def post(client: Client, body: bytes) -> tuple[int, list[dict[str, Any]]]:
    """Send a form to the page as its script does; the status and an answer for each file."""
    response = client.post(
        reverse("upload"), body, content_type=MULTIPART, headers={"Accept": "application/json"}
    )
    return response.status_code, response.json()["results"]


def spooled() -> list[Path]:
    return list(components.spool().folder.iterdir())


@pytest.fixture
def tiny_disk(gallery_data: Path, settings: Settings) -> Iterator[Path]:
    """A real disk of 1 MB in the place of the spool; needs the right to mount one."""
    folder = gallery_data / "tiny"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "gallery-tests", str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("mounting a disk of 1 MB is not allowed here")
    settings.SPOOL_DIR = settings.FILE_UPLOAD_TEMP_DIR = folder
    components.spool.cache_clear()
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.parametrize("file_format", FORMATS)
def test_a_photo_of_each_format_is_stored_byte_for_byte(
    file_format: str, gallery_data: Path, client: Client, run_worker: Callable[[], None]
) -> None:
    data = encoded(drawn_photo(), file_format)
    status, [answer] = post(client, multipart([("holiday", data)]))
    assert (status, answer["outcome"]) == (200, "stored")
    image = Image.objects.get()
    assert answer["url"] == image.get_absolute_url()
    assert client.get(reverse("original", args=[image.pk])).content == data
    run_worker()
    image.refresh_from_db()
    assert image.state == Image.State.READY
    assert spooled() == []
    assert client.get(reverse("original", args=[image.pk])).content == data


def test_the_same_bytes_are_stored_once_whatever_their_name(
    gallery_data: Path, client: Client
) -> None:
    data = drawn_png()
    post(client, multipart([("first.png", data)]))
    status, [answer] = post(client, multipart([("second.png", data)]))
    assert (status, answer["outcome"]) == (200, "duplicate")
    assert answer["sentence"] == "Already there as first.png."
    assert answer["url"] == Image.objects.get().get_absolute_url()
    assert len(spooled()) == 1


def test_each_file_of_a_request_is_answered_by_itself(gallery_data: Path, client: Client) -> None:
    photos = [(f"{seed}.png", drawn_png(seed)) for seed in range(20)]
    files = [
        *photos,
        ("0 again.png", drawn_png(0)),
        ("letter.txt", b"Dear all"),
        ("empty.jpg", b""),
    ]
    status, answers = post(client, multipart(files))
    assert status == 200
    assert [answer["name"] for answer in answers] == [name for name, _ in files]
    outcomes = [answer["outcome"] for answer in answers]
    assert outcomes == ["stored"] * 20 + ["duplicate", "refused", "refused"]
    assert answers[-1]["sentence"] == "This file is empty."
    assert Image.objects.count() == len(spooled()) == 20


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "This file is empty."),
        (b"Dear diary", "This is not a photo in a format the gallery reads"),
        (encoded(drawn_photo(size=(640, 480)), "PNG")[:400], "This photo is damaged or cut short"),
    ],
)
def test_a_refused_file_leaves_nothing_behind(
    data: bytes, sentence: str, gallery_data: Path, client: Client
) -> None:
    status, [answer] = post(client, multipart([("photo.jpg", data)]))
    assert (status, answer["outcome"], answer["url"]) == (400, "refused", None)
    assert answer["sentence"].startswith(sentence)
    assert not Image.objects.exists()
    assert spooled() == []


def test_a_form_without_a_file_is_refused(gallery_data: Path, client: Client) -> None:
    assert post(client, multipart([])) == (400, [])
    assert post(client, multipart([("photo.png", drawn_png())], field="other")) == (400, [])
    assert spooled() == []


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("../../x.jpg", "x.jpg"),
        ("..\\..\\x.jpg", "x.jpg"),
        ("/etc/passwd", "passwd"),
        ("C:\\photos\\cat.jpg", "cat.jpg"),
        ("nu\x00ll.jpg", "null.jpg"),
        ("line\x1bfeed\x7f.jpg", "linefeed.jpg"),
        ("gpj.\u202eexe", "gpj.exe"),
        ("🐕 on a 🛋.jpg", "🐕 on a 🛋.jpg"),
        ("<script>alert(1)</script>.jpg", "script>.jpg"),
        ("x" * 300 + ".jpg", "x" * 251 + ".jpg"),
        ("x." + "j" * 300, "." + "j" * 254),
        ("🐕" * 150 + ".jpg", "🐕" * 150 + ".jpg"),
        ("x." + "🐕" * 150, "x." + "🐕" * 150),
    ],
)
def test_a_hostile_name_is_only_ever_shown(
    name: str, shown: str, gallery_data: Path, client: Client
) -> None:
    status, [answer] = post(client, multipart([(name, drawn_png())]))
    assert (status, answer["outcome"]) == (200, "stored")
    image = Image.objects.get()
    assert answer["name"] == image.name == shown
    assert [path.name for path in spooled()] == [image.spool_name]
    response = client.get(reverse("original", args=[image.pk]))
    assert response["Content-Disposition"].startswith("attachment")
    assert "\r" not in response["Content-Disposition"]


def test_a_name_of_more_than_a_thousand_bytes_is_refused(
    gallery_data: Path, client: Client
) -> None:
    body = multipart([("🐕" * 300 + ".jpg", drawn_png())])
    assert client.post(reverse("upload"), body, content_type=MULTIPART).status_code == 400
    assert spooled() == []


@pytest.mark.parametrize("name", [".", "..", "\x00", "/"])
def test_a_file_without_a_name_is_no_file(name: str, gallery_data: Path, client: Client) -> None:
    status, _ = post(client, multipart([(name, drawn_png())]))
    assert status == 400
    assert spooled() == []


@pytest.mark.parametrize(
    ("name", "clean"),
    [("", "unnamed"), ("   ", "unnamed"), ("\x00", "unnamed"), ("a/", "unnamed"), ("\udcff", "?")],
)
def test_every_photo_has_a_name(name: str, clean: str) -> None:
    assert clean_name(name) == clean


def test_a_file_over_the_limit_is_refused_and_the_one_beside_it_stored(
    gallery_data: Path, client: Client, settings: Settings
) -> None:
    settings.MAX_UPLOAD_BYTES = 2**20
    files = [("large.bmp", encoded(drawn_photo(size=(800, 700)), "BMP")), ("ok.png", drawn_png())]
    status, [large, small] = post(client, multipart(files))
    assert status == 200
    assert large["outcome"] == "refused"
    assert large["sentence"] == "This file has 2 MB; the limit is 1 MB."
    assert small["outcome"] == "stored"
    assert len(spooled()) == 1


def test_a_file_of_just_the_limit_is_stored(
    gallery_data: Path, client: Client, settings: Settings
) -> None:
    data = encoded(drawn_photo(), "BMP")
    settings.MAX_UPLOAD_BYTES = len(data)
    assert post(client, multipart([("photo.bmp", data)]))[0] == 200
    settings.MAX_UPLOAD_BYTES = len(data) - 1
    assert post(client, multipart([("photo.bmp", data)]))[0] == 400


def test_no_byte_past_the_limit_is_written(
    gallery_data: Path, client: Client, settings: Settings
) -> None:
    settings.MAX_UPLOAD_BYTES = 2**20
    # Only a file that grows past its limit would run into the system's.
    with file_size_limit(2**20 + 1):
        status, [answer] = post(client, multipart([("large.jpg", bytes(5 * 2**20))]))
    assert status == 400
    assert answer["sentence"] == "This file has 5 MB; the limit is 1 MB."


def test_a_body_of_65_mb_is_refused(served: ServedGallery) -> None:
    status, [answer] = served.upload(("large.jpg", bytes(65 * 2**20)))
    assert status == 400
    assert answer["sentence"] == "This file has 65 MB; the limit is 64 MB."
    served.wait_until_spool_is_empty()


def test_the_same_photo_ten_times_at_once_is_stored_once(served: ServedGallery) -> None:
    data = encoded(drawn_photo(seed=10, size=(1200, 900)), "PNG")
    total = served.json("/api/v1/images")["total"]
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda copy: served.upload((f"{copy}.png", data)), range(10)))
    outcomes = sorted(answer["outcome"] for _, [answer] in answers)
    assert outcomes == ["duplicate"] * 9 + ["stored"]
    assert len({answer["id"] for _, [answer] in answers}) == 1
    assert served.json("/api/v1/images")["total"] == total + 1
    served.wait_until_ready(answers[0][1][0]["id"])
    served.wait_until_spool_is_empty()


@pytest.mark.parametrize("share", [0.3, 0.9, 0.999])
def test_an_upload_cut_off_midway_stores_nothing(share: float, served: ServedGallery) -> None:
    # All frames but the first could be missing, and a decoder would not complain.
    frames = [drawn_photo(seed, (300, 200)) for seed in range(20, 40)]
    data = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    body = multipart([("whole.png", drawn_png(seed=int(share * 1000))), ("cut.gif", data)])
    before = served.json("/api/v1/images")["total"]
    with socket.create_connection(("127.0.0.1", served.port), 30) as connection:
        connection.sendall(
            f"POST /api/v1/images HTTP/1.1\r\nHost: localhost\r\nContent-Type: {MULTIPART}\r\n"
            f"Content-Length: {len(body)}\r\n\r\n".encode()
            + body[: int(len(body) * share)]
        )
        connection.shutdown(socket.SHUT_WR)
        answer = connection.makefile("rb").read()
    assert b" 500 " not in answer.split(b"\r\n")[0]
    names = [photo["name"] for photo in served.json("/api/v1/images")["photos"]]
    assert "cut.gif" not in names
    # What came whole before the cut is a photo like any other.
    served.wait_until_ready(served.json("/api/v1/images")["photos"][0]["id"])
    assert served.json("/api/v1/images")["total"] == before + 1
    served.wait_until_spool_is_empty()


def test_a_full_disk_is_told_and_nothing_is_half_stored(tiny_disk: Path, client: Client) -> None:
    large = encoded(drawn_photo(size=(800, 700)), "BMP")
    status, [answer] = post(client, multipart([("large.bmp", large)]))
    assert status == 507
    assert answer["outcome"] == "refused"
    assert answer["sentence"].startswith("The disk is full")
    assert not Image.objects.exists()
    assert list(tiny_disk.iterdir()) == []


def test_a_disk_that_is_too_full_for_the_second_copy_is_told(
    tiny_disk: Path, client: Client
) -> None:
    # It arrives in the spool's folder, and only then is copied to its durable name.
    photo = encoded(drawn_photo(size=(500, 420)), "BMP")
    status, [answer] = post(client, multipart([("photo.bmp", photo)]))
    assert (status, answer["outcome"]) == (507, "refused")
    assert not Image.objects.exists()
    assert list(tiny_disk.iterdir()) == []


def test_a_full_disk_refuses_one_file_and_takes_a_smaller_one_after_it(
    tiny_disk: Path, client: Client
) -> None:
    large = encoded(drawn_photo(size=(800, 700)), "BMP")
    status, answers = post(client, multipart([("large.bmp", large), ("ok.png", drawn_png())]))
    assert status == 200
    assert [answer["outcome"] for answer in answers] == ["refused", "stored"]
    assert len(spooled()) == 1


@pytest.mark.parametrize("path", ["/upload", "/api/v1/images"])
def test_a_used_up_quota_is_told_and_nothing_is_half_stored(
    path: str, gallery_data: Path, client: Client
) -> None:
    large = encoded(drawn_photo(size=(800, 700)), "BMP")
    with file_size_limit(2**20):
        response = client.post(
            path,
            multipart([("large.bmp", large)]),
            content_type=MULTIPART,
            headers={"Accept": "application/json"},
        )
    assert response.status_code == 507
    assert response.json()["results"][0]["sentence"].startswith("The disk is full")
    assert not Image.objects.exists()
    assert spooled() == []


def test_a_search_by_photo_on_a_full_disk_is_told(gallery_data: Path, client: Client) -> None:
    large = encoded(drawn_photo(size=(800, 700)), "BMP")
    with file_size_limit(2**20):
        response = client.post(
            "/api/v1/search/photo", multipart([("large.bmp", large)], "file"), MULTIPART
        )
    assert response.status_code == 507
    assert response.json()["detail"].startswith("The disk is full")


def test_other_trouble_with_the_disk_is_not_taken_for_a_full_one(
    gallery_data: Path, make_file: MakeFile, settings: Settings
) -> None:
    settings.SPOOL_DIR = gallery_data / "gone"
    components.spool.cache_clear()
    with pytest.raises(OSError, match="No such file") as caught:
        receive_file(make_file(drawn_png(), "photo.png"))
    assert caught.value.errno == errno.ENOENT
    assert not Image.objects.exists()


def test_a_file_of_this_machine_is_copied_and_left_where_it_is(gallery_data: Path) -> None:
    answer = receive_file(CAT)
    assert isinstance(answer, UploadAnswer)
    assert answer.outcome == Outcome.STORED
    assert answer.name == "chelsea.png"
    [copy] = spooled()
    assert copy.read_bytes() == CAT.read_bytes()


def test_a_part_that_is_no_form_at_all_is_refused(gallery_data: Path, client: Client) -> None:
    response = client.post(reverse("upload"), b"no form", content_type=MULTIPART)
    assert response.status_code == 400
    body = multipart([("photo.png", drawn_png())]).replace(f"--{BOUNDARY}--".encode(), b"")
    response = client.post(reverse("upload"), body, content_type=MULTIPART)
    assert response.status_code == 400
    assert not Image.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize("state", [Image.State.LOST, Image.State.RECEIVED, Image.State.FAILED])
def test_a_lost_photo_comes_back_by_uploading_it_again(
    gallery_data: Path, state: Image.State
) -> None:
    first = receive_file(CAT).image
    assert first is not None
    Image.objects.filter(pk=first.pk).update(state=state)
    components.spool().remove(first.spool_name)
    again = receive_file(CAT)
    assert again.outcome == Outcome.STORED
    assert again.image is not None
    assert read_original(again.image) == CAT.read_bytes()


@pytest.mark.django_db
def test_an_upload_does_not_go_with_a_deletion_that_was_killed_halfway(gallery_data: Path) -> None:
    first = receive_file(CAT).image
    assert first is not None
    components.store().delete([first.pk])
    again = receive_file(CAT)
    assert again.outcome == Outcome.STORED
    end_deletions()
    assert again.image is not None
    assert read_original(again.image) == CAT.read_bytes()


@pytest.mark.django_db
def test_an_original_stays_where_only_the_answer_to_its_row_was_lost(
    gallery_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def create_row(*facts: Any) -> Image:
        _create_row(*facts)
        raise OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr("gallery.uploads._create_row", create_row)
    with pytest.raises(OperationalError):
        receive_file(CAT)
    assert read_original(Image.objects.get()) == CAT.read_bytes()
    monkeypatch.undo()
    assert receive_file(CAT).outcome == Outcome.DUPLICATE
