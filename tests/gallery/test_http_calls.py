"""The curl lines of docs/http-calls.md, run as they stand there against a served gallery."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from tests.gallery.served_gallery import REPOSITORY, ServedGallery
from tests.photos import CAT, COFFEE

LOOKS_SECONDS = 60.0
LINES = re.findall(
    r"^```sh\n(curl .+?)\n```$",
    (REPOSITORY / "docs/http-calls.md").read_text(),
    re.MULTILINE | re.DOTALL,
)


def wait_for_looks(gallery: ServedGallery, image_id: int) -> None:
    deadline = time.monotonic() + LOOKS_SECONDS
    while gallery.json(f"/api/v1/images/{image_id}/similar?by=look")["without_look"]:
        assert time.monotonic() < deadline, "looks are not made"
        time.sleep(0.2)


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl")
def test_the_documented_calls_do_what_they_say(served: ServedGallery, tmp_path: Path) -> None:
    _, results = served.upload(*[(path.name, path.read_bytes()) for path in (CAT, COFFEE)])
    for result in results:
        served.wait_until_ready(result["id"])
    wait_for_looks(served, results[0]["id"])
    shutil.copy(CAT, tmp_path / "dress.jpg")
    answers = []
    for line in LINES:
        command = line.replace("127.0.0.1:8000", f"127.0.0.1:{served.port}")
        command = command.replace("/images/1/", f"/images/{results[0]['id']}/")
        done = subprocess.run(
            ["sh", "-c", command.replace("curl", "curl -sS", 1)],
            cwd=tmp_path,
            capture_output=True,
            check=True,
        )
        answers.append(done.stdout)
    assert len(LINES) == 5
    like, picture, _, similar, words = answers
    assert json.loads(like)["results"][0]["name"] == CAT.name
    assert picture == b""
    assert (tmp_path / "found.jpg").read_bytes() == CAT.read_bytes()
    for answer in (like, similar, words):
        assert "results" in json.loads(answer)
