"""Signing in, and what people do with their accounts, in a real browser at two sizes."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.axe import violations
from tests.browser.conftest import OpenPage
from tests.browser.dropping import drop, paste
from tests.browser.test_every_page import FAINT, UNSPOKEN
from tests.gallery.guarded_gallery import GuardedGallery
from tests.gallery.people import PASSWORD
from tests.photos import CAT, COFFEE

SIZES = {"phone": {"width": 360, "height": 740}, "desktop": {"width": 1280, "height": 800}}
NEW_PASSWORD = "another long passphrase"


@pytest.fixture(scope="module")
def guarded(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[GuardedGallery]:
    """A gallery that demands a login, with an owner named ada."""
    gallery = GuardedGallery(tmp_path_factory.mktemp("guarded") / "data")
    gallery.start()
    gallery.make_owner("ada", PASSWORD)
    yield gallery
    gallery.stop()


@pytest.fixture(params=SIZES)
def size(request: pytest.FixtureRequest) -> dict[str, int]:
    return SIZES[request.param]


def sign_in(page: Page, name: str, password: str) -> None:
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Sign in").click()


def page_of_an_ended_session(
    gallery: GuardedGallery, open_page: OpenPage, size: dict[str, int]
) -> tuple[Page, Locator]:
    """The dashboard with its field for photos, open since before the session ended."""
    page = open_page(gallery, "/", viewport=size)
    sign_in(page, "ada", PASSWORD)
    photos = page.get_by_label("Choose photos or drop them here")
    expect(photos).to_be_attached()
    page.context.clear_cookies(name="sessionid")
    return page, photos


def test_one_signs_in_and_out(
    guarded: GuardedGallery, open_page: OpenPage, size: dict[str, int]
) -> None:
    page = open_page(guarded, "/photos/", viewport=size)
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    sign_in(page, "ada", "not the password")
    expect(page.get_by_role("alert")).to_have_text("This name and password do not fit together.")
    expect(page.get_by_label("Name")).to_have_value("ada")
    sign_in(page, "ada", PASSWORD)
    expect(page).to_have_url(re.compile("/photos/$"))
    page.get_by_role("link", name="Account of ada").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    page.goto("/photos/")
    expect(page).to_have_url(re.compile("/login"))


def test_an_owner_adds_a_reader_who_is_offered_no_upload(
    guarded: GuardedGallery, open_page: OpenPage, size: dict[str, int]
) -> None:
    page = open_page(guarded, "/people", viewport=size)
    sign_in(page, "ada", PASSWORD)
    name = f"reader-{size['width']}"
    page.get_by_label("Name").fill(name)
    page.get_by_label("Role", exact=True).select_option("reader")
    page.get_by_role("button", name="Add").click()
    link = page.get_by_label(re.compile(f"Send this link to {name}")).input_value()
    newcomer = open_page(guarded, link.removeprefix(f"http://127.0.0.1:{guarded.port}"))
    newcomer.get_by_label("New password", exact=True).fill(NEW_PASSWORD)
    newcomer.get_by_label("New password confirmation").fill(NEW_PASSWORD)
    newcomer.get_by_role("button", name="Set the password").click()
    expect(newcomer.get_by_role("heading", level=1)).to_be_visible()
    assert newcomer.get_by_label("Choose photos or drop them here").count() == 0
    drop(newcomer.locator("main"), CAT)
    paste(newcomer.locator("main"), "image.png", COFFEE.read_bytes())
    expect(newcomer.locator(".toast")).to_contain_text("Only editors may upload")
    # Searching is for readers too.
    drop(newcomer.locator("[data-photo-search]"), CAT)
    newcomer.wait_for_url("**/search/photo/*/")
    page.goto("/")
    assert page.get_by_label("Choose photos or drop them here").count() == 1


def test_a_token_is_shown_once(
    guarded: GuardedGallery, open_page: OpenPage, size: dict[str, int]
) -> None:
    page = open_page(guarded, "/account", viewport=size)
    sign_in(page, "ada", PASSWORD)
    name = f"script-{size['width']}"
    page.get_by_label("What it is for").fill(name)
    page.get_by_role("button", name="Make a token").click()
    assert page.get_by_label(re.compile("Copy it now")).input_value().startswith("gallery_")
    page.goto("/account")
    assert page.get_by_label(re.compile("Copy it now")).count() == 0
    page.get_by_role("button", name=re.compile(f"Revoke.*{name}")).click()
    expect(page.locator("main > .note")).to_have_text("The token is revoked.")


def test_an_upload_after_the_session_has_ended_goes_on_after_signing_in(
    guarded: GuardedGallery, open_page: OpenPage, size: dict[str, int]
) -> None:
    page, photos = page_of_an_ended_session(guarded, open_page, size)
    photos.set_input_files(CAT)
    trouble = page.locator("[data-upload-trouble]")
    expect(trouble).to_contain_text("Please sign in")
    expect(page.locator(".upload-sum")).to_have_text("0 of 1 file")
    trouble.get_by_role("link", name="Sign in").click()
    sign_in(page, "ada", PASSWORD)
    expect(page.locator(".upload-sum")).to_contain_text("1 of 1 file")
    assert page.locator(".answer[data-outcome=lost]").count() == 0


def test_an_upload_from_a_page_before_another_login_of_the_same_person_goes_on(
    guarded: GuardedGallery, open_page: OpenPage, size: dict[str, int]
) -> None:
    page, photos = page_of_an_ended_session(guarded, open_page, size)
    other = page.context.new_page()
    other.goto(f"http://127.0.0.1:{guarded.port}/login")
    sign_in(other, "ada", PASSWORD)
    expect(other.get_by_role("heading", level=1)).to_be_visible()
    photos.set_input_files(CAT)
    expect(page.locator(".upload-sum")).to_contain_text("1 of 1 file")
    assert page.locator(".answer[data-outcome=lost]").count() == 0


def test_the_pages_fit_and_can_be_read_and_heard(
    guarded: GuardedGallery, open_page: OpenPage, size: dict[str, int]
) -> None:
    page = open_page(guarded, "/login", viewport=size)

    def look() -> None:
        expect(page.locator("h1")).to_have_count(1)
        assert page.title().endswith("Image Gallery"), page.url
        assert page.evaluate("document.documentElement.scrollWidth") <= size["width"], page.url
        assert page.evaluate(UNSPOKEN) == [], page.url
        assert page.evaluate(FAINT) == [], page.url
        assert violations(page) == [], page.url

    look()
    page.get_by_label("Name").fill("ada")
    page.get_by_label("Password", exact=True).fill("not the password")
    page.get_by_role("button", name="Sign in").click()
    look()
    sign_in(page, "ada", PASSWORD)
    for path in ("/", "/account", "/people", "/photos/"):
        page.goto(path)
        look()
    page.get_by_role("link", name="Account of ada").click()
    page.get_by_label("What it is for").fill("seen")
    page.get_by_role("button", name="Make a token").click()
    look()
    page.goto("/people")
    page.locator("summary").last.click()
    look()
    page.get_by_role("button", name=re.compile("New password link.*ada")).click()
    look()
    page.goto(
        page.get_by_label(re.compile("Send this link"))
        .input_value()
        .removeprefix(f"http://127.0.0.1:{guarded.port}")
    )
    look()
