"""`/healthz` and `/readyz`, and what still works where a part is down."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client, override_settings
from django.urls import reverse
from django.utils import timezone

from detector.model_files import SSD
from gallery import components
from gallery.ingest import ingest_batch
from gallery.models import Image
from gallery.tasks import schedule_ingestion
from gallery.uploads import receive_file
from tests.detector.protocol_process import ProtocolServer
from tests.gallery.broken_database import broken_database
from tests.photos import COFFEE


@pytest.fixture(scope="module")
def ssd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProtocolServer]:
    """A server of the real SavedModel, in a process of its own."""
    log = tmp_path_factory.mktemp("ssd") / "stderr"
    with ProtocolServer(settings.GALLERY_MODELS / SSD.saved_model_dir, log=log) as server:
        yield server


@pytest.fixture
def served_detector(ssd: ProtocolServer) -> Iterator[ProtocolServer]:
    """The gallery asks this server for detections, as long as a test lasts."""
    with override_settings(DETECTOR_URL=f"grpc://{ssd.address}"):
        components.detector.cache_clear()
        yield ssd
        components.detector().close()
    components.detector.cache_clear()


def readiness(client: Client) -> tuple[int, dict[str, str]]:
    response = client.get("/readyz")
    body = json.loads(response.content)
    assert body["ready"] == (response.status_code == 200)
    parts: dict[str, str] = body["parts"]
    return response.status_code, parts


def wait_until_ready(client: Client) -> None:
    """A connection that failed is tried again within two seconds."""
    deadline = time.monotonic() + 10
    while readiness(client)[0] != 200:
        assert time.monotonic() < deadline, "it does not become ready again"
        time.sleep(0.1)


def test_it_is_alive_without_a_database_or_a_store(client: Client, gallery_data: Path) -> None:
    # Without the fixture `db` a test that asked the database would fail.
    shutil.rmtree(gallery_data)
    response = client.get("/healthz")
    assert (response.status_code, response.content) == (200, b"alive\n")
    assert "no-store" in response["Cache-Control"]


def test_it_is_ready_where_all_parts_work(client: Client, gallery_data: Path, db: None) -> None:
    parts = {"database": "ok", "store": "ok", "detector": "ok"}
    assert readiness(client) == (200, parts)


def test_a_broken_database_is_named(client: Client, gallery_data: Path, db: None) -> None:
    with broken_database():
        status, parts = readiness(client)
    assert status == 503
    assert "gallery_image" in parts["database"]
    assert (parts["store"], parts["detector"]) == ("ok", "ok")


def test_a_store_that_is_gone_is_named(client: Client, gallery_data: Path, db: None) -> None:
    shutil.rmtree(settings.STORE_DIR)
    status, parts = readiness(client)
    assert status == 503
    assert parts["store"] == f"{settings.STORE_DIR} cannot be written to."
    assert (parts["database"], parts["detector"]) == ("ok", "ok")


def test_a_missing_local_model_is_named(
    client: Client, gallery_data: Path, db: None, tmp_path: Path
) -> None:
    with override_settings(GALLERY_MODELS=tmp_path / "none"):
        status, parts = readiness(client)
    assert status == 503
    assert "run `make setup`" in parts["detector"]


def test_a_server_of_detection_that_is_down_is_named_until_it_is_back(
    client: Client, gallery_data: Path, db: None, served_detector: ProtocolServer
) -> None:
    assert readiness(client)[0] == 200
    with served_detector.fault("unavailable"):
        status, parts = readiness(client)
        assert status == 503
        assert parts["detector"].startswith(f"the detector at {served_detector.address} is")
        assert (parts["database"], parts["store"]) == ("ok", "ok")
    wait_until_ready(client)


def test_without_its_detector_the_gallery_searches_words_and_keeps_uploads(
    client: Client,
    packaged_photos: dict[str, int],
    served_detector: ProtocolServer,
    run_worker: Callable[[], None],
) -> None:
    photo = COFFEE.read_bytes() + b"\0"
    with served_detector.down():
        assert client.get("/readyz").status_code == 503

        found = client.get("/api/v1/search?q=kitten").json()["results"]
        assert found[0]["id"] == packaged_photos["chelsea"]

        refused = client.post("/api/v1/search/photo", {"file": _upload(photo)})
        assert refused.status_code == 503
        assert refused.json()["detail"].startswith("The detector does not answer just now.")

        answer = client.post("/api/v1/images", {"photos": _upload(photo)})
        assert answer.status_code == 201
        image = Image.objects.get(pk=answer.json()["results"][0]["id"])
        run_worker()
        image.refresh_from_db()
        assert image.state == Image.State.RECEIVED

    wait_until_ready(client)
    Image.objects.received().update(due_at=image.uploaded_at)
    schedule_ingestion(image.uploaded_at)
    run_worker()
    image.refresh_from_db()
    assert image.is_ready


def test_photos_wait_for_a_server_without_its_model_and_pages_say_so(
    client: Client, gallery_data: Path, db: None, served_detector: ProtocolServer
) -> None:
    receive_file(COFFEE)
    image = Image.objects.get()
    address = served_detector.address
    for trouble, english, french in (
        (
            served_detector.loading(),
            "is still loading the model ssd",
            "charge encore le modèle ssd",
        ),
        (served_detector.versions(), "does not have the model ssd", "n’a pas le modèle ssd"),
        (served_detector.down(), "is unavailable", "est indisponible"),
    ):
        with trouble:
            assert ingest_batch(Image.objects.claim_batch()) == 0
            image.refresh_from_db()
            assert (image.state, image.tries) == (Image.State.RECEIVED, 0)
            assert f"{address} {english}" in readiness(client)[1]["detector"]
        photo = reverse("photo", args=[image.pk])
        told = f"The last try failed: The detector failed: the detector at {address} {english}."
        assert told in client.get(photo).content.decode()
        client.cookies["language"] = "fr"
        assert f"le détecteur à l’adresse {address} {french}." in client.get(photo).content.decode()
        del client.cookies["language"]
        Image.objects.update(due_at=timezone.now())


def _upload(data: bytes) -> SimpleUploadedFile:
    return SimpleUploadedFile("coffee.png", data, "image/png")


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
def test_they_are_only_read(client: Client, path: str) -> None:
    assert client.post(path).status_code == 405
