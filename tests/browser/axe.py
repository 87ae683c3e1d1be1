"""axe-core's rules of accessibility, asked of a page in a browser."""

from __future__ import annotations

from importlib.resources import files

from playwright.sync_api import Page

AXE = (files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")
RUN = """async (options) => {
  const { violations } = await axe.run({ resultTypes: ["violations"], ...options });
  return violations.flatMap(({ id, help, nodes }) => nodes.map(
    ({ html, any }) => `${id}: ${help}: ${html.slice(0, 300)} ${any[0]?.message ?? ""}`,
  ));
}"""
# What of all rules depends on light and dark.
COLOURS = {"runOnly": ["color-contrast"]}


def violations(page: Page) -> list[str]:
    """What breaks a rule on the page as it is now, in light and in dark."""
    page.evaluate(AXE)
    page.emulate_media(color_scheme="light", reduced_motion="reduce")
    found = page.evaluate(RUN, {})
    page.emulate_media(color_scheme="dark", reduced_motion="reduce")
    return [*found, *(f"dark, {one}" for one in page.evaluate(RUN, COLOURS))]
