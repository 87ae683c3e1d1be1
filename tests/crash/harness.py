"""Kills the processes of a gallery at random moments and checks that it kept every promise.

`python -m tests.crash.harness --kills 300` prints what it does and ends with 1 where anything was
lost, came back, or `check_store` finds a fault.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from random import Random
from typing import Any

import h5py

from featurestore.store import FeatureStore
from tests.crash.clients import Client, Journal, Known
from tests.crash.processes import Processes, Victim

CLIENTS = 3
LONGEST_PAUSE = 0.8
# Most kills wait until the gallery is at work again; the others meet it while it starts.
WAITING_SHARE = 0.8
LONGEST_WAIT = 6.0
# Of 14 kills; after one of the first kinds nobody is served for a moment.
WEIGHTS = {
    Victim.EVERYTHING: 1,
    Victim.WEB: 1,
    Victim.ARBITER: 1,
    Victim.ANSWERING: 2,
    Victim.WORKER: 4,
    Victim.COMPACTION: 3,
    Victim.BACKUP: 2,
}
# No photo became ready for so long: something is stuck.
STANDSTILL_SECONDS = 60.0
# Older than anything that an upload or a writer is still at work on.
LONG_AGO_SECONDS = 7200.0
PAGE = 100


@dataclass
class Report:
    """What a run did and found."""

    journal: Journal
    kills: Counter[Victim] = field(default_factory=Counter)
    completed: dict[str, int] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def __str__(self) -> str:
        kills = ", ".join(f"{number} {victim}" for victim, number in sorted(self.kills.items()))
        completed = ", ".join(f"{number} of {name}" for name, number in self.completed.items())
        journal = self.journal
        return (
            f"{self.kills.total()} kills ({kills}); runs to the end: {completed}; "
            f"{journal.acknowledged} uploads acknowledged, {journal.duplicates} duplicates, "
            f"{journal.deletions} deletions, {journal.reads} reads, {journal.cut_off} requests "
            f"cut off; {len(self.problems)} problems; {self.seconds:.0f} s"
        )


def crash(folder: Path, kills: int, seed: int) -> Report:
    """Kill a gallery in an empty folder so many times; what was found wrong is in the report."""
    started = time.monotonic()
    report = Report(Journal())
    processes = Processes(folder)
    try:
        processes.start()
        _kill_under_load(processes, report, kills, seed)
        report.problems += report.journal.problems
        report.problems += _settled(processes)
        report.problems += _broken_promises(processes, report.journal)
        report.problems += _unsound(processes, folder)
        report.problems += _stopped(processes)
        _an_hour_passes(processes)
        processes.start_serve()
        report.problems += _settled(processes)
        report.problems += _broken_promises(processes, report.journal)
        report.problems += _stopped(processes)
        report.problems += _left_on_disk(processes, report.journal)
    finally:
        processes.kill_all()
    report.seconds = time.monotonic() - started
    return report


def _kill_under_load(processes: Processes, report: Report, kills: int, seed: int) -> None:
    random = Random(seed)
    seeds = count(1)
    clients = [
        Client(processes.port, report.journal, seeds, seed * CLIENTS + number)
        for number in range(CLIENTS)
    ]
    for client in clients:
        client.start()
    try:
        while report.kills.total() < kills:
            if random.random() < WAITING_SHARE:
                _wait_for_work(report.journal)
            time.sleep(random.uniform(0, LONGEST_PAUSE))
            if not processes.is_serving:
                report.problems.append(f"serve ended by itself with {processes.serve_status}.")
                processes.start_serve()
            [victim] = random.choices(list(WEIGHTS), list(WEIGHTS.values()))
            if processes.kill(victim, random):
                if victim == Victim.EVERYTHING:
                    processes.revive()
                processes.revive_beside()
                report.kills[victim] += 1
                if report.kills.total() % 25 == 0:
                    print(report, flush=True)
    finally:
        for client in clients:
            client.stop()
        report.completed = processes.stop_beside()


def _wait_for_work(journal: Journal) -> None:
    """Returns when the gallery has answered several requests, or does not in a long while."""
    enough = journal.answers + 3
    deadline = time.monotonic() + LONGEST_WAIT
    while journal.answers < enough and time.monotonic() < deadline:
        time.sleep(0.01)


def _settled(processes: Processes) -> Iterator[str]:
    """Waits until no photo waits; what stands in the way."""
    processes.wait_until_it_answers()
    waiting = len(_listed(processes, "received"))
    deadline = time.monotonic() + STANDSTILL_SECONDS
    while waiting:
        time.sleep(0.5)
        before, waiting = waiting, len(_listed(processes, "received"))
        if waiting < before:
            deadline = time.monotonic() + STANDSTILL_SECONDS
        elif time.monotonic() > deadline:
            yield f"{waiting} photos wait, and none became ready for {STANDSTILL_SECONDS:.0f} s."
            return


def _an_hour_passes(processes: Processes) -> None:
    """Everything in the data folder is old enough now to be taken for a leftover."""
    then = time.time() - LONG_AGO_SECONDS
    for path in processes.data.rglob("*"):
        os.utime(path, (then, then))


def _broken_promises(processes: Processes, journal: Journal) -> Iterator[str]:
    """Photos that are not as they were promised, asked for over HTTP and in the store."""
    listed = {photo["id"]: photo for photo in _listed(processes)}
    store = FeatureStore(processes.data / "store")
    stored = set(store.image_ids().tolist())
    found_ids = {
        image_id
        for model_id in store.model_ids()
        for image_id in stored
        if store.index(model_id).row_of(image_id) is not None
    }
    for photo in journal.known_as(Known.STORED):
        found = listed.get(photo.image_id)
        if found is None:
            yield f"Photo {photo.seed} was acknowledged as {photo.image_id} and is missing."
        elif (found["sha256"], found["state"]) != (photo.sha256, "ready"):
            yield f"Photo {photo.seed} should be ready with {photo.sha256}, is {found}"
        elif store.read_image(photo.image_id) != photo.data:
            yield f"The store has other bytes of photo {photo.seed}."
        if photo.image_id not in found_ids:
            yield f"Image {photo.image_id} cannot be found by a search."
    for photo in journal.known_as(Known.DELETED):
        status, _ = _get(processes, f"/photos/{photo.image_id}/")
        if photo.image_id in listed or photo.image_id in stored or status != 404:
            yield f"Image {photo.image_id} was deleted and is back ({status})."
    for image_id, found in listed.items():
        status, data = _get(processes, f"/photos/{image_id}/original")
        if status != 200 or len(data) != found["size"]:
            yield f"Image {image_id} is listed, and its original is answered {status}."
    if stored != set(listed):
        yield f"Store and catalogue differ in images {stored ^ set(listed)}."


def _unsound(processes: Processes, folder: Path) -> Iterator[str]:
    """What `check_store` says about the gallery, and about a backup of it that is restored."""
    for data, arguments in (
        (None, ("check_store",)),
        (None, ("backup", str(processes.backup))),
        (folder / "restored", ("restore", str(processes.backup))),
        (folder / "restored", ("check_store",)),
        (None, ("compact",)),
    ):
        done = processes.manage(*arguments, "--verbosity", "0", data=data)
        if done.returncode:
            yield f"{arguments[0]} ended with {done.returncode}: {done.stdout}{done.stderr[-2000:]}"


def _stopped(processes: Processes) -> Iterator[str]:
    status = processes.stop()
    if status:
        yield f"serve ended with {status} when it was asked to stop."


def _left_on_disk(processes: Processes, journal: Journal) -> Iterator[str]:
    """Deleted photos whose bytes are still there after compaction, and leftovers of uploads."""
    on_disk: dict[str, Path] = {}
    for path in (processes.data / "store" / "images").glob("*.h5"):
        with h5py.File(path, "r") as file:
            on_disk |= {digest.tobytes().hex(): path for digest in file["raw_images/sha256"][:]}
    for path in (processes.data / "spool").iterdir():
        yield f"{path.name} is still in the spool."
    kept = {photo.sha256 for photo in journal.photos if photo.known != Known.DELETED}
    for photo in journal.known_as(Known.DELETED):
        if photo.sha256 not in kept and photo.sha256 in on_disk:
            yield f"Photo {photo.seed} was deleted, and its bytes are still on the disk."


def _listed(processes: Processes, state: str = "") -> list[dict[str, Any]]:
    """All photos that the gallery lists, or those in one state."""
    photos: list[dict[str, Any]] = []
    while True:
        path = f"/api/v1/images?limit={PAGE}&offset={len(photos)}"
        _, answer = _get(processes, path)
        page = json.loads(answer)["photos"]
        photos += page
        if len(page) < PAGE:
            return [photo for photo in photos if state in ("", photo["state"])]


def _get(processes: Processes, path: str) -> tuple[int, bytes]:
    try:
        with urllib.request.urlopen(f"{processes.address}{path}", timeout=30) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, b""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=300)
    parser.add_argument("--seed", type=int, default=None, help="default: another for each run")
    parser.add_argument("--folder", type=Path, help="an empty one, which is kept")
    options = parser.parse_args()
    seed = options.seed if options.seed is not None else time.time_ns() % 1_000_000
    print(f"Seed {seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="gallery-crash-") as folder:
        report = crash(options.folder or Path(folder), options.kills, seed)
    for problem in report.problems:
        print(problem)
    print(report)
    return 1 if report.problems else 0


if __name__ == "__main__":
    sys.exit(main())
