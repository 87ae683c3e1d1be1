"""Drives a gallery of its own with many clients at once, and looks whether it kept up.

`python -m tests.load.harness --seconds 60` prints requests a second and percentiles, and ends with
1 where a request failed, an acknowledged upload is missing, or `check_store` finds a fault.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

from tests.gallery.served_gallery import REPOSITORY, ServedGallery, own_environment
from tests.load.asked import LAYOUTS
from tests.load.journal import Journal, read_journal
from tests.load.photos import write_photos

VISITORS = REPOSITORY / "tests" / "load" / "visitors.py"
FILLED_WITH = 300
# Each is uploaded many times, with another comment in its file.
TO_UPLOAD = 100
# For requests that are under way when the time is up.
LAST_ANSWERS_SECONDS = 60
# None of the waiting photos became ready for so long: something is stuck.
STANDSTILL_SECONDS = 60.0
PAGE = 100


def load(
    folder: Path, *, clients: int, seconds: int, pause: float = 0.0, photos: int = FILLED_WITH
) -> list[str]:
    """Fill a gallery in an empty folder and drive it; sentences about what went wrong.

    Args:
        pause: about so many seconds between one and the next thing that a client does.
        photos: with how many the gallery is filled.
    """
    write_photos(folder / "first", photos, seed=1)
    write_photos(folder / "later", TO_UPLOAD, seed=2)
    gallery = ServedGallery(folder / "data")
    print(f"Filling a gallery with {photos} photos.", flush=True)
    filled = _manage(gallery, "ingest", str(folder / "first"))
    if filled.returncode:
        return [f"The gallery could not be filled: {filled.stdout}{filled.stderr[-2000:]}"]
    gallery.start()
    try:
        # What is measured is a gallery at work, not one that starts and compiles.
        gallery.get("/search?q=cat")
        for layout in LAYOUTS:
            gallery.get(f"/search?layout={quote(json.dumps(layout))}")
        print(f"{clients} clients for {seconds} s. {_machine()}", flush=True)
        journal = _drive(gallery, folder, clients, seconds, pause)
        print(journal.table(), flush=True)
        problems = [*journal.problems()]
        problems += _not_settled(gallery)
        problems += _missing(gallery, journal, filled_with=photos)
    finally:
        status = gallery.stop()
    if status:
        problems.append(f"serve ended with {status} when it was asked to stop.")
    checked = _manage(gallery, "check_store", "--verbosity", "0")
    print(f"check_store: {checked.stdout.strip()}", flush=True)
    if checked.returncode:
        problems.append(f"check_store ended with {checked.returncode}. {checked.stderr[-2000:]}")
    return problems


def _drive(
    gallery: ServedGallery, folder: Path, clients: int, seconds: int, pause: float
) -> Journal:
    """Let the clients at it. Raises CalledProcessError where locust cannot."""
    journal = folder / "journal.jsonl"
    subprocess.run(
        [
            *(sys.executable, "-m", "locust", "-f", str(VISITORS)),
            *("--headless", "--host", f"http://127.0.0.1:{gallery.port}"),
            *("--users", str(clients), "--spawn-rate", str(clients)),
            *("--run-time", str(seconds), "--stop-timeout", str(LAST_ANSWERS_SECONDS)),
            *("--journal", str(journal), "--photos", str(folder / "later")),
            *("--pause", str(pause)),
            # Its own figures and failures, which are in the journal; warnings come through.
            *("--skip-log-setup", "--exit-code-on-error", "0"),
        ],
        cwd=REPOSITORY,
        env=os.environ | {"PYTHONPATH": str(REPOSITORY)},
        stdout=subprocess.DEVNULL,
        check=True,
    )
    return read_journal(journal)


def _not_settled(gallery: ServedGallery) -> Iterator[str]:
    """Waits until every photo can be searched; what stands in the way."""
    started = time.monotonic()
    waiting = first = len(_listed(gallery, "received"))
    deadline = time.monotonic() + STANDSTILL_SECONDS
    while waiting:
        time.sleep(0.5)
        before, waiting = waiting, len(_listed(gallery, "received"))
        if waiting < before:
            deadline = time.monotonic() + STANDSTILL_SECONDS
        elif time.monotonic() > deadline:
            yield f"{waiting} photos wait, and none became ready for {STANDSTILL_SECONDS:.0f} s."
            return
    print(f"{first} photos still waited at the end, and were ready {_since(started)} later.")


def _missing(gallery: ServedGallery, journal: Journal, *, filled_with: int) -> Iterator[str]:
    """Acknowledged photos that the gallery has not, or not as they were sent."""
    listed = _listed(gallery)
    for image_id, sha256 in journal.stored.items():
        if image_id not in listed:
            yield f"Image {image_id} was acknowledged and is missing."
        elif listed[image_id] != (sha256, "ready"):
            yield f"Image {image_id} should be ready with {sha256}, is {listed[image_id]}."
    expected = filled_with + len(journal.stored)
    if len(listed) < expected:
        yield f"{expected} photos should be there, {len(listed)} are."
    print(f"{len(journal.stored)} uploads were acknowledged; the gallery has {len(listed)} photos.")


def _listed(gallery: ServedGallery, state: str = "") -> dict[int, tuple[str, str]]:
    """(SHA-256, state) of all photos by their id, or of those in one state."""
    listed: dict[int, tuple[str, str]] = {}
    offset = 0
    while True:
        photos = gallery.json(f"/api/v1/images?limit={PAGE}&offset={offset}")["photos"]
        for photo in photos:
            listed[photo["id"]] = (photo["sha256"], photo["state"])
        offset += PAGE
        if len(photos) < PAGE:
            return {image: facts for image, facts in listed.items() if state in ("", facts[1])}


def _manage(gallery: ServedGallery, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command of the gallery to its end."""
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=REPOSITORY,
        env=own_environment(gallery.data),
        capture_output=True,
        text=True,
        check=False,
    )


def _machine() -> str:
    load_average = os.getloadavg()[0]
    return f"{os.cpu_count()} cores, busy with {load_average:.1f} processes before."


def _since(started: float) -> str:
    return f"{time.monotonic() - started:.0f} s"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--clients", type=int, default=50)
    parser.add_argument("--pause", type=float, default=0.0, help="seconds between a client's tasks")
    parser.add_argument("--folder", type=Path, help="an empty one, which is kept")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="gallery-load-") as folder:
        problems = load(
            options.folder or Path(folder),
            clients=options.clients,
            seconds=options.seconds,
            pause=options.pause,
        )
    for problem in problems:
        print(problem)
    print("Failed." if problems else "No request failed, and everything acknowledged is there.")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
