"""`manage.py doctor`: what it says of a gallery that is well, and of what is wrong with one."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command
from django.test import override_settings
from django.utils import timezone

from featurestore.current_model import ModelChoice, write_model_choice
from gallery import components
from gallery.access.binding import Login
from gallery.access.people import add_person
from gallery.access.roles import Role
from gallery.models import Image
from gallery.tasks import schedule_ingestion
from tests.gallery.broken_database import broken_database, changed_database
from tests.gallery.served_gallery import REPOSITORY, own_environment


def doctor(*arguments: str) -> tuple[int, str]:
    """Exit status and what it printed."""
    output = StringIO()
    try:
        call_command("doctor", *arguments, stdout=output)
    except SystemExit as end:
        return int(end.code or 0), output.getvalue()
    return 0, output.getvalue()


@pytest.fixture(autouse=True)
def data_folder(gallery_data: Path, db: None) -> Iterator[Path]:
    with override_settings(GALLERY_DATA=gallery_data):
        yield gallery_data


def test_a_well_gallery_is_told_so(packaged_photos: dict[str, int]) -> None:
    status, printed = doctor()
    assert status == 0, printed
    assert printed.endswith("\nThe gallery is well.\n")
    assert "The catalogue is up to date and has 6 photos." in printed
    assert "It has the model ssdlite-mobilenet-v2-coco-1-" in printed
    assert "BAD" not in printed


def test_its_json_has_every_finding(packaged_photos: dict[str, int]) -> None:
    status, printed = doctor("--json")
    told = json.loads(printed)
    assert (status, told["well"]) == (0, True)
    names = {finding["name"] for finding in told["findings"]}
    assert names == {
        *("settings", "folders", "disk", "models", "database"),
        *("people", "clock", "store", "detector", "look", "clip", "worker"),
    }


def test_it_looks_only_at_what_it_is_asked_to() -> None:
    _, printed = doctor("--json", "--only", "disk", "clock")
    assert [finding["name"] for finding in json.loads(printed)["findings"]] == ["disk", "clock"]


def assert_bad(name: str, finding: str, advice: str) -> None:
    status, printed = doctor("--json", "--only", name)
    told = json.loads(printed)
    assert (status, told["well"]) == (1, False)
    found = [entry for entry in told["findings"] if entry["verdict"] == "bad"]
    assert finding in found[0]["finding"]
    assert advice in found[0]["advice"]
    assert "Traceback" not in printed


@override_settings(SECRET_KEY="short")
def test_a_weak_key_is_bad() -> None:
    assert_bad("settings", "SECRET_KEY is shorter than 32 characters", "docs/deploy.md")


@override_settings(DEBUG=True, ALLOWED_HOSTS=["*"])
def test_careless_settings_are_noted() -> None:
    status, printed = doctor("--only", "settings")
    assert status == 0
    assert "DEBUG is on" in printed
    assert "ALLOWED_HOSTS has *" in printed


def test_a_folder_that_is_gone_is_bad() -> None:
    shutil.rmtree(settings.SPOOL_DIR)
    assert_bad("folders", f"{settings.SPOOL_DIR} cannot be written to", "right to write")


@override_settings(MAX_UPLOAD_BYTES=2**60)
def test_a_disk_without_room_is_bad() -> None:
    assert_bad("disk", "GB are free", "manage.py compact")


def test_missing_models_are_bad(tmp_path: Path) -> None:
    with override_settings(WORD_VECTORS=tmp_path / "none.kv"):
        assert_bad("models", f"No word vectors at {tmp_path / 'none.kv'}", "make setup")


def test_a_damaged_model_is_bad(tmp_path: Path) -> None:
    models = tmp_path / "models"
    shutil.copytree(settings.GALLERY_MODELS, models, ignore=shutil.ignore_patterns("words"))
    weights = models / "ssd-local" / "1" / "model.bin"
    weights.write_bytes(weights.read_bytes()[:-1])
    with override_settings(GALLERY_MODELS=models):
        assert_bad("models", "its checksum does not match", "make setup")


def test_a_database_that_does_not_answer_is_bad_and_named_once() -> None:
    with broken_database():
        status, printed = doctor("--json")
    told = json.loads(printed)["findings"]
    assert status == 1
    assert [entry["name"] for entry in told if entry["verdict"] == "bad"] == ["database"]
    for name in ("people", "worker"):
        [found] = [entry for entry in told if entry["name"] == name]
        assert found["finding"] == "Not looked at, because the database has to be mended first."


def test_missing_migrations_are_bad() -> None:
    with changed_database("DELETE FROM django_migrations WHERE app = 'gallery'"):
        assert_bad("database", "lacks", "manage.py migrate")


@override_settings(GALLERY_LOGIN=Login.REQUIRED)
def test_a_login_that_nobody_can_give_is_bad() -> None:
    assert_bad("people", "A login is demanded, but there is no owner.", "manage.py create_owner")
    add_person("reader", Role.READER)
    assert_bad("people", "A login is demanded, but there is no owner.", "manage.py create_owner")
    add_person("ada", Role.OWNER)
    status, printed = doctor("--only", "people")
    assert (status, "2 people have accounts, an owner among them." in printed) == (0, True)


def test_nobody_needs_an_account_on_loopback() -> None:
    status, printed = doctor("--only", "people")
    assert (status, "on this machine nobody has to sign in" in printed) == (0, True)


def test_photos_from_the_future_mean_a_wrong_clock(packaged_photos: dict[str, int]) -> None:
    Image.objects.update(uploaded_at=timezone.now() + timedelta(days=1))
    assert_bad("clock", "A photo was uploaded in the future", "Set the clock")


def test_a_damaged_store_is_bad(packaged_photos: dict[str, int]) -> None:
    [segment, *_] = (settings.STORE_DIR / "images").glob("*.h5")
    segment.write_bytes(b"not HDF5")
    components.store.cache_clear()
    assert_bad("store", f"{segment.name} cannot be read", "manage.py check_store")


def test_a_detector_that_is_down_is_bad() -> None:
    with override_settings(DETECTOR_URL="grpc://127.0.0.1:9"):
        components.detector.cache_clear()
        assert_bad("detector", "the detector at 127.0.0.1:9 is unavailable", "DETECTOR_URL")
    components.detector.cache_clear()


def test_a_detector_that_is_not_searched_by_is_noted(packaged_photos: dict[str, int]) -> None:
    [features] = (settings.STORE_DIR / "features").iterdir()
    shutil.copytree(features, features.with_name("another-model"))
    write_model_choice(settings.STORE_DIR, ModelChoice("another-model"))
    components.store.cache_clear()
    status, printed = doctor("--only", "detector")
    assert status == 0
    assert "Photos are searched by what the model another-model found." in printed
    assert "manage.py reindex --model ssdlite-mobilenet-v2-coco-1-" in printed


def test_work_that_nobody_takes_up_is_bad(packaged_photos: dict[str, int]) -> None:
    long_ago = timezone.now() - timedelta(minutes=10)
    Image.objects.update(state=Image.State.RECEIVED, due_at=long_ago)
    schedule_ingestion(long_ago)
    assert_bad("worker", "Work that is due is not taken up, and 6 photos wait", "manage.py worker")


def test_work_that_has_just_come_is_good(packaged_photos: dict[str, int]) -> None:
    Image.objects.update(state=Image.State.RECEIVED, due_at=timezone.now())
    schedule_ingestion(timezone.now())
    assert doctor("--only", "worker")[0] == 0


@pytest.mark.parametrize(
    ("variable", "value", "sentence"),
    [
        ("DATABASE_URL", "nonsense", "DATABASE_URL should look like postgres://user:password@"),
        ("DATABASE_URL", "mongo://me:secret@host/db", "DATABASE_URL should look like postgres://"),
        ("LOG_FORMAT", "xml", "LOG_FORMAT should be line or json, is 'xml'."),
        ("MAX_UPLOAD_MB", "many", "MAX_UPLOAD_MB should be a whole number above 0, is 'many'."),
        ("GALLERY_DATA", "/proc/gallery", "GALLERY_DATA: the folder /proc/gallery/store cannot be"),
    ],
)
def test_settings_that_cannot_be_read_are_one_sentence(
    tmp_path: Path, variable: str, value: str, sentence: str
) -> None:
    run = subprocess.run(
        [sys.executable, "manage.py", "doctor"],
        cwd=REPOSITORY,
        env=own_environment(tmp_path) | {variable: value},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert run.returncode == 1
    assert run.stderr.startswith(f"The settings are wrong: {sentence}")
    assert len(run.stderr.splitlines()) == 1
    assert "secret" not in run.stderr
