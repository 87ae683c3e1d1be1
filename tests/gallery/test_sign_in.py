"""Signing in and out, links for passwords, and how guessing is slowed down."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.test import Client, RequestFactory, override_settings
from django.utils import timezone

from gallery.access import throttle
from gallery.access.binding import Login
from gallery.access.models import SignInTries
from gallery.access.people import add_person, password_link
from gallery.access.roles import Role
from gallery.access.throttle import TooManyTries, address_of, begin_attempt
from tests.gallery.people import ELSEWHERE, PASSWORD, person

pytestmark = pytest.mark.django_db

WRONG = "not the password"
DO_NOT_FIT = "This name and password do not fit together."
NEW = "a far better passphrase"


@pytest.fixture(autouse=True)
def login_demanded(gallery_data: Path) -> Iterator[None]:
    # Hashes that are quick to make: what is tested is not how slow they are.
    hashers = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    with override_settings(GALLERY_LOGIN=Login.REQUIRED, PASSWORD_HASHERS=hashers):
        yield


def sign_in(
    client: Client, name: str, password: str, *, following: str = "", address: str = ELSEWHERE
) -> Any:
    facts = {"name": name, "password": password, "next": following}
    return client.post("/login", facts, REMOTE_ADDR=address)


def let_pass(seconds: float) -> None:
    """Have all tries happened so much earlier."""
    for row in SignInTries.objects.all():
        row.last_at -= timedelta(seconds=seconds)
        row.blocked_until -= timedelta(seconds=seconds)
        row.save()


def test_who_signs_in_comes_where_they_wanted(client: Client) -> None:
    person("ada", Role.READER)
    response = sign_in(client, "ada", PASSWORD, following="/photos/?page=1")
    assert response["Location"] == "/photos/?page=1"
    assert client.get("/photos/").status_code == 200
    assert client.get("/login?next=/search")["Location"] == "/search"


@pytest.mark.parametrize(
    "address", ["https://evil.example/", "//evil.example", "javascript:alert(1)", "\\\\evil"]
)
def test_signing_in_leads_nowhere_else(address: str, client: Client) -> None:
    person("ada", Role.READER)
    assert sign_in(client, "ada", PASSWORD, following=address)["Location"] == "/"


def test_nobody_is_told_whether_a_name_exists(client: Client) -> None:
    person("ada", Role.READER)
    disabled = person("bob", Role.READER)
    disabled.is_active = False
    disabled.save()
    add_person("without-password", Role.READER)
    pages = []
    for name, password in (
        ("ada", WRONG),
        ("nobody", WRONG),
        ("bob", PASSWORD),
        ("without-password", PASSWORD),
    ):
        response = sign_in(Client(), name, password)
        assert response.status_code == 400
        text = response.content.decode()
        assert DO_NOT_FIT in text
        csrf = text.split('name="csrfmiddlewaretoken" value="')[1].split('"')[0]
        pages.append(text.replace(csrf, "").replace(name, ""))
    assert len(set(pages)) == 1


def test_a_name_is_paused_also_for_the_right_password(client: Client) -> None:
    person("ada", Role.READER)
    for _ in range(throttle.FREE_TRIES_BY_NAME):
        assert sign_in(client, "Ada", WRONG).status_code == 400
    response = sign_in(client, "ada", PASSWORD, address="198.51.100.3")
    assert response.status_code == 429
    assert 0 < int(response["Retry-After"]) <= throttle.FIRST_PAUSE_SECONDS + 1
    assert "too many tries. Please wait 1 minute" in response.content.decode()
    let_pass(throttle.FIRST_PAUSE_SECONDS)
    assert sign_in(client, "ada", PASSWORD).status_code == 302


def test_a_name_that_nobody_has_is_paused_likewise(client: Client) -> None:
    for _ in range(throttle.FREE_TRIES_BY_NAME):
        sign_in(client, "nobody", WRONG)
    assert sign_in(client, "nobody", WRONG).status_code == 429


def test_an_address_is_paused_whatever_names_it_tries(client: Client) -> None:
    for number in range(throttle.FREE_TRIES_BY_ADDRESS):
        assert sign_in(client, f"name-{number}", WRONG).status_code == 400
    assert sign_in(client, "another", WRONG).status_code == 429
    assert sign_in(client, "another", WRONG, address="198.51.100.3").status_code == 400


def test_signing_in_with_an_account_of_ones_own_frees_no_address(client: Client) -> None:
    person("mallory", Role.READER)
    for number in range(throttle.FREE_TRIES_BY_ADDRESS - 1):
        begin_attempt(f"name-{number}", ELSEWHERE)
    assert sign_in(client, "mallory", PASSWORD).status_code == 302
    begin_attempt("one", ELSEWHERE)
    with pytest.raises(TooManyTries):
        begin_attempt("two", ELSEWHERE)


def test_the_right_password_forgets_the_wrong_ones(client: Client) -> None:
    person("ada", Role.READER)
    for _ in range(3):
        for _ in range(throttle.FREE_TRIES_BY_NAME - 1):
            assert sign_in(Client(), "ada", WRONG).status_code == 400
        assert sign_in(Client(), "ada", PASSWORD).status_code == 302
        let_pass(throttle.FORGET_SECONDS + 1)


def test_pauses_grow_up_to_a_limit_and_end() -> None:
    for number in range(throttle.FREE_TRIES_BY_NAME - 1):
        begin_attempt("ada", f"198.51.100.{number}")
    pauses = []
    for number in range(8):
        begin_attempt("ada", f"203.0.113.{number}")
        with pytest.raises(TooManyTries) as refusal:
            begin_attempt("ada", f"203.0.113.{number}")
        pauses.append(round(refusal.value.seconds))
        let_pass(refusal.value.seconds)
    assert pauses == [30, 60, 120, 240, 480, 900, 900, 900]
    let_pass(throttle.FORGET_SECONDS)
    begin_attempt("ada", ELSEWHERE)
    assert SignInTries.objects.count() == 2


def test_what_was_typed_as_a_name_is_kept_nowhere(client: Client) -> None:
    sign_in(client, "oops-my-password", WRONG)
    assert "oops" not in str(list(SignInTries.objects.values()))


@pytest.mark.parametrize(
    ("remote", "forwarded", "behind_proxy", "counted"),
    [
        ("192.0.2.7", "", False, "192.0.2.7"),
        ("192.0.2.7", "198.51.100.1", False, "192.0.2.7"),
        ("127.0.0.1", "1.1.1.1, 198.51.100.1", True, "198.51.100.1"),
        ("2001:db8::1:2:3:4", "", False, "2001:db8::/64"),
        ("", "", False, "unknown"),
    ],
)
def test_tries_are_counted_by_an_address_that_cannot_be_made_up(
    remote: str, forwarded: str, behind_proxy: bool, counted: str
) -> None:
    headers = {"X-Forwarded-For": forwarded} if forwarded else {}
    request = RequestFactory(REMOTE_ADDR=remote).get("/login", headers=headers)
    with override_settings(BEHIND_TLS_PROXY=behind_proxy):
        assert address_of(request) == counted


@pytest.mark.parametrize(
    "facts", [{}, {"name": "ada"}, {"name": "a\0b", "password": "x"}, {"name": "a" * 151}]
)
def test_a_form_that_lacks_something_is_shown_again(facts: dict[str, str], client: Client) -> None:
    response = client.post("/login", facts)
    assert response.status_code == 400
    assert "field-error" in response.content.decode()
    assert not SignInTries.objects.exists()


def test_signing_out_ends_the_session_for_whoever_copied_it(client: Client) -> None:
    client.force_login(add_person("ada", Role.READER))
    copied = Client()
    copied.cookies["sessionid"] = client.cookies["sessionid"].value
    assert copied.get("/").status_code == 200
    assert client.get("/logout").status_code == 405
    assert client.post("/logout")["Location"] == "/login"
    for one in (client, copied):
        assert one.get("/")["Location"] == "/login?next=/"


def test_a_new_session_begins_at_each_login(client: Client) -> None:
    person("ada", Role.READER)
    client.get("/login")
    sign_in(client, "ada", PASSWORD)
    first = client.cookies["sessionid"].value
    client.post("/logout")
    sign_in(client, "ada", PASSWORD)
    assert client.cookies["sessionid"].value != first


def test_sessions_that_are_over_do_not_stay(client: Client) -> None:
    Session.objects.create(session_key="old", expire_date=timezone.now() - timedelta(days=1))
    person("ada", Role.READER)
    sign_in(client, "ada", PASSWORD)
    assert not Session.objects.filter(session_key="old").exists()


def test_no_script_and_no_other_site_reads_the_cookies(client: Client) -> None:
    person("ada", Role.READER)
    client.get("/login")
    sign_in(client, "ada", PASSWORD)
    for name in ("sessionid", "csrftoken"):
        cookie = client.cookies[name]
        assert cookie["httponly"], name
        assert cookie["samesite"] == "Lax", name


def test_a_changed_password_ends_all_other_sessions(client: Client) -> None:
    user = person("ada", Role.READER)
    other = Client()
    for one in (client, other):
        one.force_login(user)
    facts = {"old_password": PASSWORD, "new_password1": NEW, "new_password2": NEW}
    assert client.post("/account", facts)["Location"] == "/account"
    assert "Your password is changed" in client.get("/account").content.decode()
    assert other.get("/")["Location"] == "/login?next=/"
    assert sign_in(Client(), "ada", PASSWORD).status_code == 400
    assert sign_in(Client(), "ada", NEW).status_code == 302


@pytest.mark.parametrize(
    ("facts", "sentence"),
    [
        ({"old_password": WRONG, "new_password1": NEW, "new_password2": NEW}, "old password"),
        ({"old_password": PASSWORD, "new_password1": NEW, "new_password2": WRONG}, "match"),
        ({"old_password": PASSWORD, "new_password1": "short", "new_password2": "short"}, "short"),
    ],
)
def test_a_password_that_will_not_do_is_refused(
    facts: dict[str, str], sentence: str, client: Client
) -> None:
    client.force_login(person("ada", Role.READER))
    response = client.post("/account", facts)
    assert response.status_code == 400
    assert sentence in response.content.decode()
    assert User.objects.get().check_password(PASSWORD)


def test_a_link_sets_the_password_once_and_signs_in(client: Client) -> None:
    link = password_link(add_person("ada", Role.READER))
    assert "Choose a password, ada" in client.get(link).content.decode()
    weak = client.post(link, {"new_password1": "12345678901", "new_password2": "12345678901"})
    assert weak.status_code == 400
    facts = {"new_password1": NEW, "new_password2": NEW}
    assert client.post(link, facts)["Location"] == "/"
    assert client.get("/").status_code == 200
    again = Client().post(link, facts)
    assert again.status_code == 404
    assert "used up or too old" in again.content.decode()


def test_a_link_ends_with_time_and_with_the_account(client: Client) -> None:
    user = add_person("ada", Role.READER)
    link = password_link(user)
    with override_settings(PASSWORD_RESET_TIMEOUT=-1):
        assert client.get(link).status_code == 404
    assert client.get(link).status_code == 200
    user.is_active = False
    user.save()
    assert client.get(link).status_code == 404


@pytest.mark.parametrize("key", ["OTk5", "!", "w7w", "LTE", "OTk5OTk5OTk5OTk5OTk5OTk5OTk5"])
def test_a_made_up_link_is_nobodys(key: str, client: Client) -> None:
    assert client.get(f"/password/{key}/abc-def").status_code == 404


def test_the_login_page_says_how_the_first_owner_is_made(client: Client) -> None:
    assert "create_owner" in client.get("/login").content.decode()
    person("ada", Role.OWNER)
    assert "create_owner" not in client.get("/login").content.decode()
