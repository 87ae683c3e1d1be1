"""What `docker compose up` starts, started without docker.

The image's files are laid out in a folder, its commands run in them with the environment of the
compose file, packages that the image lacks cannot be imported, and `ssd` is the protocol server.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from prometheus_client.parser import text_string_to_metric_families

from detector.look_model import LOOK
from detector.model_files import SSD
from featurestore.code_cache import cache_folder
from tests.deploy.files import GALLERY, command_of, compose, locked, stages
from tests.detector.protocol_process import ProtocolServer
from tests.gallery.served_gallery import MULTIPART, free_port, multipart
from tests.photos import CAT, COFFEE

START_SECONDS = 60.0
READY_SECONDS = 90.0

# Python runs a module of this name at its start: in it, what the image lacks cannot be imported.
BLOCKER = """
import sys

BLOCKED = {blocked!r}


class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in BLOCKED:
            raise ModuleNotFoundError(f"{{name}} is not in the image", name=name)


sys.meta_path.insert(0, Blocker())
"""


class Containers:
    """`web` and `worker` in processes, and `ssd`."""

    def __init__(self, folder: Path, ssd: ProtocolServer) -> None:
        self.ssd = ssd
        self.data = folder / "data"
        self.port = free_port()
        self.log = folder / "log"
        self._app = folder / "app"
        self._image = stages(GALLERY)[-1]
        self._image.lay_out(self._app)
        self._services = compose({"SECRET_KEY": "k" * 40})["services"]
        (folder / "site").mkdir()
        (folder / "site" / "sitecustomize.py").write_text(BLOCKER.format(blocked=_not_in_image()))
        given = self._services["web"]["environment"]
        self._environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(folder / "site"),
            "DJANGO_SETTINGS_MODULE": "gallery.settings",
            "GALLERY_DATA": str(self.data),
            "GALLERY_MODELS": str(settings.GALLERY_MODELS),
            "GALLERY_HOST": "0.0.0.0",
            "NUMBA_CACHE_DIR": str(_compiled_before(folder / "compiled")),
            **{name: str(value) for name, value in given.items()},
            "DETECTOR_URL": f"grpc://{ssd.address}",
            "LOOK_URL": f"grpc://{ssd.address}",
        }
        self._running: list[subprocess.Popen[bytes]] = []
        self._token = ""

    def run(self, service: str) -> None:
        """Run a container that ends by itself."""
        subprocess.run(self._command(service), check=True, timeout=120, **self._options())

    def sign_in(self) -> None:
        """Have an owner made, and an API token of theirs sent with each request."""
        self._manage("create_owner", "ada", "--password-stdin", given="correct horse battery\n")
        token = self._manage("create_token", "tests", "--user", "ada", "--scope", "write")
        self._token = token.strip()

    def start(self, service: str) -> None:
        self._running.append(subprocess.Popen(self._command(service), **self._options()))

    def doctor(self) -> subprocess.CompletedProcess[str]:
        options = self._options() | {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
        command = [sys.executable, "manage.py", "doctor"]
        return subprocess.run(command, text=True, timeout=60, check=False, **options)

    def stop(self) -> list[int]:
        """Ask all to stop, as docker does; their exit statuses."""
        for process in self._running:
            process.terminate()
        return [process.wait(60) for process in self._running]

    def get(self, path: str, **headers: str) -> tuple[int, bytes]:
        return self._ask(urllib.request.Request(self._url(path), headers=headers))

    def upload(self, *files: tuple[str, bytes]) -> tuple[int, Any]:
        request = urllib.request.Request(
            self._url("/api/v1/images"),
            data=multipart(list(files)),
            headers={"Content-Type": MULTIPART},
        )
        status, body = self._ask(request)
        return status, json.loads(body)

    def wait_for(self, path: str, *, seconds: float = START_SECONDS) -> bytes:
        """The answer, once it is a 200."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                status, body = self.get(path)
                if status == 200:
                    return body
            except urllib.error.URLError:
                pass
            assert time.monotonic() < deadline, f"{path} does not answer:\n{self.log.read_text()}"
            time.sleep(0.1)

    def wait_until_ready(self, image_id: int) -> Any:
        deadline = time.monotonic() + READY_SECONDS
        while True:
            photo = json.loads(self.get(f"/api/v1/images/{image_id}")[1])
            if photo["state"] == "ready":
                return photo
            assert time.monotonic() < deadline, photo
            time.sleep(0.1)

    def _manage(self, *words: str, given: str = "") -> str:
        command = [sys.executable, "manage.py", *words]
        options = self._options() | {"stdout": subprocess.PIPE}
        run: subprocess.CompletedProcess[str] = subprocess.run(
            command, input=given, text=True, timeout=60, check=True, **options
        )
        return run.stdout

    def _ask(self, request: urllib.request.Request) -> tuple[int, bytes]:
        if self._token:
            request.add_header("Authorization", f"Bearer {self._token}")
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as refusal:
            return refusal.code, refusal.read()

    def _url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def _command(self, service: str) -> list[str]:
        command = self._services[service].get("command") or command_of(self._image)
        words = [word.replace("0.0.0.0:8000", f"127.0.0.1:{self.port}") for word in command]
        return [sys.executable, *words[1:]]

    def _options(self) -> dict[str, Any]:
        log = self.log.open("ab")
        return {"cwd": self._app, "env": self._environment, "stdout": log, "stderr": log}


def _compiled_before(volume: Path) -> Path:
    """The volume `compiled` of containers that run for the second time."""
    kept = cache_folder()
    if kept is not None:
        # Others may be at work on files of these names.
        shutil.copytree(kept, volume / kept.name, ignore=shutil.ignore_patterns("*.tmp.*"))
    return volume


def _not_in_image() -> list[str]:
    """Names of modules that are installed here, but not in the image."""
    inside = {name.replace("_", "-") for name in locked("requirements-web.lock")}
    return sorted(
        module
        for module, packages in packages_distributions().items()
        if not {name.lower().replace("_", "-").replace(".", "-") for name in packages} & inside
    )


@pytest.fixture(scope="module")
def containers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Containers]:
    """All containers, running."""
    folder = tmp_path_factory.mktemp("containers")
    saved_models = (settings.GALLERY_MODELS / model.saved_model_dir for model in (SSD, LOOK))
    with ProtocolServer(*saved_models, log=folder / "ssd.log") as ssd:
        containers = Containers(folder, ssd)
        containers.run("migrate")
        containers.sign_in()
        containers.start("web")
        containers.start("worker")
        try:
            containers.wait_for("/healthz")
            yield containers
        finally:
            statuses = containers.stop()
    assert statuses == [0, 0], containers.log.read_text()


def test_what_the_image_lacks_cannot_be_imported_in_this_test() -> None:
    missing = set(_not_in_image())
    assert {"tensorflow", "keras", "openvino", "pyarrow", "pytest"} <= missing
    assert not {"django", "numpy", "grpc", "gensim", "numba", "h5py"} & missing


def test_nobody_enters_without_a_login(containers: Containers) -> None:
    request = urllib.request.Request(f"http://127.0.0.1:{containers.port}/api/v1/images")
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request, timeout=30)
    assert refused.value.code == 401


def test_an_upload_is_found_by_words_and_by_another_photo(containers: Containers) -> None:
    containers.wait_for("/readyz")
    status, answer = containers.upload((CAT.name, CAT.read_bytes()))
    assert status == 201
    photo = containers.wait_until_ready(answer["results"][0]["id"])
    assert photo["objects"][0]["name"] == "cat"
    found = json.loads(containers.get("/api/v1/search?q=kitten")[1])
    assert [hit["id"] for hit in found["results"]] == [photo["id"]]


def test_its_pages_have_their_styles(containers: Containers) -> None:
    page = containers.get("/")[1].decode()
    paths = [part.split('"')[0].split("#")[0] for part in page.split('="/static/')[1:]]
    assert paths
    for path in paths:
        assert containers.get(f"/static/{path}")[0] == 200, path


def test_while_ssd_is_down_uploads_are_kept_and_words_are_searched(
    containers: Containers,
) -> None:
    with containers.ssd.down():
        status, body = containers.get("/readyz")
        assert status == 503
        assert json.loads(body)["parts"]["detector"] != "ok"
        assert containers.get("/healthz")[0] == 200
        assert containers.get("/api/v1/search?q=cup")[0] == 200
        status, answer = containers.upload((COFFEE.name, COFFEE.read_bytes()))
        assert status == 201
        unwell = containers.doctor()
        assert unwell.returncode == 1
        assert "Something is wrong: detector, look." in unwell.stdout
    containers.wait_for("/readyz")
    photo = containers.wait_until_ready(answer["results"][0]["id"])
    assert photo["objects"][0]["name"] == "cup"
    assert containers.doctor().returncode == 0


def test_prometheus_reads_its_figures(containers: Containers) -> None:
    text = containers.wait_for("/metrics").decode()
    names = {family.name for family in text_string_to_metric_families(text)}
    assert {"gallery_requests", "gallery_queue_photos", "process_resident_memory_bytes"} <= names


def test_its_log_is_json_with_request_ids(containers: Containers) -> None:
    containers.get("/photos/", **{"X-Request-ID": "proxy-4711"})
    deadline = time.monotonic() + 10
    while "proxy-4711" not in containers.log.read_text():
        assert time.monotonic() < deadline, containers.log.read_text()
        time.sleep(0.05)
    lines = [line for line in containers.log.read_text().splitlines() if line.startswith("{")]
    found = [json.loads(line) for line in lines]
    [asked] = [line for line in found if line["request_id"] == "proxy-4711"]
    assert (asked["path"], asked["status"], asked["view"]) == ("/photos/", 200, "photos")


def test_a_stranger_s_host_name_is_refused(containers: Containers) -> None:
    assert containers.get("/", Host="evil.example")[0] == 400
