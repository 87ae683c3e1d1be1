from __future__ import annotations

from pathlib import Path

from tests.crash.harness import crash


def test_after_twenty_kills_every_promise_is_kept(tmp_path: Path) -> None:
    report = crash(tmp_path, kills=20, seed=1)
    assert report.problems == []
    assert report.kills.total() == 20
    assert report.journal.acknowledged > 0
    assert report.journal.deletions > 0
