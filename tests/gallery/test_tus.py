"""Uploads that can be resumed, by the tus protocol."""

from __future__ import annotations

import base64
import hashlib
import http.client
import io
import json
import os
import signal
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import ANY

import pytest
from django.conf import settings as gallery_settings
from django.test import Client
from pytest_django import Settings

from gallery.access.binding import Login
from gallery.models import Image
from gallery.originals import read_original
from gallery.tus import protocol, taking
from gallery.tus.protocol import TusRefused
from gallery.tus.unfinished import Limits, Unfinished
from gallery.uploads import receive_file
from tests.gallery.conftest import MakeFile
from tests.gallery.full_disk import file_size_limit
from tests.gallery.people import Who, client_of
from tests.gallery.served_gallery import ServedGallery, running_gallery
from tests.photos import drawn_photo, drawn_png, encoded

UPLOADS = "/api/v1/uploads"
HOUR = 3600.0
ROOMY = Limits(total_bytes=2**30, uploads=100, seconds=HOUR)

pytestmark = pytest.mark.django_db


def metadata(name: str) -> str:
    return f"filename {base64.b64encode(name.encode()).decode()}"


def begin(client: Client, length: object, name: str = "photo.png", **headers: str) -> Any:
    sent = {"Tus-Resumable": "1.0.0", "Upload-Length": str(length)}
    sent["Upload-Metadata"] = metadata(name)
    return client.post(UPLOADS, headers=sent | headers)


def send(client: Client, address: str, data: bytes, offset: object, **headers: str) -> Any:
    sent = {"Tus-Resumable": "1.0.0", "Upload-Offset": str(offset), "Accept": "application/json"}
    # Named, because Django's client has no type for a request without bytes.
    named = {"CONTENT_TYPE": protocol.CONTENT_TYPE, "CONTENT_LENGTH": str(len(data))}
    return client.generic("PATCH", address, data, headers=sent | headers, **named)  # type: ignore[arg-type]  # The last are the request's own.


def offset_of(client: Client, address: str) -> int:
    response = client.head(address, headers={"Tus-Resumable": "1.0.0"})
    assert response.status_code == 200
    assert response["Cache-Control"] == "no-store"
    return int(response["Upload-Offset"])


def test_a_photo_in_three_pieces_is_stored_byte_for_byte(
    gallery_data: Path, client: Client, run_worker: Callable[[], None]
) -> None:
    data = encoded(drawn_photo(size=(300, 200)), "BMP")
    begun = begin(client, len(data), "Été à la mer.bmp")
    assert begun.status_code == 201
    address = begun["Location"]
    assert address.startswith(f"{UPLOADS}/")
    for start in (0, 50_000, 100_000):
        assert offset_of(client, address) == start
        answer = send(client, address, data[start : start + 50_000], start)
        assert answer.status_code == 200, answer.content
        if start + 50_000 < len(data):
            assert answer["Upload-Offset"] == str(start + 50_000)
        assert answer["Upload-Expires"].endswith("GMT")
    rest = send(client, address, data[150_000:], 150_000)
    image = Image.objects.get()
    assert rest.json() == {
        "offset": len(data),
        "length": len(data),
        "name": "Été à la mer.bmp",
        "outcome": "stored",
        "sentence": ANY,
        "id": image.pk,
        "url": image.get_absolute_url(),
        "thumbnail_url": image.grid_url,
        "duplicate_of": None,
    }
    assert (image.name, read_original(image)) == ("Été à la mer.bmp", data)
    # Whoever lost the answer asks for it; the bytes are not kept twice.
    assert client.get(address).json() == rest.json()
    assert send(client, address, b"", len(data)).json()["outcome"] == "stored"
    [part] = gallery_settings.UNFINISHED_DIR.glob("*/*.part")
    assert part.stat().st_size == 0
    run_worker()
    assert read_original(Image.objects.get()) == data


def test_all_bytes_may_come_with_the_first_request(gallery_data: Path, client: Client) -> None:
    data = drawn_png()
    headers = {"Tus-Resumable": "1.0.0", "Upload-Length": str(len(data))}
    first = client.post(UPLOADS, data, content_type=protocol.CONTENT_TYPE, headers=headers)
    assert (first.status_code, first.json()["outcome"]) == (201, "stored")
    assert first["Upload-Offset"] == str(len(data))
    again = client.post(UPLOADS, data, content_type=protocol.CONTENT_TYPE, headers=headers)
    assert again.json()["outcome"] == "duplicate"
    assert again.json()["duplicate_of"] == again.json()["id"] == Image.objects.get().pk


def test_clients_of_the_plain_protocol_get_the_statuses_that_it_names(
    gallery_data: Path, client: Client
) -> None:
    options = client.options(UPLOADS)
    assert options.status_code == 204
    assert options["Tus-Version"] == "1.0.0"
    assert options["Tus-Max-Size"] == str(64 * 2**20)
    assert set(options["Tus-Extension"].split(",")) >= {"creation", "expiration", "termination"}
    data = drawn_png()
    address = begin(client, len(data))["Location"]
    assert send(client, address, data, 0, Accept="*/*").status_code == 204
    assert Image.objects.count() == 1
    head = {"Tus-Resumable": "1.0.0"}
    assert client.delete(address, headers=head).status_code == 204
    assert client.head(address, headers=head).status_code == 404
    assert Image.objects.count() == 1


@pytest.mark.parametrize("data", [b"Dear diary", b"", drawn_png()[:60]])
def test_a_file_that_is_no_photo_is_refused_with_a_sentence(
    data: bytes, gallery_data: Path, client: Client
) -> None:
    answer = begin(client, len(data), "diary.jpg")
    address = answer["Location"]
    if data:
        answer = send(client, address, data, 0)
    assert (answer.status_code, answer.json()["outcome"]) == (422, "refused")
    assert answer.json()["detail"] == client.get(address).json()["sentence"]
    assert answer.json()["detail"].startswith("This ")
    assert not Image.objects.exists()


def test_only_the_next_byte_is_taken(gallery_data: Path, client: Client) -> None:
    data = drawn_png()
    address = begin(client, len(data))["Location"]
    send(client, address, data[:40], 0)
    for wrong in (0, 39, 41, len(data)):
        assert send(client, address, data[40:50], wrong).status_code == 409
    assert send(client, address, data + data, 40).status_code == 413
    assert offset_of(client, address) == 40
    assert send(client, address, data[40:], 40).json()["outcome"] == "stored"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Tus-Resumable": "0.2.2"}, 412),
        ({"Upload-Length": "-1"}, 400),
        ({"Upload-Length": "1_0"}, 400),
        ({"Upload-Length": "٣"}, 400),
        ({"Upload-Length": "9" * 30}, 400),
        ({"Upload-Length": str(64 * 2**20 + 1)}, 413),
        ({"Upload-Defer-Length": "1"}, 400),
        ({"Upload-Metadata": "filename %%%"}, 400),
        ({"Upload-Metadata": "filename YQ==,filename YQ=="}, 400),
        ({"Upload-Metadata": "x " * 5000}, 400),
        ({"Upload-Checksum": "md4 YQ=="}, 400),
        ({"Upload-Checksum": "sha1 YQ=="}, 400),
    ],
)
def test_hostile_headers_are_refused_with_a_sentence(
    headers: dict[str, str], status: int, gallery_data: Path, client: Client
) -> None:
    answer = begin(client, 10, **headers)
    assert answer.status_code == status
    assert answer.json()["detail"].endswith(".")
    assert answer["Tus-Resumable"] == "1.0.0"
    assert list(gallery_settings.UNFINISHED_DIR.glob("*/*")) == []


@pytest.mark.parametrize(
    "name", ["../../x.jpg", "a/b\\x.jpg", "\0x.jpg", "\r\nx.jpg", "x" * 2000 + ".jpg"]
)
def test_no_name_leads_anywhere(name: str, gallery_data: Path, client: Client) -> None:
    data = drawn_png()
    address = begin(client, len(data), name)["Location"]
    shown = send(client, address, data, 0).json()["name"]
    assert shown.endswith("x.jpg")
    assert len(shown) <= 255
    assert not set(shown) & set("/\\\r\n\0")


@pytest.mark.parametrize("address", ["..", "%2e%2e%2f", "x", "a" * 22, "a" * 3000, "é"])
def test_what_was_never_begun_is_not_found(
    address: str, gallery_data: Path, client: Client
) -> None:
    assert client.get(f"{UPLOADS}/{address}").status_code == 404
    assert send(client, f"{UPLOADS}/{address}", b"x", 0).status_code == 404


def test_requests_without_their_headers_are_refused(gallery_data: Path, client: Client) -> None:
    address = begin(client, 10)["Location"]
    assert send(client, address, b"12345", "x").status_code == 400
    patch = {"Tus-Resumable": "1.0.0", "Upload-Offset": "0"}
    assert client.patch(address, b"12345", headers=patch).status_code == 415
    kind = protocol.CONTENT_TYPE
    chunked = patch | {"Transfer-Encoding": "chunked"}
    assert client.patch(address, b"1", kind, headers=chunked).status_code == 411
    assert client.patch(address, b"1", kind).status_code == 412
    assert client.delete(address).status_code == 412
    assert offset_of(client, address) == 0


def test_bytes_that_do_not_match_their_checksum_are_dropped(
    gallery_data: Path, client: Client
) -> None:
    data = drawn_png()
    address = begin(client, len(data))["Location"]
    right = f"sha1 {base64.b64encode(hashlib.sha1(data[:50]).digest()).decode()}"
    spoilt = send(client, address, b"?" + data[1:50], 0, **{"Upload-Checksum": right})
    assert (spoilt.status_code, offset_of(client, address)) == (460, 0)
    assert send(client, address, data[:50], 0, **{"Upload-Checksum": right}).status_code == 200
    assert send(client, address, data[50:], 50).json()["outcome"] == "stored"


def test_nobody_reaches_the_uploads_of_another(gallery_data: Path, settings: Settings) -> None:
    settings.GALLERY_LOGIN = Login.REQUIRED
    editor, token = client_of(Who.EDITOR), client_of(Who.WRITE_TOKEN)
    address = begin(editor, 10)["Location"]
    assert editor.get(address).status_code == 200
    assert token.get(address).status_code == 404
    assert send(token, address, b"12345", 0).status_code == 404


def test_a_visitor_has_so_much_unfinished_and_no_more(
    gallery_data: Path, client: Client, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.MAX_UNFINISHED_BYTES = 1000
    data = drawn_png()
    first = begin(client, 600)["Location"]
    full = begin(client, 600)
    assert full.status_code == 429
    assert "Too many uploads are unfinished" in full.json()["detail"]
    client.delete(first, headers={"Tus-Resumable": "1.0.0"})
    # What has become a photo takes no room.
    for _ in range(3):
        assert send(client, begin(client, len(data))["Location"], data, 0).status_code == 200
    monkeypatch.setattr(taking, "MAX_UPLOADS", 1)
    assert begin(client, 1).status_code == 201
    assert begin(client, 1).status_code == 429


def test_an_upload_expires_and_is_swept(gallery_data: Path, client: Client) -> None:
    begin(client, 10)
    address = begin(client, 10)["Location"]
    [unfinished] = gallery_settings.UNFINISHED_DIR.iterdir()
    long_ago = time.time() - 49 * HOUR
    for path in unfinished.glob("*.json"):
        path.write_text(json.dumps(json.loads(path.read_text()) | {"changed_at": long_ago}))
    leftover = unfinished / f"{'a' * 22}.part"
    leftover.touch()
    os.utime(leftover, (long_ago, long_ago))
    assert client.get(address).status_code == 410
    kept = begin(client, 10)["Location"]
    taking.sweep()
    assert {path.stem for path in unfinished.iterdir()} == {kept.rpartition("/")[2]}


def test_a_full_disk_postpones_an_upload_and_loses_none_of_it(
    gallery_data: Path, client: Client
) -> None:
    data = encoded(drawn_photo(size=(500, 420)), "BMP")
    address = begin(client, len(data))["Location"]
    send(client, address, data[:1000], 0)
    with file_size_limit(200_000):
        answer = send(client, address, data[1000:], 1000)
    assert answer.status_code == 507
    assert answer.json()["detail"].startswith("The disk is full")
    assert offset_of(client, address) == 1000
    assert send(client, address, data[1000:], 1000).json()["outcome"] == "stored"


class Stuttering(io.BytesIO):
    """A connection that brings `count` bytes, then is asked for more."""

    def __init__(self, data: bytes, then: Callable[[], None]) -> None:
        super().__init__(data)
        self._then = then

    def read(self, size: int | None = -1, /) -> bytes:
        block = super().read(size)
        if not block:
            self._then()
        return block


def test_two_requests_at_once_do_not_mix(tmp_path: Path) -> None:
    unfinished = Unfinished(tmp_path, ROOMY)
    upload_id = unfinished.create(10, "photo").upload_id

    def meanwhile() -> None:
        with pytest.raises(TusRefused) as caught, unfinished.held(upload_id):
            pass
        assert caught.value.status == 423
        # Nor does a sweep take it away.
        Unfinished(tmp_path, Limits(1, 1, -HOUR)).sweep()

    with unfinished.held(upload_id) as record:
        record = unfinished.append(record, Stuttering(b"12345", meanwhile), 10)
    assert (record.offset, unfinished.find(upload_id).offset) == (5, 5)


def test_bytes_that_no_offset_promised_are_cut_off(tmp_path: Path) -> None:
    unfinished = Unfinished(tmp_path, ROOMY)
    upload_id = unfinished.create(10, "photo").upload_id
    # What a killed request had written.
    unfinished.part_path(upload_id).write_bytes(b"rubbish that was never safe")
    assert unfinished.find(upload_id).offset == 0
    with unfinished.held(upload_id) as record:
        record = unfinished.append(record, io.BytesIO(b"12345"), 5)
    with unfinished.held(upload_id) as record:
        record = unfinished.append(record, io.BytesIO(b"67890"), 5)
    assert unfinished.part_path(upload_id).read_bytes() == b"1234567890"
    assert record.is_whole


def test_a_damaged_record_is_as_good_as_none(gallery_data: Path, client: Client) -> None:
    address = begin(client, 10)["Location"]
    [record] = gallery_settings.UNFINISHED_DIR.glob("*/*.json")
    record.write_bytes(record.read_bytes()[:-5])
    assert client.get(address).status_code == 404
    assert send(client, address, b"12345", 0).status_code == 404
    assert begin(client, 10).status_code == 201


def test_a_photo_whose_answer_was_lost_to_a_kill_is_not_its_own_duplicate(
    gallery_data: Path, client: Client, make_file: MakeFile
) -> None:
    data = drawn_png()
    upload_id = begin(client, len(data), "mine.png")["Location"].rpartition("/")[2]
    [folder] = gallery_settings.UNFINISHED_DIR.iterdir()
    unfinished = Unfinished(folder, taking.limits())
    with unfinished.held(upload_id) as record:
        unfinished.append(record, io.BytesIO(data), len(data))
    # The request that was killed had come so far.
    receive_file(make_file(data, "mine.png"))
    answer = send(client, f"{UPLOADS}/{upload_id}", b"", len(data))
    assert (answer.json()["outcome"], answer.json()["duplicate_of"]) == ("stored", None)


@contextmanager
def connection_to(gallery: ServedGallery) -> Iterator[http.client.HTTPConnection]:
    connection = http.client.HTTPConnection("127.0.0.1", gallery.port, timeout=30)
    yield connection
    connection.close()


def ask(
    gallery: ServedGallery, method: str, address: str, data: bytes = b"", **headers: object
) -> tuple[int, Any, dict[str, str]]:
    """A request's status, JSON and headers."""
    with connection_to(gallery) as connection:
        sent = {"Tus-Resumable": "1.0.0", "Accept": "application/json"}
        if method == "PATCH":
            sent["Content-Type"] = protocol.CONTENT_TYPE
        sent |= {name.replace("_", "-"): str(value) for name, value in headers.items()}
        connection.request(method, address, data or None, sent)
        response = connection.getresponse()
        body = response.read()
        return response.status, json.loads(body) if body else None, dict(response.getheaders())


def cut_off(gallery: ServedGallery, address: str, data: bytes, sent: int) -> socket.socket:
    """Send only the first bytes of a request, and leave the connection as it is."""
    connection = socket.create_connection(("127.0.0.1", gallery.port), 30)
    connection.sendall(
        f"PATCH {address} HTTP/1.1\r\nHost: localhost\r\nTus-Resumable: 1.0.0\r\n"
        f"Upload-Offset: 0\r\nContent-Type: {protocol.CONTENT_TYPE}\r\n"
        f"Content-Length: {len(data)}\r\n\r\n".encode()
        + data[:sent]
    )
    return connection


def test_an_upload_goes_on_after_a_lost_connection_and_after_kills(tmp_path: Path) -> None:
    data = encoded(drawn_photo(size=(1200, 1000)), "BMP")
    half = len(data) // 2
    with running_gallery(tmp_path / "data") as gallery:
        address = ask(gallery, "POST", UPLOADS, Upload_Length=len(data))[2]["Location"]
        connection = cut_off(gallery, address, data, half)
        # As long as it is open, nobody else sends.
        deadline = time.monotonic() + 10
        while ask(gallery, "PATCH", address, Upload_Offset=0, Content_Length=0)[0] != 423:
            assert time.monotonic() < deadline
        connection.close()
        offset = 0
        while not offset:
            assert time.monotonic() < deadline
            offset = int(ask(gallery, "HEAD", address)[2]["Upload-Offset"])
        assert half - 2**18 <= offset <= half

        status = 423
        while status == 423:
            assert time.monotonic() < deadline
            piece = data[offset : offset + 300_000]
            status, _, headers = ask(gallery, "PATCH", address, piece, Upload_Offset=offset)
        assert (status, int(headers["Upload-Offset"])) == (200, offset + 300_000)
        gallery.kill_all()
        gallery.start()
        assert int(ask(gallery, "HEAD", address)[2]["Upload-Offset"]) == offset + 300_000

        # Killed while the last bytes are taken: whatever was reached, it ends well.
        offset += 300_000
        with ThreadPoolExecutor(1) as pool:
            last = pool.submit(ask, gallery, "PATCH", address, data[offset:], Upload_Offset=offset)
            time.sleep(0.03)
            for process_id in [gallery.process.pid, *gallery.descendants()]:
                os.kill(process_id, signal.SIGKILL)
            gallery.process.wait(10)
            # Answered or cut off, as it came.
            last.exception()
        gallery.start()
        offset = int(ask(gallery, "HEAD", address)[2]["Upload-Offset"])
        _, answer, _ = ask(gallery, "PATCH", address, data[offset:], Upload_Offset=offset)
        assert answer["outcome"] in ("stored", "duplicate")
        gallery.wait_until_ready(answer["id"])
        assert gallery.get(f"/photos/{answer['id']}/original") == data
        assert gallery.json("/api/v1/images")["total"] == 1


def test_a_silent_connection_does_not_hold_its_upload_for_ever(
    gallery_data: Path, monkeypatch: pytest.MonkeyPatch, client: Client
) -> None:
    monkeypatch.setattr("gallery.tus_api.SILENCE_SECONDS", 0.1)
    here, there = socket.socketpair()
    with here, there:
        address = begin(client, 10)["Location"]

        class Silent(io.BytesIO):
            def read(self, size: int | None = -1, /) -> bytes:
                return here.recv(size or 1)

        there.sendall(b"12345")
        answer = client.generic(
            "PATCH",
            address,
            b"",
            headers={"Tus-Resumable": "1.0.0", "Upload-Offset": "0"},
            CONTENT_TYPE=protocol.CONTENT_TYPE,
            CONTENT_LENGTH="10",
            **{"gunicorn.socket": here, "wsgi.input": Silent()},  # type: ignore[arg-type]  # Likewise.
        )
        assert answer.status_code == 204
        assert answer["Upload-Offset"] == "5"
        # The rest of the request is not waited for.
        assert here.recv(1) == b""
