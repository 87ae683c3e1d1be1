"""Who may and who may not, at every address of the gallery."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.test import Client, override_settings
from django.urls import URLPattern, URLResolver, get_resolver, path

from gallery.access.binding import Login
from gallery.access.models import ApiToken
from gallery.access.people import add_person
from gallery.access.roles import Role
from gallery.access.rules import RULES, Needs
from gallery.api import api
from gallery.middleware import SAFE_METHODS
from gallery.models import Image
from gallery.urls import urlpatterns as real_patterns
from tests.gallery.people import Who, bearer, client_of

pytestmark = pytest.mark.django_db

ALL = set(Who)
READERS = ALL - {Who.ANONYMOUS}
EDITORS = {Who.EDITOR, Who.OWNER, Who.WRITE_TOKEN}
PEOPLE = {Who.READER, Who.EDITOR, Who.OWNER}
OWNERS = {Who.OWNER}

# Photo, person and token 999 are not there: who may come so far is told so.
TABLE: list[tuple[str, str, set[Who]]] = [
    ("GET", "/", READERS),
    ("GET", "/progress", READERS),
    ("POST", "/retry", EDITORS),
    ("POST", "/samples", EDITORS),
    ("POST", "/samples/remove", EDITORS),
    ("POST", "/upload", EDITORS),
    ("GET", "/photos/", READERS),
    ("POST", "/photos/download", READERS),
    ("POST", "/photos/tags", EDITORS),
    ("GET", "/photos/999/", READERS),
    ("GET", "/photos/999/grid.jpg", READERS),
    ("GET", "/photos/999/view.jpg", READERS),
    ("GET", "/photos/999/original", READERS),
    ("GET", "/photos/999/delete", EDITORS),
    ("POST", "/photos/999/delete", EDITORS),
    ("POST", "/photos/999/rename", EDITORS),
    ("POST", "/photos/999/tags", EDITORS),
    ("GET", "/photos/999/similar", READERS),
    ("GET", "/groups/", READERS),
    ("GET", "/groups/never-made/", READERS),
    ("POST", "/groups/never-made/rename", EDITORS),
    ("GET", "/duplicates/", READERS),
    ("POST", "/duplicates/tidy", EDITORS),
    ("POST", "/duplicates/keep", EDITORS),
    ("POST", "/duplicates/offer", EDITORS),
    ("GET", "/trash", EDITORS),
    ("POST", "/trash/move", EDITORS),
    ("POST", "/trash/restore", EDITORS),
    ("POST", "/trash/delete", EDITORS),
    ("GET", "/draw", READERS),
    ("GET", "/search?q=cat", READERS),
    ("POST", "/search/photo", READERS),
    ("GET", "/search/photo/999/", READERS),
    ("GET", "/search/photo/999/query.jpg", READERS),
    ("GET", "/suggest?q=c", READERS),
    ("GET", "/searches/", READERS),
    ("POST", "/searches/save", EDITORS),
    ("GET", "/searches/never-made/", READERS),
    ("GET", "/searches/never-made/cats/", READERS),
    ("POST", "/searches/never-made/rename", EDITORS),
    ("POST", "/searches/never-made/delete", EDITORS),
    ("GET", "/login", ALL),
    ("POST", "/login", ALL),
    ("GET", "/password/OTk5/never-made", ALL),
    ("POST", "/password/OTk5/never-made", ALL),
    ("GET", "/account", PEOPLE),
    ("POST", "/account", PEOPLE),
    ("POST", "/account/tokens", PEOPLE),
    ("POST", "/account/tokens/999/revoke", PEOPLE),
    ("GET", "/people", OWNERS),
    ("POST", "/people", OWNERS),
    ("POST", "/people/999/change", OWNERS),
    ("POST", "/people/999/link", OWNERS),
    ("POST", "/people/999/tokens/999/revoke", OWNERS),
    ("GET", "/api/v1/", READERS),
    ("GET", "/api/v1/docs", READERS),
    ("GET", "/api/v1/openapi.json", READERS),
    ("POST", "/api/v1/images", EDITORS),
    ("GET", "/api/v1/images", READERS),
    ("GET", "/api/v1/images/999", READERS),
    ("PATCH", "/api/v1/images/999", EDITORS),
    ("DELETE", "/api/v1/images/999", EDITORS),
    ("POST", "/api/v1/images/999/restore", EDITORS),
    ("GET", "/api/v1/images/999/objects", READERS),
    ("PUT", "/api/v1/images/999/objects", EDITORS),
    ("DELETE", "/api/v1/images/999/objects", EDITORS),
    ("GET", "/api/v1/images/999/similar", READERS),
    ("GET", "/api/v1/images/999/tags", READERS),
    ("PATCH", "/api/v1/images/999/tags", EDITORS),
    ("GET", "/api/v1/tags", READERS),
    ("POST", "/api/v1/tags", EDITORS),
    ("GET", "/api/v1/groups", READERS),
    ("GET", "/api/v1/groups/never-made/images", READERS),
    ("GET", "/api/v1/duplicates", READERS),
    ("GET", "/api/v1/trash", EDITORS),
    ("OPTIONS", "/api/v1/uploads", EDITORS),
    ("POST", "/api/v1/uploads", EDITORS),
    ("GET", "/api/v1/uploads/999", EDITORS),
    ("PATCH", "/api/v1/uploads/999", EDITORS),
    ("DELETE", "/api/v1/uploads/999", EDITORS),
    ("GET", "/api/v1/search?q=cat", READERS),
    ("POST", "/api/v1/search/layout", READERS),
    ("POST", "/api/v1/search/photo", READERS),
    ("GET", "/api/v1/searches", READERS),
    ("POST", "/api/v1/searches", EDITORS),
    ("DELETE", "/api/v1/searches/never-made", EDITORS),
    ("POST", "/language", ALL),
    ("GET", "/script-texts/fr.js", ALL),
    ("GET", "/robots.txt", ALL),
    ("GET", "/healthz", ALL),
    ("GET", "/readyz", READERS),
    ("GET", "/metrics", READERS),
    # The last, because it ends the session.
    ("POST", "/logout", ALL),
]
WRITES = [(method, address) for method, address, _ in TABLE if method not in SAFE_METHODS]


@pytest.fixture(autouse=True)
def login_demanded(gallery_data: Path) -> Iterator[None]:
    with override_settings(GALLERY_LOGIN=Login.REQUIRED):
        yield


def routes(patterns: list[URLPattern | URLResolver], before: str = "") -> Iterator[str]:
    for pattern in patterns:
        route = before + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from routes(pattern.url_patterns, route)
        else:
            yield route


def route_of(address: str) -> str:
    return get_resolver().resolve(address.partition("?")[0]).route


def is_refused(response: Any) -> bool:
    """Whether the gallery did not let the request come to its view."""
    leads_to_login: bool = response.status_code == 302 and response["Location"].startswith(
        "/login?"
    )
    return leads_to_login or response.status_code in (401, 403)


def ask(client: Client, method: str, address: str) -> Any:
    return client.generic(method, address)


def test_every_address_has_a_rule_and_every_rule_an_address() -> None:
    assert {route for _, route in RULES} == set(routes(get_resolver().url_patterns))


def test_every_operation_of_the_api_has_a_rule() -> None:
    operations = {
        # Who may ask for a thing may ask for its headers.
        ("GET" if method == "HEAD" else method, f"api/v1{path}".replace("{", "<").replace("}", ">"))
        for _, router in api._routers
        for path, view in router.path_operations.items()
        for operation in view.operations
        for method in operation.methods
    }
    assert len(operations) >= 9
    assert operations <= set(RULES)


def test_every_rule_is_in_the_table_of_these_tests() -> None:
    assert {(method, route_of(address)) for method, address, _ in TABLE} == set(RULES)


@pytest.mark.parametrize("who", Who)
def test_everybody_comes_where_they_may_and_nowhere_else(who: Who) -> None:
    client = client_of(who)
    for method, address, allowed in TABLE:
        response = ask(client, method, address)
        assert is_refused(response) == (who not in allowed), (method, address, response.status_code)
        assert response.status_code < 500, (method, address)


@pytest.mark.parametrize(("method", "address"), WRITES)
def test_no_write_of_a_signed_in_browser_is_taken_without_its_csrf_token(
    method: str, address: str
) -> None:
    response = ask(client_of(Who.OWNER, enforce_csrf_checks=True), method, address)
    assert response.status_code == 403


def test_the_api_takes_the_session_with_its_csrf_token() -> None:
    client = client_of(Who.OWNER, enforce_csrf_checks=True)
    client.get("/account")
    headers = {"X-CSRFToken": client.cookies["csrftoken"].value}
    assert client.delete("/api/v1/images/999", headers=headers).status_code == 404
    response = client.delete("/api/v1/images/999")
    assert response.status_code == 403
    assert "X-CSRFToken" in response.json()["detail"]


def forgotten(request: HttpRequest) -> HttpResponse:
    return HttpResponse("a secret")


urlpatterns = [*real_patterns, path("forgotten", forgotten)]


@override_settings(ROOT_URLCONF=__name__)
@pytest.mark.parametrize("login", Login)
def test_a_view_without_a_rule_is_closed_to_everybody(
    login: Login, caplog: pytest.LogCaptureFixture
) -> None:
    with override_settings(GALLERY_LOGIN=login):
        for client in (client_of(Who.OWNER), Client()):
            response = client.get("/forgotten")
            assert response.status_code == 403
            assert "no rule" in response.content.decode()
    assert "'forgotten' has no rule in gallery/access/rules.py" in caplog.text


def test_a_page_leads_to_the_login_and_back() -> None:
    response = client_of(Who.ANONYMOUS).get("/photos/?page=2")
    assert response["Location"] == "/login?next=/photos/%3Fpage%3D2"


def test_a_form_that_comes_too_late_leads_to_the_login() -> None:
    response = client_of(Who.ANONYMOUS).post("/upload")
    assert response["Location"] == "/login?next=/"


@pytest.mark.parametrize("address", ["/api/v1/images", "/readyz", "/metrics"])
def test_a_script_without_a_token_is_told_what_it_needs(address: str) -> None:
    response = client_of(Who.ANONYMOUS).get(address)
    assert response.status_code == 401
    assert response["WWW-Authenticate"] == "Bearer"
    assert "Authorization: Bearer" in response.json()["detail"]


def test_the_upload_script_of_the_page_is_told_so_in_json() -> None:
    response = client_of(Who.ANONYMOUS).post("/upload", headers={"Accept": "application/json"})
    assert (response.status_code, response["Content-Type"]) == (401, "application/json")


@pytest.mark.parametrize(
    ("who", "method", "address", "sentence"),
    [
        (Who.READER, "POST", "/upload", "You are a reader; this is for editors and owners."),
        (Who.EDITOR, "GET", "/people", "You are an editor; this is for owners."),
        (Who.READ_TOKEN, "POST", "/api/v1/images", "This API token may only read; this is for"),
        (Who.WRITE_TOKEN, "GET", "/account", "This is not for API tokens"),
    ],
)
def test_who_may_not_is_told_who_may(who: Who, method: str, address: str, sentence: str) -> None:
    response = ask(client_of(who), method, address)
    assert response.status_code == 403
    assert sentence in response.content.decode()


def test_who_has_no_role_may_nothing() -> None:
    client = client_of(Who.READER)
    client.get("/")
    person_of_client = add_person("newcomer", Role.READER)
    person_of_client.groups.clear()
    client.force_login(person_of_client)
    for address in ("/", "/account"):
        response = client.get(address)
        assert response.status_code == 403
        assert "Your account has no role" in response.content.decode()


def test_a_token_downloads_originals(packaged_photos: dict[str, int]) -> None:
    client = client_of(Who.READ_TOKEN)
    photo = client.get(f"/api/v1/images/{packaged_photos['chelsea']}").json()
    original = client.get(photo["original_url"].removeprefix("http://testserver"))
    assert len(original.content) == photo["size"]
    assert original["Cache-Control"] == "private"


def test_a_write_token_deletes_and_a_read_token_does_not(packaged_photos: dict[str, int]) -> None:
    address = f"/api/v1/images/{packaged_photos['chelsea']}"
    assert client_of(Who.READ_TOKEN).delete(address).status_code == 403
    assert Image.objects.filter(pk=packaged_photos["chelsea"]).exists()
    assert client_of(Who.WRITE_TOKEN).delete(address).status_code == 204


def test_a_token_may_no_more_than_its_person() -> None:
    reader = add_person("reader", Role.READER)
    headers = bearer(reader, ApiToken.Scope.WRITE)
    client = Client()
    assert client.get("/api/v1/images", headers=headers).status_code == 200
    assert client.delete("/api/v1/images/999", headers=headers).status_code == 403
    reader.is_active = False
    reader.save()
    assert client.get("/api/v1/images", headers=headers).status_code == 401


@pytest.mark.parametrize("login", Login)
@pytest.mark.parametrize("text", ["", "gallery_", "gallery_wrong", "ü", "a b"])
def test_a_token_that_there_is_not_opens_nothing(login: Login, text: str) -> None:
    with override_settings(GALLERY_LOGIN=login):
        response = Client().get("/api/v1/images", HTTP_AUTHORIZATION=f"Bearer {text}")
    assert response.status_code == 401
    assert response.json()["detail"] == "This API token is unknown or revoked."


def test_the_text_of_a_token_is_kept_nowhere() -> None:
    token, text = ApiToken.objects.make(
        add_person("ada", Role.READER), "script", ApiToken.Scope.READ
    )
    assert len(text) >= 43
    assert text not in str(ApiToken.objects.filter(pk=token.pk).values())


def test_the_last_use_of_a_token_is_noted() -> None:
    assert client_of(Who.READ_TOKEN).get("/api/v1/images").status_code == 200
    assert ApiToken.objects.get().last_used_at is not None


def test_a_disabled_account_is_out_at_once() -> None:
    user = add_person("ada", Role.OWNER)
    client = Client()
    client.force_login(user)
    assert client.get("/").status_code == 200
    user.is_active = False
    user.save()
    assert client.get("/")["Location"] == "/login?next=/"


@override_settings(GALLERY_LOGIN=Login.AUTO)
def test_on_loopback_everybody_may_all_but_look_after_people() -> None:
    for method, address, allowed in TABLE:
        response = ask(Client(), method, address)
        expected = Who.WRITE_TOKEN not in allowed
        assert is_refused(response) == expected, (method, address, response.status_code)


@override_settings(GALLERY_LOGIN=Login.AUTO)
@pytest.mark.parametrize(
    "sign",
    [
        {"REMOTE_ADDR": "192.0.2.7"},
        {"REMOTE_ADDR": "2001:db8::7"},
        {"REMOTE_ADDR": ""},
        {"SERVER_PROTOCOL": "HTTP/1.0"},
        {"HTTP_X_FORWARDED_FOR": "192.0.2.7"},
        {"HTTP_X_REAL_IP": "192.0.2.7"},
        {"HTTP_FORWARDED": "for=192.0.2.7"},
        {"HTTP_VIA": "1.1 proxy"},
    ],
)
def test_whoever_may_come_from_elsewhere_has_to_sign_in(sign: dict[str, str]) -> None:
    client = Client()
    client.defaults.update(sign)
    for address in ("/", "/readyz"):
        assert is_refused(ask(client, "GET", address))


@override_settings(GALLERY_LOGIN=Login.OPEN)
def test_an_open_gallery_leaves_the_login_to_the_proxy_on_its_machine() -> None:
    assert Client(HTTP_X_FORWARDED_FOR="192.0.2.7").get("/").status_code == 200
    assert is_refused(ask(Client(REMOTE_ADDR="192.0.2.7"), "GET", "/"))


@pytest.mark.parametrize("address", ["/readyz", "/metrics"])
def test_the_machine_itself_is_watched_without_a_login(address: str) -> None:
    assert Client().get(address).status_code != 401
    assert Client(HTTP_X_FORWARDED_FOR="192.0.2.7").get(address).status_code == 401


def test_a_reader_is_offered_nothing_that_is_for_editors(packaged_photos: dict[str, int]) -> None:
    Image.objects.filter(pk=packaged_photos["horse"]).update(state=Image.State.FAILED)
    pages = ["/", "/photos/", *(f"/photos/{pk}/" for pk in packaged_photos.values())]
    offers = ("/upload", "/delete", "/rename", "/retry", "upload.js", "/people")
    shown = {
        who: "".join(client.get(page).content.decode() for page in pages)
        for who in (Who.READER, Who.EDITOR)
        for client in [client_of(who)]
    }
    for offer in offers:
        assert offer not in shown[Who.READER], offer
        assert (offer in shown[Who.EDITOR]) == (offer != "/people"), offer


def test_nobody_is_shown_no_search_on_the_login_page() -> None:
    text = client_of(Who.ANONYMOUS).get("/login").content.decode()
    assert 'role="search"' not in text
    assert "/photos/" not in text


def test_a_method_without_a_rule_is_refused_with_those_that_have_one() -> None:
    response = client_of(Who.OWNER).put("/photos/999/delete")
    assert (response.status_code, response["Allow"]) == (405, "GET, POST")


def test_while_the_catalogue_is_damaged_who_is_signed_in_is_told_so() -> None:
    client = client_of(Who.OWNER)
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE django_session")
    for path_, kind in (("/", "text/html"), ("/api/v1/images", "application/json")):
        response = client.get(path_)
        assert response.status_code == 503
        assert response["Content-Type"].startswith(kind)
        assert "catalogue cannot be read" in response.content.decode()


def test_needs_are_all_used() -> None:
    assert set(RULES.values()) == set(Needs)
