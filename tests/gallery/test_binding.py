"""When the gallery demands a login, and what it needs before it lets others reach it."""

from __future__ import annotations

import http.client
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from gallery.access.binding import Login, check_entrance, is_loopback, login_of
from gallery.access.throttle import FREE_TRIES_BY_NAME
from tests.gallery.guarded_gallery import SECRET_KEY, GuardedGallery, guarded_environment
from tests.gallery.served_gallery import REPOSITORY, free_port, own_environment

LOCAL = ["localhost", "127.0.0.1", "[::1]"]


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.8.9.10", "::1", "[::1]", "localhost", "::ffff:127.0.0.1"]
)
def test_loopback_is_what_only_this_machine_reaches(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host",
    ["0.0.0.0", "::", "", "*", "192.168.1.4", "localhost.example", "127.0.0.1.example", "unix:/s"],
)
def test_all_else_is_not(host: str) -> None:
    assert not is_loopback(host)


@pytest.mark.parametrize(
    ("setting", "host", "allowed", "behind_proxy", "login"),
    [
        ("auto", "127.0.0.1", LOCAL, False, Login.AUTO),
        ("auto", "0.0.0.0", LOCAL, False, Login.REQUIRED),
        ("auto", "127.0.0.1", [*LOCAL, "photos.example"], False, Login.REQUIRED),
        ("auto", "127.0.0.1", ["*"], False, Login.REQUIRED),
        ("auto", "127.0.0.1", LOCAL, True, Login.REQUIRED),
        ("required", "127.0.0.1", LOCAL, False, Login.REQUIRED),
        ("open", "127.0.0.1", ["photos.example"], True, Login.OPEN),
    ],
)
def test_a_login_is_demanded_as_soon_as_anything_leads_elsewhere(
    setting: str, host: str, allowed: list[str], behind_proxy: bool, login: Login
) -> None:
    assert login_of(setting, host, allowed, behind_proxy) == login


def test_an_open_gallery_does_not_listen_to_others() -> None:
    with pytest.raises(ImproperlyConfigured, match="GALLERY_LOGIN=open is only for loopback"):
        login_of("open", "0.0.0.0", LOCAL, False)


def test_another_word_is_refused_by_name() -> None:
    with pytest.raises(ImproperlyConfigured, match="GALLERY_LOGIN should be auto, required"):
        login_of("never", "127.0.0.1", LOCAL, False)


@pytest.mark.parametrize(
    ("key_given", "key", "hosts_given", "missing"),
    [
        (False, SECRET_KEY, True, "SECRET_KEY"),
        (True, "short", True, "SECRET_KEY"),
        (True, SECRET_KEY, False, "ALLOWED_HOSTS"),
    ],
)
def test_what_is_missing_is_named(
    key_given: bool, key: str, hosts_given: bool, missing: str
) -> None:
    def check(login: Login) -> None:
        check_entrance(login, key_given=key_given, secret_key=key, hosts_given=hosts_given)

    with pytest.raises(ImproperlyConfigured, match=missing):
        check(Login.REQUIRED)
    check(Login.AUTO)


def serve(environment: dict[str, str], *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", "serve", "--port", str(free_port()), *options],
        cwd=REPOSITORY,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({}, "so it needs a SECRET_KEY of at least 32 characters"),
        ({"SECRET_KEY": SECRET_KEY}, "so ALLOWED_HOSTS in the environment has to name"),
        ({"GALLERY_LOGIN": "open"}, "GALLERY_LOGIN=open is only for loopback"),
    ],
)
def test_it_does_not_start_for_others_without_key_and_hosts(
    given: dict[str, str], sentence: str, tmp_path: Path
) -> None:
    environment = own_environment(tmp_path / "data")
    for name in ("SECRET_KEY", "ALLOWED_HOSTS", "GALLERY_LOGIN"):
        environment.pop(name, None)
    refused = serve(environment | given, "--host", "0.0.0.0")
    assert refused.returncode == 1
    assert refused.stderr.startswith("CommandError: ")
    assert sentence in refused.stderr


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GuardedGallery]:
    gallery = GuardedGallery(tmp_path_factory.mktemp("guarded") / "data")
    gallery.start()
    yield gallery
    gallery.stop()


def status(gallery: GuardedGallery, path: str, headers: dict[str, str] | None = None) -> int:
    """The status of an answer, to one who comes directly from this machine."""
    connection = http.client.HTTPConnection("127.0.0.1", gallery.port, timeout=60)
    connection.request("GET", path, headers=headers or {})
    answered = connection.getresponse().status
    connection.close()
    return answered


def test_a_served_gallery_lets_in_by_token_and_shows_its_static_files(
    guarded: GuardedGallery,
) -> None:
    guarded.make_owner("ada", "correct horse battery")
    bearer = {"Authorization": f"Bearer {guarded.make_token('ada', 'read')}"}
    assert status(guarded, "/api/v1/images") == 401
    assert status(guarded, "/api/v1/images", bearer) == 200
    assert status(guarded, "/") == 302
    assert status(guarded, "/healthz") == 200
    assert status(guarded, "/static/gallery/account.css") == 200


def wrong_sign_in(gallery: GuardedGallery) -> int:
    """The status of a wrong password, sent with the form's CSRF token."""
    address = f"http://127.0.0.1:{gallery.port}/login"
    with urllib.request.build_opener(urllib.request.HTTPCookieProcessor()).open(address) as page:
        text = page.read().decode()
        cookie = page.headers["Set-Cookie"].partition(";")[0]
    token = text.split('name="csrfmiddlewaretoken" value="')[1].split('"')[0]
    facts = {"name": "eve", "password": "wrong", "csrfmiddlewaretoken": token}
    body = urllib.parse.urlencode(facts).encode()
    try:
        urllib.request.urlopen(urllib.request.Request(address, body, {"Cookie": cookie})).close()
    except urllib.error.HTTPError as refusal:
        return refusal.code
    return 200


def test_tries_at_once_are_counted_like_tries_one_by_one(guarded: GuardedGallery) -> None:
    with ThreadPoolExecutor(8) as threads:
        statuses = Counter(threads.map(wrong_sign_in, [guarded] * 24))
    assert statuses == {400: FREE_TRIES_BY_NAME, 429: 24 - FREE_TRIES_BY_NAME}


def test_serve_passes_the_host_of_its_option_on(tmp_path: Path) -> None:
    environment = guarded_environment(tmp_path / "data") | {"GALLERY_LOGIN": "auto"}
    port = free_port()
    command = [sys.executable, "manage.py", "serve", "--host", "0.0.0.0", "--port", str(port)]
    gallery = GuardedGallery(tmp_path / "data")
    gallery.port = port
    with subprocess.Popen(
        command, cwd=REPOSITORY, env=environment, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            assert "make an owner with" in process.stdout.readline()
            deadline = time.monotonic() + 30
            while True:
                try:
                    # Although it comes from this machine.
                    assert status(gallery, "/api/v1/images") == 401
                    break
                except OSError:
                    assert time.monotonic() < deadline, "it does not answer"
                    time.sleep(0.05)
        finally:
            process.send_signal(signal.SIGTERM)
    assert process.returncode == 0


def test_check_deploy_is_clean_for_a_gallery_behind_tls(tmp_path: Path) -> None:
    run = subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
        cwd=REPOSITORY,
        env=guarded_environment(tmp_path / "data")
        | {"BEHIND_TLS_PROXY": "yes", "ALLOWED_HOSTS": "photos.example"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert "no issues" in run.stdout
