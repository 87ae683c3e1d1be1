"""A gallery in processes of its own that demands a login, as one that others reach does."""

from __future__ import annotations

import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from tests.gallery.served_gallery import (
    REPOSITORY,
    START_SECONDS,
    ServedGallery,
    own_environment,
)

SECRET_KEY = "a-key-for-tests-only-that-is-as-long-as-it-has-to-be-0123456789"


def guarded_environment(data: Path) -> dict[str, str]:
    return own_environment(data) | {
        "GALLERY_LOGIN": "required",
        "SECRET_KEY": SECRET_KEY,
        "ALLOWED_HOSTS": "localhost,127.0.0.1",
    }


class GuardedGallery(ServedGallery):
    def start(self) -> None:
        command = [sys.executable, "manage.py", "serve", "--port", str(self.port)]
        self._process = subprocess.Popen(
            command,
            cwd=REPOSITORY,
            env=guarded_environment(self.data),
            stdout=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{self.port}/healthz", timeout=30).close()
                return
            except OSError:
                assert self.process.poll() is None, "serve ended before it answered"
                assert time.monotonic() < deadline, "serve does not answer"
                time.sleep(0.05)

    def make_owner(self, name: str, password: str) -> None:
        """Make an owner as people do, by the command."""
        self._manage("create_owner", name, "--password-stdin", given=f"{password}\n")

    def make_token(self, owner: str, scope: str) -> str:
        """The text of a new token."""
        return self._manage("create_token", "test", "--user", owner, "--scope", scope).strip()

    def _manage(self, *words: str, given: str = "") -> str:
        run = subprocess.run(
            [sys.executable, "manage.py", *words],
            cwd=REPOSITORY,
            env=guarded_environment(self.data),
            input=given,
            text=True,
            check=True,
            capture_output=True,
            timeout=60,
        )
        return run.stdout
