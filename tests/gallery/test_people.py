"""The pages and commands for people and their tokens."""

from __future__ import annotations

import html
import io
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.contrib.auth.models import Group, User
from django.core.management import CommandError, call_command
from django.test import Client, override_settings

from gallery.access.binding import Login
from gallery.access.models import ApiToken
from gallery.access.people import add_person
from gallery.access.roles import Role, role_of
from tests.gallery.people import PASSWORD, person

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def login_demanded(gallery_data: Path) -> Iterator[None]:
    with override_settings(GALLERY_LOGIN=Login.REQUIRED):
        yield


@pytest.fixture
def owner(client: Client) -> User:
    """An owner, as whom the client is signed in."""
    user = add_person("olga", Role.OWNER)
    client.force_login(user)
    return user


def text_of(client: Client, path: str) -> str:
    return html.unescape(client.get(path, follow=True).content.decode())


def change(client: Client, user: User, role: str, *, is_active: bool = True) -> str:
    """Change a person by the page; what the gallery says to it."""
    facts = {f"{user.pk}-role": role} | ({f"{user.pk}-is_active": "on"} if is_active else {})
    response = client.post(f"/people/{user.pk}/change", facts, follow=True)
    return html.unescape(response.content.decode())


def test_the_migrations_make_the_groups() -> None:
    names = set(Group.objects.values_list("name", flat=True))
    assert names == {"reader", "editor", "owner"}


def test_an_owner_adds_somebody_who_comes_in_by_the_link(client: Client, owner: User) -> None:
    response = client.post("/people", {"name": "ada", "role": "editor"})
    [link] = re.findall(r'value="http://testserver(/password/[^"]+)"', response.content.decode())
    newcomer = Client()
    facts = {"new_password1": PASSWORD, "new_password2": PASSWORD}
    newcomer.post(link, facts)
    assert newcomer.get("/account").status_code == 200
    assert role_of(User.objects.get(username="ada")) == Role.EDITOR
    assert "ada" in text_of(client, "/people")


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("OLGA", "in other letters"),
        ("olga", "already exists"),
        ("", "required"),
        ("a b", "valid username"),
        ("x" * 151, "at most 150"),
    ],
)
def test_a_name_that_will_not_do_is_refused(
    name: str, sentence: str, client: Client, owner: User
) -> None:
    response = client.post("/people", {"name": name, "role": "reader"})
    assert response.status_code == 400
    assert sentence in response.content.decode()
    assert User.objects.count() == 1


def test_an_owner_changes_roles_and_disables(client: Client, owner: User) -> None:
    ada = add_person("ada", Role.READER)
    assert "ada is changed." in change(client, ada, "editor")
    assert role_of(User.objects.get(pk=ada.pk)) == Role.EDITOR
    change(client, ada, "editor", is_active=False)
    assert role_of(User.objects.get(pk=ada.pk)) == Role.NOBODY
    assert "may not sign in" in text_of(client, "/people")
    change(client, ada, "editor")
    assert role_of(User.objects.get(pk=ada.pk)) == Role.EDITOR
    assert "Choose a role." in change(client, ada, "king")


@pytest.mark.parametrize(("role", "is_active"), [("editor", True), ("owner", False)])
def test_the_last_owner_stays_one(role: str, is_active: bool, client: Client, owner: User) -> None:
    retired = add_person("retired", Role.OWNER)
    change(client, retired, "owner", is_active=False)
    assert "olga is the last owner" in change(client, owner, role, is_active=is_active)
    assert role_of(User.objects.get(pk=owner.pk)) == Role.OWNER
    change(client, retired, "owner")
    assert "last owner" not in change(client, owner, role, is_active=is_active)
    assert role_of(User.objects.get(pk=owner.pk)) < Role.OWNER


def test_an_owner_makes_a_link_for_who_forgot_the_password(client: Client, owner: User) -> None:
    ada = person("ada", Role.READER)
    response = client.post(f"/people/{ada.pk}/link")
    assert re.search(r'value="http://testserver/password/[^"]+"', response.content.decode())
    assert "no-store" in response["Cache-Control"]


def test_an_owner_revokes_tokens_of_others_and_nobody_else_does(
    client: Client, owner: User
) -> None:
    ada = add_person("ada", Role.EDITOR)
    token, _ = ApiToken.objects.make(ada, "backup script", ApiToken.Scope.READ)
    assert "backup script" in text_of(client, "/people")
    assert client.post(f"/people/{owner.pk}/tokens/{token.pk}/revoke").status_code == 404
    assert client.post(f"/account/tokens/{token.pk}/revoke").status_code == 404
    assert ApiToken.objects.exists()
    client.post(f"/people/{ada.pk}/tokens/{token.pk}/revoke")
    assert not ApiToken.objects.exists()


def test_a_token_is_shown_once_works_and_is_revoked(client: Client, owner: User) -> None:
    response = client.post("/account/tokens", {"name": "my script", "scope": "write"})
    [text] = re.findall(r'value="(gallery_[^"]+)"', response.content.decode())
    assert "no-store" in response["Cache-Control"]
    page = text_of(client, "/account")
    assert "my script" in page
    assert "read and write" in page
    assert text not in page
    headers = {"Authorization": f"Bearer {text}"}
    assert Client().get("/api/v1/images", headers=headers).status_code == 200
    client.post(f"/account/tokens/{ApiToken.objects.get().pk}/revoke")
    assert Client().get("/api/v1/images", headers=headers).status_code == 401


@pytest.mark.parametrize("facts", [{}, {"name": "x", "scope": "all"}, {"name": "x" * 101}])
def test_a_token_needs_a_name_and_a_scope(
    facts: dict[str, str], client: Client, owner: User
) -> None:
    assert client.post("/account/tokens", facts).status_code == 400
    assert not ApiToken.objects.exists()


def run_create_owner(
    monkeypatch: pytest.MonkeyPatch, name: str, password: str, *options: str
) -> str:
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{password}\n"))
    output = io.StringIO()
    call_command("create_owner", name, *(options or ("--password-stdin",)), stdout=output)
    return output.getvalue()


def test_the_first_owner_is_made_by_a_command(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "ada is an owner" in run_create_owner(monkeypatch, "ada", PASSWORD)
    ada = User.objects.get()
    assert role_of(ada) == Role.OWNER
    assert ada.check_password(PASSWORD)


def test_the_command_helps_an_owner_who_is_locked_out(monkeypatch: pytest.MonkeyPatch) -> None:
    ada = person("ada", Role.READER, "a password that is forgotten")
    ada.is_active = False
    ada.save()
    run_create_owner(monkeypatch, "ada", PASSWORD)
    ada = User.objects.get()
    assert role_of(ada) == Role.OWNER
    assert ada.check_password(PASSWORD)


@pytest.mark.parametrize("password", ["", "short", "password123", "9375620194857", "ada-lovelace"])
def test_the_command_refuses_weak_passwords(password: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(CommandError, match=r"password"):
        run_create_owner(monkeypatch, "ada-lovelace", password)
    assert not User.objects.exists()


def test_the_command_asks_nobody_where_nobody_is(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(CommandError, match="--password-stdin"):
        run_create_owner(monkeypatch, "ada", PASSWORD, "--verbosity=1")


@pytest.mark.parametrize("name", ["", "a b", "x" * 151])
def test_the_command_refuses_names_that_will_not_do(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(CommandError):
        run_create_owner(monkeypatch, name, PASSWORD)


def test_a_command_makes_tokens() -> None:
    add_person("ada", Role.EDITOR)
    output = io.StringIO()
    call_command("create_token", "cron", "--user", "ada", "--scope", "write", stdout=output)
    headers = {"Authorization": f"Bearer {output.getvalue().strip()}"}
    assert Client().delete("/api/v1/images/999", headers=headers).status_code == 404
    with pytest.raises(CommandError, match="Nobody who may sign in is named bob"):
        call_command("create_token", "cron", "--user", "bob")
    with pytest.raises(CommandError, match="needs a name"):
        call_command("create_token", "", "--user", "ada")


def test_people_are_kept_in_a_file_and_brought_back(tmp_path: Path) -> None:
    ada = person("ada", Role.EDITOR)
    _, text = ApiToken.objects.make(ada, "cron", ApiToken.Scope.WRITE)
    kept = str(tmp_path / "people.json")
    models = ("auth.group", "auth.user", "gallery.apitoken")
    keys = {"use_natural_foreign_keys": True, "use_natural_primary_keys": True}
    call_command("dumpdata", *models, output=kept, verbosity=0, **keys)
    User.objects.all().delete()
    call_command("loaddata", kept, verbosity=0)
    ada = User.objects.get()
    assert ada.check_password(PASSWORD)
    assert role_of(ada) == Role.EDITOR
    headers = {"Authorization": f"Bearer {text}"}
    assert Client().delete("/api/v1/images/999", headers=headers).status_code == 404
