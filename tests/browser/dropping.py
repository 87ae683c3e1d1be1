"""Dropping files, as a person does from the desktop."""

from __future__ import annotations

import base64
from pathlib import Path

from playwright.sync_api import Locator, Page

MAKE_TRANSFER = """files => {
  const transfer = new DataTransfer();
  for (const { name, data } of files) {
    const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
    transfer.items.add(new File([bytes], name));
  }
  return transfer;
}"""


def drop(target: Locator, *paths: Path) -> None:
    """Hold files over an element, then let go."""
    files = [
        {"name": path.name, "data": base64.b64encode(path.read_bytes()).decode()} for path in paths
    ]
    transfer = target.page.evaluate_handle(MAKE_TRANSFER, files)
    for event in ("dragenter", "dragover", "drop"):
        target.dispatch_event(event, {"dataTransfer": transfer})


def drop_from_desktop(page: Page, *paths: Path) -> None:
    """Drop files or folders on the middle of the page as the system does, folders as well."""
    session = page.context.new_cdp_session(page)
    size = page.viewport_size or {"width": 800, "height": 600}
    place = {"x": size["width"] // 2, "y": size["height"] // 2}
    data = {"items": [], "files": [str(path) for path in paths], "dragOperationsMask": 1}
    for kind in ("dragEnter", "dragOver", "drop"):
        session.send("Input.dispatchDragEvent", {"type": kind, **place, "data": data})
    session.detach()


def paste(target: Locator, name: str, data: bytes) -> None:
    """Paste a picture, as out of another program."""
    file = {"name": name, "data": base64.b64encode(data).decode()}
    transfer = target.page.evaluate_handle(MAKE_TRANSFER, [file])
    target.evaluate(
        """(element, clipboardData) => element.dispatchEvent(
          new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }))""",
        transfer,
    )
