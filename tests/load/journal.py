"""What the clients wrote down, and what it says."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

KINDS = ("search", "browse", "upload")
PERCENTILES = (50, 95, 99)
FAILURES_SHOWN = 10


@dataclass(frozen=True)
class Request:
    """One request of a client."""

    name: str
    """Its kind, a colon, and what of it."""
    milliseconds: float
    ended: float
    """By a clock that all requests have in common, in seconds."""
    status: int
    """0: there was no answer."""
    failure: str = ""

    @property
    def kind(self) -> str:
        return self.name.partition(":")[0]

    @property
    def started(self) -> float:
        return self.ended - self.milliseconds / 1000


@dataclass(frozen=True)
class Journal:
    """All requests of a run, and the photos whose upload was answered with "stored"."""

    requests: list[Request]
    stored: dict[int, str]
    """Image id: SHA-256."""

    @property
    def seconds(self) -> float:
        """From the start of the first request to the end of the last."""
        if not self.requests:
            return 0.0
        first = min(request.started for request in self.requests)
        return max(request.ended for request in self.requests) - first

    def problems(self) -> Iterator[str]:
        """Sentences about failures, and about what was not tried at all."""
        failed = [request for request in self.requests if request.failure]
        if failed:
            server = sum(request.status >= 500 for request in failed)
            cut_off = sum(request.status == 0 for request in failed)
            yield (
                f"{server} answers of 500 or above, {cut_off} requests without an answer, "
                f"{len(failed) - server - cut_off} other failures."
            )
        kinds = Counter(f"{request.name}: {request.failure}" for request in failed)
        for text, number in kinds.most_common(FAILURES_SHOWN):
            yield f"{number} × {text}"
        for kind in KINDS:
            if not any(request.kind == kind for request in self.requests):
                yield f"There was no {kind} at all."

    def table(self) -> str:
        """Requests a second and percentiles, of all, by kind and by name."""
        lines = [f"{'':28}{'requests':>9}{'a second':>10}{'p50':>8}{'p95':>8}{'p99':>8}{'most':>8}"]
        for kind in KINDS:
            of_kind = [request for request in self.requests if request.kind == kind]
            lines.append(self._line(kind, of_kind))
            for name in sorted({request.name for request in of_kind}):
                of_name = [request for request in of_kind if request.name == name]
                lines.append(self._line(f"  {name.partition(': ')[2]}", of_name))
        lines.append(self._line("overall", self.requests))
        return "\n".join([*lines, "Times in milliseconds."])

    def _line(self, title: str, requests: Sequence[Request]) -> str:
        if not requests:
            return f"{title:28}{0:>9}"
        times = np.array([request.milliseconds for request in requests])
        percentiles = np.percentile(times, PERCENTILES)
        shown = "".join(f"{value:>8.0f}" for value in [*percentiles, times.max()])
        return f"{title:28}{len(times):>9}{len(times) / self.seconds:>10.1f}{shown}"


def read_journal(path: Path) -> Journal:
    """Raises FileNotFoundError, or ValueError where a line is cut off."""
    journal = Journal([], {})
    with path.open() as lines:
        for line in lines:
            facts = json.loads(line)
            if "stored" in facts:
                journal.stored[facts["stored"]] = facts["sha256"]
            else:
                journal.requests.append(Request(**facts))
    return journal
