"""Accounts, roles and tokens outlast a restoration and, where still readable, a lost catalogue."""

from __future__ import annotations

import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from django.contrib.auth.models import Group, User
from django.contrib.sessions.models import Session
from django.core.management import CommandError, call_command
from django.test import Client

from gallery.access.kept_people import PeopleUnreadable, bring_people, people_text
from gallery.access.models import ApiToken
from gallery.access.people import add_person, change_person
from gallery.access.roles import Role, role_of
from gallery.models import Image
from tests.conftest import empty_data_folder
from tests.gallery.guarded_gallery import guarded_environment
from tests.gallery.people import ELSEWHERE, PASSWORD, bearer, person
from tests.gallery.served_gallery import REPOSITORY
from tests.photos import drawn_png

pytestmark = pytest.mark.django_db


@pytest.fixture
def dest(tmp_path: Path) -> Path:
    return tmp_path / "backup"


def back_up(dest: Path) -> None:
    call_command("backup", str(dest), verbosity=0)


def restore(source: Path) -> None:
    call_command("restore", str(source), verbosity=0)


@contextmanager
def another_gallery(folder: Path) -> Iterator[None]:
    """An empty data folder and a catalogue without rows, in which ids go on from elsewhere."""
    for model in (Image, User, Group, Session):
        model.objects.all().delete()
    with empty_data_folder(folder):
        yield


def signs_in(name: str, password: str = PASSWORD) -> bool:
    return Client().login(username=name, password=password)


def test_people_roles_passwords_and_tokens_are_restored(
    gallery_data: Path, dest: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    person("Óla", Role.OWNER)
    eve = person("eve", Role.EDITOR)
    script = bearer(eve, ApiToken.Scope.READ)
    change_person(person("gone", Role.READER), Role.READER, is_active=False)
    eve.groups.add(Group.objects.create(name="family"))
    back_up(dest)
    with another_gallery(tmp_path / "restored"):
        person("stranger", Role.READER)
        restore(dest)
        assert "0 images and 3 accounts restored" in capsys.readouterr().out
        roles = {user.username: role_of(user) for user in User.objects.all()}
        assert roles == {
            "Óla": Role.OWNER,
            "eve": Role.EDITOR,
            "gone": Role.NOBODY,
            "stranger": Role.READER,
        }
        assert [signs_in(name) for name in ("Óla", "eve", "gone")] == [True, True, False]
        assert User.objects.filter(groups__name="family").get().username == "eve"
        client = Client(REMOTE_ADDR=ELSEWHERE, headers=script)
        assert client.get("/api/v1/images").status_code == 200
        assert client.post("/api/v1/images").status_code == 403


def test_sessions_stay_behind(gallery_data: Path, dest: Path, tmp_path: Path) -> None:
    client = Client(REMOTE_ADDR=ELSEWHERE)
    client.force_login(person("ada", Role.OWNER))
    assert client.get("/account").status_code == 200
    back_up(dest)
    with another_gallery(tmp_path / "restored"):
        restore(dest)
        assert client.get("/account").status_code == 302


def test_the_file_has_only_hashes_and_is_for_its_owner_alone(
    gallery_data: Path, dest: Path
) -> None:
    headers = bearer(person("ada", Role.OWNER), ApiToken.Scope.WRITE)
    back_up(dest)
    (path,) = dest.glob("people-*.json")
    assert path.stat().st_mode & 0o777 == 0o600
    content = path.read_text()
    assert "pbkdf2" in content or "md5" in content
    assert PASSWORD not in content
    assert headers["Authorization"].removeprefix("Bearer ") not in content


def test_a_further_backup_has_people_as_they_are_now(
    gallery_data: Path, dest: Path, tmp_path: Path
) -> None:
    ada = person("ada", Role.READER)
    bearer(ada, ApiToken.Scope.READ)
    back_up(dest)
    ApiToken.objects.all().delete()
    ada.set_password("another long passphrase")
    ada.save()
    back_up(dest)
    assert len(list(dest.glob("people-*.json"))) == 1
    with another_gallery(tmp_path / "restored"):
        restore(dest)
        assert [signs_in("ada"), signs_in("ada", "another long passphrase")] == [False, True]
        assert not ApiToken.objects.exists()


def test_an_owner_made_before_the_restoration_gets_the_kept_password(
    gallery_data: Path, dest: Path, tmp_path: Path
) -> None:
    person("ada", Role.OWNER)
    back_up(dest)
    with another_gallery(tmp_path / "restored"):
        person("ada", Role.OWNER, "another long passphrase")
        restore(dest)
        assert User.objects.count() == 1
        assert signs_in("ada")


def test_a_damaged_file_of_people_is_named_and_the_photos_are_restored(
    packaged_photos: dict[str, int],
    dest: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    person("ada", Role.OWNER)
    back_up(dest)
    (path,) = dest.glob("people-*.json")
    path.write_text(path.read_text().replace("ada", "eve"))
    with another_gallery(tmp_path / "restored"):
        with pytest.raises(CommandError, match=r"Damaged in the backup: people\.json"):
            restore(dest)
        assert "Make an owner with `python manage.py create_owner" in capsys.readouterr().out
        assert (Image.objects.count(), User.objects.count()) == (6, 0)


def test_people_are_brought_back_by_loaddata_as_well(
    gallery_data: Path, dest: Path, tmp_path: Path
) -> None:
    bearer(person("ada", Role.OWNER), ApiToken.Scope.READ)
    back_up(dest)
    (path,) = dest.glob("people-*.json")
    with another_gallery(tmp_path / "restored"):
        for _ in range(2):
            call_command("loaddata", str(path), verbosity=0)
        assert role_of(User.objects.get(username="ada")) == Role.OWNER
        assert ApiToken.objects.get().user.username == "ada"


@pytest.mark.parametrize(
    "end", ["[", ', {"model": "gallery.apitoken", "fields": {"user": ["x"]}}]']
)
def test_half_of_the_people_are_not_brought(end: str) -> None:
    add_person("ada", Role.OWNER)
    text = people_text().text.rstrip().removesuffix("]") + end
    User.objects.all().delete()
    with pytest.raises(PeopleUnreadable):
        bring_people(text)
    assert not User.objects.exists()


def test_a_rebuilt_catalogue_keeps_its_people(
    packaged_photos: dict[str, int], capsys: pytest.CaptureFixture[str]
) -> None:
    bearer(person("ada", Role.OWNER), ApiToken.Scope.READ)
    call_command("rebuild_catalogue", "--force", verbosity=0)
    assert signs_in("ada")
    assert ApiToken.objects.count() == 1
    assert "create_owner" not in capsys.readouterr().out


def test_a_catalogue_made_from_nothing_tells_that_an_owner_is_missing(
    packaged_photos: dict[str, int], capsys: pytest.CaptureFixture[str]
) -> None:
    Image.objects.all().delete()
    call_command("rebuild_catalogue", verbosity=0)
    assert "No owner's account is left." in capsys.readouterr().out


def manage(data: Path, *words: str, given: str = "") -> str:
    run = subprocess.run(
        [sys.executable, "manage.py", *words],
        cwd=REPOSITORY,
        env=guarded_environment(data),
        input=given,
        text=True,
        check=False,
        capture_output=True,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data folder of a gallery with a photo, an owner, her token and a named group."""
    folder = tmp_path_factory.mktemp("people")
    (folder / "one.png").write_bytes(drawn_png(1))
    data = folder / "data"
    manage(data, "ingest", str(folder / "one.png"), "--verbosity", "0")
    manage(data, "create_owner", "ada", "--password-stdin", given=f"{PASSWORD}\n")
    manage(data, "create_token", "import", "--user", "ada")
    with closing(sqlite3.connect(data / "gallery.sqlite3")) as database:
        database.execute(
            "INSERT INTO gallery_photogroup "
            "(key, name, typical, number, centre, look_model, photos_when_made) "
            "VALUES ('abcdefghij', 'Dinners', '[]', 1, zeroblob(2560), 'look', 0)"
        )
        database.commit()
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return data


@pytest.fixture
def data(sound: Path, tmp_path: Path) -> Path:
    """A copy of it to damage."""
    return Path(shutil.copytree(sound, tmp_path / "data"))


def wipe(data: Path, table: str) -> None:
    """Overwrite the first page of a table in the database's file."""
    path = data / "gallery.sqlite3"
    with closing(sqlite3.connect(path)) as database:
        (size,) = database.execute("PRAGMA page_size").fetchone()
        (page,) = database.execute(
            "SELECT rootpage FROM sqlite_master WHERE name = ?", [table]
        ).fetchone()
    with path.open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xff" * size)


def facts(data: Path) -> tuple[int, list[tuple[str, str]], int]:
    """Photos, everybody's name with role, and tokens."""
    with closing(sqlite3.connect(data / "gallery.sqlite3")) as database:
        people = database.execute(
            "SELECT username, name FROM auth_user "
            "LEFT JOIN auth_user_groups ON auth_user.id = user_id "
            "LEFT JOIN auth_group ON auth_group.id = group_id"
        ).fetchall()
        photos, tokens = (
            database.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
            for table in ("gallery_image", "gallery_apitoken")
        )
    return photos, people, tokens


def named_groups(data: Path) -> list[str]:
    with closing(sqlite3.connect(data / "gallery.sqlite3")) as database:
        return [name for (name,) in database.execute("SELECT name FROM gallery_photogroup")]


COMMANDS = [("check_store", "--repair"), ("rebuild_catalogue", "--force")]


@pytest.mark.parametrize("command", COMMANDS)
def test_people_are_read_from_a_damaged_catalogue(data: Path, command: tuple[str, ...]) -> None:
    wipe(data, "gallery_image")
    printed = manage(data, *command, "--verbosity", "0")
    assert "1 account was taken over from the old catalogue." in printed
    assert "create_owner" not in printed
    assert facts(data) == (1, [("ada", "owner")], 1)
    assert not (data / "people.json").exists()


def test_people_stay_where_only_their_tokens_are_unreadable(data: Path) -> None:
    wipe(data, "gallery_image")
    wipe(data, "gallery_apitoken")
    manage(data, "check_store", "--repair", "--verbosity", "0")
    assert facts(data) == (1, [("ada", "owner")], 0)


def test_where_people_are_unreadable_it_says_that_an_owner_is_missing(data: Path) -> None:
    wipe(data, "auth_user")
    printed = manage(data, "check_store", "--repair", "--verbosity", "0")
    assert "No owner's account is left." in printed
    assert "create_owner NAME" in printed
    assert facts(data) == (1, [], 0)


KILLED = """
import os, signal
import django
django.setup()
from django.core.management import call_command
from gallery import rebuilding, repairing, waiting_texts

def killed(*args, **kwargs):
    os.kill(os.getpid(), signal.SIGKILL)

{module}.{name} = killed
call_command("check_store", "--repair", verbosity=0)
"""


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("rebuilding", "prepare_catalogue"),
        ("waiting_texts", "bring_people"),
        ("rebuilding", "schedule_ingestion"),
        ("rebuilding", "forget_texts"),
        ("repairing", "reconcile_rows"),
    ],
)
def test_a_repair_that_is_killed_loses_nobody(data: Path, module: str, name: str) -> None:
    wipe(data, "gallery_image")
    script = KILLED.format(module=module, name=name)
    environment = guarded_environment(data) | {"DJANGO_SETTINGS_MODULE": "gallery.settings"}
    killed = subprocess.run(
        [sys.executable, "-c", script],
        cwd=REPOSITORY,
        env=environment,
        check=False,
        capture_output=True,
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    manage(data, "check_store", "--repair", "--verbosity", "0")
    assert facts(data) == (1, [("ada", "owner")], 1)
    assert named_groups(data) == ["Dinners"]
