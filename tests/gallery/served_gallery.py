"""A gallery that runs as people run it: `manage.py serve`, with a port and data of its own."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[2]
# Patience for a loaded machine.
START_SECONDS = 90.0
READY_SECONDS = 120.0
BOUNDARY = "gallery-tests-boundary"


def own_environment(data: Path) -> dict[str, str]:
    """The environment of a process that has a gallery of its own, with SQLite in its folder."""
    return {name: value for name, value in os.environ.items() if name != "DATABASE_URL"} | {
        "GALLERY_DATA": str(data),
        "DJANGO_SETTINGS_MODULE": "gallery.settings",
    }


def multipart(files: list[tuple[str, bytes]], field: str = "photos") -> bytes:
    """The body of a form that sends files, written byte by byte: a hostile one is as easy."""
    parts = [
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{field}"; filename="{name}"\r\n'
        "Content-Type: application/octet-stream\r\n\r\n".encode()
        + data
        + b"\r\n"
        for name, data in files
    ]
    return b"".join(parts) + f"--{BOUNDARY}--\r\n".encode()


MULTIPART = f"multipart/form-data; boundary={BOUNDARY}"


class ServedGallery:
    """`manage.py serve` in a process, and what a browser or a script would ask of it."""

    def __init__(self, data: Path, **settings: str) -> None:
        self.data = data
        self._settings = settings
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def process(self) -> subprocess.Popen[bytes]:
        assert self._process is not None, "start the gallery first"
        return self._process

    def start(self) -> None:
        """Start it and wait until it answers."""
        command = [sys.executable, "manage.py", "serve", "--port", str(self.port)]
        environment = own_environment(self.data) | self._settings
        self._process = subprocess.Popen(
            command, cwd=REPOSITORY, env=environment, stdout=subprocess.DEVNULL
        )
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                self.json("/api/v1/images")
                return
            except OSError:
                assert self.process.poll() is None, "serve ended before it answered"
                assert time.monotonic() < deadline, "serve does not answer"
                time.sleep(0.05)

    def stop(self) -> int:
        """Ask it to stop; its exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(30)

    def kill_all(self) -> None:
        """End all of its processes as a power cut would."""
        for process_id in [self.process.pid, *self.descendants()]:
            os.kill(process_id, signal.SIGKILL)
        self.process.wait(10)

    def descendants(self) -> list[int]:
        """The ids of its child processes and of theirs."""
        return descendants(self.process.pid)

    def worker(self) -> int:
        """The id of its worker process."""
        [found] = [pid for pid in self.descendants() if "worker" in command_line(pid)]
        return found

    def get(self, path: str) -> bytes:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=30) as answer:
            content: bytes = answer.read()
            return content

    def json(self, path: str) -> Any:
        return json.loads(self.get(path))

    def upload(self, *files: tuple[str, bytes]) -> tuple[int, list[dict[str, Any]]]:
        """Upload files in one request; the status and an answer for each."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.request(
            "POST", "/api/v1/images", multipart(list(files)), {"Content-Type": MULTIPART}
        )
        response = connection.getresponse()
        results: list[dict[str, Any]] = json.loads(response.read())["results"]
        connection.close()
        return response.status, results

    def wait_until_ready(self, image_id: int, *, seconds: float = READY_SECONDS) -> dict[str, Any]:
        """The photo's facts, once its objects are known."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            photo: dict[str, Any] = self.json(f"/api/v1/images/{image_id}")
            if photo["state"] == "ready":
                return photo
            time.sleep(0.05)
        raise AssertionError(f"photo {image_id} is still {photo['state']}: {photo['failure']}")

    def wait_until_spool_is_empty(self) -> None:
        """A request's own files go after its answer, and so a moment later than it."""
        deadline = time.monotonic() + READY_SECONDS
        while any((self.data / "spool").iterdir()):
            assert time.monotonic() < deadline, list((self.data / "spool").iterdir())
            time.sleep(0.05)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def descendants(process_id: int) -> list[int]:
    """The ids of a process's children and of theirs; none of one that has ended."""
    try:
        children = Path(f"/proc/{process_id}/task/{process_id}/children").read_text().split()
    except (FileNotFoundError, ProcessLookupError):
        return []
    found = []
    for child in map(int, children):
        found += [child, *descendants(child)]
    return found


def command_line(process_id: int) -> list[str]:
    """The words that a process was started with; none of one that has ended."""
    try:
        return Path(f"/proc/{process_id}/cmdline").read_text().split("\0")
    except (FileNotFoundError, ProcessLookupError):
        return []


@contextmanager
def running_gallery(folder: Path) -> Iterator[ServedGallery]:
    """A running gallery of its own, which a test may stop or kill."""
    gallery = ServedGallery(folder)
    gallery.start()
    yield gallery
    if gallery.process.poll() is None:
        gallery.kill_all()
