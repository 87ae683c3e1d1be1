"""Dropping files, as a person does from the desktop."""

from __future__ import annotations

import base64
from pathlib import Path

from playwright.sync_api import Locator

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
