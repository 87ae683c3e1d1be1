"""Clients of a gallery that is being killed, and a journal of what it answered them."""

from __future__ import annotations

import hashlib
import http.client
import json
import threading
import time
from dataclasses import dataclass, field
from enum import Enum, auto
from itertools import count
from random import Random

from tests.gallery.served_gallery import MULTIPART, multipart
from tests.photos import drawn_png

ANSWER_SECONDS = 30.0
# Between two requests of a client, so that the worker can keep up where it lives.
PAUSE_SECONDS = 0.15


class Known(Enum):
    """What the gallery has promised about a photo."""

    NOTHING = auto()
    """An upload was cut off: it is there or not."""
    STORED = auto()
    DELETING = auto()
    """A deletion was cut off: it is there or not."""
    DELETED = auto()


@dataclass
class SentPhoto:
    """A photo that a client has uploaded at least once."""

    seed: int
    known: Known = Known.NOTHING
    image_id: int = 0

    @property
    def data(self) -> bytes:
        return drawn_png(self.seed)

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.data).hexdigest()


@dataclass
class Journal:
    """What was answered, by all clients."""

    photos: list[SentPhoto] = field(default_factory=list)
    acknowledged: int = 0
    duplicates: int = 0
    deletions: int = 0
    reads: int = 0
    answers: int = 0
    cut_off: int = 0
    """Requests without an answer."""
    problems: list[str] = field(default_factory=list)
    """Answers that no gallery may give."""

    def known_as(self, *known: Known) -> list[SentPhoto]:
        return [photo for photo in self.photos if photo.known in known]


class Client:
    """Uploads photos of its own, some twice, deletes and reads some of them, until it is stopped.

    No other client touches its photos, so it knows what each answer has to be.
    """

    def __init__(self, port: int, journal: Journal, seeds: count[int], random_seed: int) -> None:
        self._port = port
        self._journal = journal
        self._seeds = seeds
        self._random = Random(random_seed)
        self._photos: list[SentPhoto] = []
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._act_on)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join()

    def _act_on(self) -> None:
        while not self._stopping.is_set():
            try:
                self._act()
            except (OSError, http.client.HTTPException):
                self._journal.cut_off += 1
            except Exception as error:
                self._journal.problems.append(f"A client failed: {error!r}")
                raise
            time.sleep(self._random.uniform(0, 2 * PAUSE_SECONDS))

    def _act(self) -> None:
        action = self._random.random()
        left = [photo for photo in self._photos if photo.known != Known.DELETED]
        if action < 0.5 or not left:
            photo = SentPhoto(next(self._seeds))
            self._photos.append(photo)
            self._journal.photos.append(photo)
            self._upload(photo)
            return
        photo = self._random.choice(left)
        if photo.known == Known.NOTHING or (photo.known == Known.STORED and action < 0.6):
            self._upload(photo)
        elif photo.known == Known.DELETING or action < 0.75:
            self._delete(photo)
        else:
            self._read(photo)

    def _upload(self, photo: SentPhoto) -> None:
        body = multipart([(f"photo {photo.seed}.png", photo.data)])
        status, answer = self._ask("POST", "/api/v1/images", body)
        if status not in (200, 201):
            self._complain(photo, "an upload", status, answer)
            return
        image_id = json.loads(answer)["results"][0]["id"]
        if photo.known == Known.STORED and (status, image_id) != (200, photo.image_id):
            self._complain(photo, "a second upload", status, answer)
        if status == 200:
            self._journal.duplicates += 1
        if photo.known == Known.NOTHING:
            self._journal.acknowledged += 1
        photo.known, photo.image_id = Known.STORED, image_id

    def _delete(self, photo: SentPhoto) -> None:
        before, photo.known = photo.known, Known.DELETING
        status, answer = self._ask("DELETE", f"/api/v1/images/{photo.image_id}?for_good=true")
        if status == 204 or (status == 404 and before == Known.DELETING):
            photo.known = Known.DELETED
            self._journal.deletions += 1
        else:
            self._complain(photo, "a deletion", status, answer)

    def _read(self, photo: SentPhoto) -> None:
        status, answer = self._ask("GET", f"/photos/{photo.image_id}/original")
        if status != 200 or answer != photo.data:
            self._complain(photo, "a read", status, answer)
        self._journal.reads += 1

    def _ask(self, method: str, path: str, body: bytes = b"") -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=ANSWER_SECONDS)
        try:
            connection.request(method, path, body, {"Content-Type": MULTIPART} if body else {})
            response = connection.getresponse()
            answer = response.read()
            self._journal.answers += 1
            return response.status, answer
        finally:
            connection.close()

    def _complain(self, photo: SentPhoto, what: str, status: int, answer: bytes) -> None:
        self._journal.problems.append(
            f"Photo {photo.seed} as image {photo.image_id}: {what} was answered {status}, "
            f"{answer[:200]!r}"
        )
