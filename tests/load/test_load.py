"""The load test finds what it should find, and slow clients stop nobody."""

from __future__ import annotations

import io
import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image as Pillow

from tests.gallery.served_gallery import MULTIPART, ServedGallery
from tests.load.harness import load
from tests.load.journal import KINDS, Journal, Request, read_journal
from tests.load.photos import varied_photos, with_comment

SLOW_UPLOADS = 20


@pytest.fixture
def gallery(tmp_path: Path) -> Iterator[ServedGallery]:
    gallery = ServedGallery(tmp_path / "data")
    gallery.start()
    yield gallery
    gallery.stop()


def test_a_gallery_carries_a_few_clients(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert load(tmp_path, clients=4, seconds=4, photos=10) == []

    journal = read_journal(tmp_path / "journal.jsonl")
    assert {request.kind for request in journal.requests} == set(KINDS)
    assert journal.stored
    said = capfd.readouterr().out
    assert f"overall{len(journal.requests):>30}" in said
    assert "all sound" in said


def test_slow_uploads_keep_nobody_else_waiting(gallery: ServedGallery) -> None:
    uploads = [_begun_upload(gallery.port) for _ in range(SLOW_UPLOADS)]
    try:
        assert b"Photos" in gallery.get("/")
    finally:
        for upload in uploads:
            upload.close()


def test_failures_are_told_apart() -> None:
    asked = [_asked(f"{kind}: it", 200) for kind in KINDS]
    failed = [
        *[_asked("search: it", 500, "broken")] * 2,
        _asked("search: it", 0, "refused"),
        _asked("browse: it", 404, "gone"),
    ]

    assert [*Journal(asked, {}).problems()] == []
    assert [*Journal([*asked, *failed], {}).problems()] == [
        "2 answers of 500 or above, 1 requests without an answer, 1 other failures.",
        "2 × search: it: broken",
        "1 × search: it: refused",
        "1 × browse: it: gone",
    ]


def test_what_was_never_tried_is_a_problem() -> None:
    assert [*Journal([_asked("search: it", 200)], {}).problems()] == [
        "There was no browse at all.",
        "There was no upload at all.",
    ]


def test_the_table_has_rates_and_percentiles() -> None:
    requests = [Request("search: it", float(n), ended=10 * n / 100, status=200) for n in range(101)]

    *_, overall, _unit = Journal(requests, {}).table().splitlines()

    assert overall.split() == ["overall", "101", "10.1", "50", "95", "99", "100"]


def test_a_journal_is_read_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    lines = [
        {"name": "upload: API", "milliseconds": 3.0, "ended": 5.0, "status": 201},
        {"stored": 7, "sha256": "ab"},
    ]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))

    assert read_journal(path) == Journal([Request("upload: API", 3.0, 5.0, 201)], {7: "ab"})


def test_a_comment_makes_another_file_of_the_same_picture() -> None:
    [photo] = varied_photos(1, seed=3)

    assert with_comment(photo, "a") != with_comment(photo, "b")
    assert _pixels(with_comment(photo, "a")) == _pixels(photo)
    with pytest.raises(ValueError, match="should start with"):
        with_comment(b"GIF89a", "a")


def _asked(name: str, status: int, failure: str = "") -> Request:
    return Request(name, 1.0, 1.0, status, failure)


def _begun_upload(port: int) -> socket.socket:
    """An upload of which only the first bytes have come."""
    upload = socket.create_connection(("127.0.0.1", port))
    upload.sendall(
        f"POST /api/v1/images HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: {MULTIPART}\r\n"
        "Content-Length: 1000000\r\n\r\n--".encode()
    )
    return upload


def _pixels(photo: bytes) -> bytes:
    return Pillow.open(io.BytesIO(photo)).tobytes()
