from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.gallery.served_gallery import REPOSITORY, own_environment
from tests.photos import CAT

PACKAGES = ("detector", "featurestore", "gallery")


def modules(package: str) -> list[Path]:
    found = sorted((REPOSITORY / package).rglob("*.py"))
    assert found
    return found


def imports(path: Path) -> Iterator[str]:
    """The full name of every module that a file imports, anywhere in it."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            yield node.module or ""


def top_level_imports(path: Path) -> set[str]:
    return {name.split(".")[0] for name in imports(path)}


@pytest.mark.parametrize("package", ["detector", "featurestore"])
def test_what_the_gallery_builds_on_knows_nothing_of_it(package: str) -> None:
    others = {"django", "gallery", "detector", "featurestore"} - {package}
    for path in modules(package):
        assert not top_level_imports(path) & others, path


def test_only_the_export_imports_tensorflow() -> None:
    for package in PACKAGES:
        for path in modules(package):
            if path.is_relative_to(REPOSITORY / "detector" / "export"):
                continue
            heavy = top_level_imports(path) & {"tensorflow", "tensorflow_serving", "keras"}
            assert not heavy, path


def test_only_the_settings_read_the_environment() -> None:
    allowed = {REPOSITORY / "gallery" / name for name in ("settings.py", "environment.py")}
    for package in PACKAGES:
        for path in modules(package):
            if path in allowed or path.is_relative_to(REPOSITORY / "detector" / "export"):
                continue
            reads = sum(
                isinstance(node, ast.Attribute) and node.attr in {"environ", "getenv"}
                for node in ast.walk(ast.parse(path.read_text()))
            )
            # A process may name its settings module before anything reads it.
            names_settings = path.read_text().count('environ.setdefault("DJANGO_SETTINGS_MODULE"')
            assert reads == names_settings, path


def test_views_hold_no_arrays_files_or_network() -> None:
    for path in modules("gallery/views"):
        assert not top_level_imports(path) & {"numpy", "h5py", "grpc", "urllib", "socket"}, path


def run_python(script: str, data: Path) -> str:
    run = subprocess.run(
        [sys.executable, "-c", script, str(CAT)],
        cwd=REPOSITORY,
        env=own_environment(data),
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    return run.stdout


TELL_HEAVY_MODULES = """
heavy = {"tensorflow", "tensorflow_serving", "keras", "torch", "pyarrow", "skimage"}
print("heavy:", sorted(heavy & {name.split(".")[0] for name in sys.modules}))
"""

INGEST_AS_THE_WORKER = """
import sys
import django
django.setup()
from django.core.management import call_command
import gallery.management.commands.worker
call_command("ingest", sys.argv[1], verbosity=0)
from django_tasks_db.models import DBTaskResult
call_command("db_worker", batch=True, interval=0, startup_delay=False, verbosity=0)
assert DBTaskResult.objects.successful().exists()
from gallery.models import Image
print("ready:", Image.objects.ready().count())
"""

ANSWER_AS_THE_WEB = """
import sys
from gallery.wsgi import application
from django.test import Client
from django.urls import get_resolver
assert get_resolver().url_patterns
client = Client(headers={"Host": "localhost"})
for path in ("/", "/photos/", "/photos/1/", "/photos/1/grid.jpg", "/photos/1/similar",
             "/search?q=kitten", "/api/v1/docs", "/api/v1/search?q=kitten"):
    assert client.get(path).status_code == 200, path
with open(sys.argv[1], "rb") as photo:
    answer = client.post("/api/v1/search/photo", {"file": photo})
print("found:", answer.json()["results"][0]["name"])
"""


def test_neither_worker_nor_web_ever_import_tensorflow(tmp_path: Path) -> None:
    worker = run_python(INGEST_AS_THE_WORKER + TELL_HEAVY_MODULES, tmp_path)
    assert worker.splitlines()[-2:] == ["ready: 1", "heavy: []"]
    web = run_python(ANSWER_AS_THE_WEB + TELL_HEAVY_MODULES, tmp_path)
    assert web.splitlines()[-2:] == ["found: chelsea.png", "heavy: []"]
