"""What each of many clients does at once, for locust: search, browse and upload, without a pause.

`python -m locust -f tests/load/visitors.py --journal FILE --photos FOLDER …`, which
`tests.load.harness` does. One line of the journal is one request.
"""

from __future__ import annotations

import hashlib
import json
import re
import time
from argparse import ArgumentParser
from collections.abc import Callable
from itertools import count
from pathlib import Path
from random import Random
from typing import TextIO
from urllib.parse import urlencode

from locust import FastHttpUser, events, task
from locust.contrib.fasthttp import FastResponse
from locust.env import Environment
from locust.event import EventHook

from tests.gallery.served_gallery import MULTIPART, multipart
from tests.load.asked import LAYOUTS, QUERIES
from tests.load.photos import with_comment

LINKED_THUMBNAIL = re.compile(r'"(/photos/\d+/grid\.jpg[^"]*)"')
LINKED_PHOTO = re.compile(r'"(/photos/(\d+)/)"')
LINKED_PAGE = re.compile(r"[?]page=(\d+)")
THUMBNAILS_OF_A_PAGE = 6
NO_OBJECTS = "No object was recognised in this photo"


class Visitor(FastHttpUser):
    """One client; the weights say how often it does what."""

    random_seeds = count(1)
    upload_numbers = count(1)
    photos: tuple[bytes, ...] = ()
    journal: TextIO
    pause = 0.0

    def on_start(self) -> None:
        self.random = Random(next(self.random_seeds))
        self.seen_ids = [1]
        self.pages = 1

    def wait_time(self) -> float:
        return self.random.uniform(0, 2 * self.pause)

    @task(6)
    def search_words(self) -> None:
        self._get("search: words", "/search", q=self.random.choice(QUERIES))

    @task(3)
    def search_words_of_the_api(self) -> None:
        self._get("search: words, API", "/api/v1/search", q=self.random.choice(QUERIES))

    @task(2)
    def search_layout(self) -> None:
        self._get("search: layout", "/search", layout=json.dumps(self.random.choice(LAYOUTS)))

    @task(2)
    def search_layout_of_the_api(self) -> None:
        layout = self.random.choice(LAYOUTS)
        self.client.post("/api/v1/search/layout", json=layout, name="search: layout, API")

    @task(2)
    def search_similar(self) -> None:
        address = f"/photos/{self.random.choice(self.seen_ids)}/similar"
        with self.client.get(address, name="search: similar", catch_response=True) as response:
            # Nothing is similar to a photo in which nothing was found; the page says so.
            if response.status_code == 400 and NO_OBJECTS in (response.text or ""):
                response.success()

    @task(2)
    def browse_dashboard(self) -> None:
        self._get("browse: dashboard", "/")
        self._get("browse: progress", "/progress")

    @task(3)
    def browse_photos(self) -> None:
        number = self.random.randint(1, self.pages)
        page = self._get("browse: page of photos", "/photos/", page=number).text or ""
        self.pages = max([self.pages, *map(int, LINKED_PAGE.findall(page))])
        self.seen_ids = [int(found[1]) for found in LINKED_PHOTO.findall(page)] or self.seen_ids
        linked = LINKED_THUMBNAIL.findall(page)
        for address in self.random.sample(linked, min(THUMBNAILS_OF_A_PAGE, len(linked))):
            self._get("browse: thumbnail", address)

    @task(3)
    def browse_photo(self) -> None:
        address = f"/photos/{self.random.choice(self.seen_ids)}/"
        self._get("browse: photo", address)
        self._get("browse: view", f"{address}view.jpg")

    @task(1)
    def browse_original(self) -> None:
        self._get("browse: original", f"/photos/{self.random.choice(self.seen_ids)}/original")

    @task(3)
    def upload(self) -> None:
        number = next(self.upload_numbers)
        photo = with_comment(self.random.choice(self.photos), f"upload {number}")
        form = multipart([(f"upload {number}.jpg", photo)])
        with self.client.post(
            "/api/v1/images",
            data=form,  # type: ignore[arg-type]  # Its documentation has bytes, too.
            headers={"Content-Type": MULTIPART},
            name="upload: API",
            catch_response=True,
        ) as response:
            if response.status_code != 201:
                response.failure(f"status {response.status_code}: {_beginning(response)}")
                return
            image_id = response.json()["results"][0]["id"]
        digest = hashlib.sha256(photo).hexdigest()
        _write(self.journal, {"stored": image_id, "sha256": digest})

    def _get(self, name: str, path: str, **query: object) -> FastResponse:
        address = f"{path}?{urlencode(query)}" if query else path
        return self.client.get(address, name=name)


def _beginning(response: FastResponse) -> str:
    return (response.text or "")[:200]


def _write(journal: TextIO, facts: dict[str, object]) -> None:
    journal.write(json.dumps(facts) + "\n")


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--journal", type=Path, required=True)
    parser.add_argument("--photos", type=Path, required=True)
    parser.add_argument("--pause", type=float, default=0.0, help="seconds, about, between tasks")


def prepare(environment: Environment, **kwargs: object) -> None:
    options = environment.parsed_options
    assert options is not None, "locust parses its options before this"
    journal = options.journal.open("w")
    Visitor.journal = journal
    Visitor.pause = options.pause
    Visitor.photos = tuple(path.read_bytes() for path in sorted(options.photos.iterdir()))

    def write(
        name: str,
        response_time: float,
        response: FastResponse | None,
        exception: Exception | None,
        **kwargs: object,
    ) -> None:
        facts: dict[str, object] = {
            "name": name,
            "milliseconds": response_time,
            "ended": time.monotonic(),
            "status": response.status_code if response is not None else 0,
        }
        if exception is not None:
            facts["failure"] = f"{exception} {_beginning(response) if response else ''}".strip()
        _write(journal, facts)

    def close(**kwargs: object) -> None:
        journal.close()

    _listen(environment.events.request, write)
    _listen(environment.events.quit, close)


def _listen(event: EventHook, listener: Callable[..., None]) -> None:
    event.add_listener(listener)  # type: ignore[no-untyped-call]  # It has no types.


_listen(events.init_command_line_parser, add_arguments)
_listen(events.init, prepare)
