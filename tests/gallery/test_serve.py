from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.gallery.served_gallery import (
    REPOSITORY,
    ServedGallery,
    free_port,
    own_environment,
    running_gallery,
)
from tests.photos import CAT, COFFEE, drawn_png


@pytest.fixture
def gallery(tmp_path: Path) -> Iterator[ServedGallery]:
    """A running gallery of its own."""
    with running_gallery(tmp_path / "data") as gallery:
        yield gallery


def is_running(process_id: int) -> bool:
    try:
        return Path(f"/proc/{process_id}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def wait_until_gone(process_ids: list[int]) -> bool:
    deadline = time.monotonic() + 10
    while any(map(is_running, process_ids)) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not any(map(is_running, process_ids))


def test_an_upload_becomes_ready_and_is_found(served: ServedGallery) -> None:
    status, [answer] = served.upload((CAT.name, CAT.read_bytes()))
    assert (status, answer["outcome"]) == (201, "stored")
    photo = served.wait_until_ready(answer["id"])
    assert photo["objects"][0]["name"] == "cat"
    assert served.get(f"/photos/{answer['id']}/original") == CAT.read_bytes()
    assert served.json("/api/v1/search?q=kitten")["results"][0]["id"] == answer["id"]
    assert b"chelsea.png" in served.get("/photos/")


def test_its_pages_have_their_styles_and_scripts(served: ServedGallery) -> None:
    page = served.get("/").decode()
    paths = [part.split('"')[0] for part in page.split('="/static/')[1:]]
    assert paths
    for path in paths:
        assert served.get(f"/static/{path}".split("#")[0])


def test_sigterm_stops_all_of_it_cleanly(gallery: ServedGallery) -> None:
    processes = gallery.descendants()
    assert len(processes) >= 2
    assert gallery.stop() == 0
    assert wait_until_gone(processes)
    with pytest.raises(urllib.error.URLError):
        gallery.get("/")


def test_a_killed_worker_is_started_again_and_nothing_is_lost(gallery: ServedGallery) -> None:
    worker = gallery.worker()
    os.kill(worker, signal.SIGKILL)
    status, [answer] = gallery.upload((COFFEE.name, COFFEE.read_bytes()))
    assert status == 201
    assert gallery.wait_until_ready(answer["id"])["objects"][0]["name"] == "cup"
    assert gallery.worker() != worker


def test_what_was_answered_as_stored_survives_a_power_cut(gallery: ServedGallery) -> None:
    data = drawn_png(77)
    status, [answer] = gallery.upload(("photo.png", data))
    assert status == 201
    gallery.kill_all()
    gallery.start()
    assert gallery.get(f"/photos/{answer['id']}/original") == data
    # Should the worker have held it already, the next one waits for the lease to end.
    photo = gallery.wait_until_ready(answer["id"], seconds=90)
    assert (photo["name"], photo["size"]) == ("photo.png", len(data))


def test_a_port_that_is_taken_ends_it_with_a_reason(served: ServedGallery, tmp_path: Path) -> None:
    command = [sys.executable, "manage.py", "serve", "--port", str(served.port)]
    second = subprocess.run(
        command,
        cwd=REPOSITORY,
        env=own_environment(tmp_path / "data"),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert second.returncode == 1
    reason = f"CommandError: 127.0.0.1:{served.port} cannot be served: Address already in use"
    assert reason in second.stderr


@pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="this machine has no IPv6")
@pytest.mark.parametrize("host", ["::1", "[::1]"])
def test_it_serves_an_ipv6_address_with_and_without_brackets(host: str, tmp_path: Path) -> None:
    port = free_port()
    command = [sys.executable, "manage.py", "serve", "--host", host, "--port", str(port)]
    with subprocess.Popen(
        command,
        cwd=REPOSITORY,
        env=own_environment(tmp_path / "data"),
        stdout=subprocess.PIPE,
        text=True,
    ) as gallery:
        try:
            assert gallery.stdout is not None
            address = f"http://[::1]:{port}/"
            assert gallery.stdout.readline() == f"Image Gallery is at {address} (Ctrl-C stops it)\n"
            deadline = time.monotonic() + 30
            while True:
                try:
                    assert b"Image Gallery" in urllib.request.urlopen(address, timeout=30).read()
                    break
                except urllib.error.URLError:
                    assert time.monotonic() < deadline, "it does not answer"
                    time.sleep(0.05)
        finally:
            gallery.send_signal(signal.SIGTERM)
    assert gallery.returncode == 0


def test_web_and_worker_end_when_only_their_supervisor_is_killed(gallery: ServedGallery) -> None:
    children = gallery.descendants()
    os.kill(gallery.process.pid, signal.SIGKILL)
    gallery.process.wait(10)
    assert wait_until_gone(children)
