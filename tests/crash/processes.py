"""The processes of a real gallery, and what kills and revives them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.request
from enum import StrEnum
from pathlib import Path
from random import Random

from tests.gallery.served_gallery import command_line, descendants, free_port, own_environment

REPOSITORY = Path(__file__).resolve().parents[2]
START_SECONDS = 60.0
STOP_SECONDS = 30.0
LOG = "processes.log"


class Victim(StrEnum):
    """What is killed at once."""

    WEB = "web"
    """gunicorn's arbiter and the process that answers."""
    ANSWERING = "web child"
    """The process that answers; gunicorn's arbiter starts another."""
    ARBITER = "web arbiter"
    """gunicorn's arbiter alone, whose child must make room for the next."""
    WORKER = "worker"
    COMPACTION = "compaction"
    BACKUP = "backup"
    EVERYTHING = "everything"


class Repeated:
    """A process that runs a command again and again, and is started again when it is killed."""

    def __init__(self, command: list[str], environment: dict[str, str], folder: Path) -> None:
        self._ended = folder / f"{command[0]}.ended"
        self._command = [sys.executable, "-m", "tests.crash.repeat", str(self._ended), *command]
        self._environment = environment
        self._log = folder / LOG
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def completed(self) -> int:
        """How often the command has run to its end."""
        return self._ended.stat().st_size if self._ended.exists() else 0

    def start(self) -> None:
        """Start it, unless it runs."""
        if self._process is None or self._process.poll() is not None:
            with self._log.open("ab") as log:
                self._process = subprocess.Popen(
                    self._command, cwd=REPOSITORY, env=self._environment, stdout=log, stderr=log
                )

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def process_ids(self) -> list[int]:
        process = self._process
        return [process.pid] if process is not None and process.poll() is None else []


class Processes:
    """`manage.py serve` on a port and data folder of its own, with compaction and backup beside."""

    def __init__(self, folder: Path) -> None:
        self.data = folder / "data"
        self.backup = folder / "backup"
        self.port = free_port()
        self._folder = folder
        self._environment = own_environment(self.data) | {
            "DJANGO_SETTINGS_MODULE": "tests.crash.settings"
        }
        self._serve: subprocess.Popen[bytes] | None = None
        self._beside = {
            Victim.COMPACTION: self._repeated("compact"),
            Victim.BACKUP: self._repeated("backup", str(self.backup)),
        }

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start everything and wait until the gallery answers."""
        self.start_serve()
        self.wait_until_it_answers()
        self.revive_beside()

    def revive_beside(self) -> None:
        """Start compaction and backup again where they were killed."""
        for repeated in self._beside.values():
            repeated.start()

    def stop_beside(self) -> dict[str, int]:
        """Kill compaction and backup for good; how often each ran to its end."""
        for repeated in self._beside.values():
            repeated.stop()
        return {str(victim): repeated.completed for victim, repeated in self._beside.items()}

    def stop(self) -> int:
        """Stop `serve` as people do; its exit status."""
        assert self._serve is not None, "start the processes first"
        self._serve.send_signal(signal.SIGTERM)
        return self._serve.wait(STOP_SECONDS)

    def kill_all(self) -> None:
        """End everything, whatever it is at."""
        self.stop_beside()
        if self._serve is not None:
            _kill([self._serve.pid, *descendants(self._serve.pid)])
            self._serve.wait()

    def kill(self, victim: Victim, random: Random) -> bool:
        """Kill it at once; False where it is not running just now."""
        found = self._process_ids(victim)
        # Those of one kind die one after the other, in any order.
        random.shuffle(found)
        return _kill(found)

    def revive(self) -> None:
        """Start `serve` again after it was killed; the rest is its business."""
        assert self._serve is not None, "start the processes first"
        self._serve.wait()
        self.start_serve()

    @property
    def is_serving(self) -> bool:
        return self._serve is not None and self._serve.poll() is None

    @property
    def serve_status(self) -> int | None:
        """With what `serve` ended, negative for a signal."""
        return None if self._serve is None else self._serve.poll()

    def manage(self, *arguments: str, data: Path | None = None) -> subprocess.CompletedProcess[str]:
        """Run a command of the gallery to its end."""
        environment = self._environment | ({"GALLERY_DATA": str(data)} if data else {})
        return subprocess.run(
            _command(*arguments),
            cwd=REPOSITORY,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def wait_until_it_answers(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                urllib.request.urlopen(f"{self.address}/api/v1/images?limit=1", timeout=5).close()
                return
            except OSError:
                if time.monotonic() > deadline or not self.is_serving:
                    raise
                time.sleep(0.05)

    def start_serve(self) -> None:
        """Start `serve`, which may take a while to answer."""
        with (self._folder / LOG).open("ab") as log:
            self._serve = subprocess.Popen(
                _command("serve", "--port", str(self.port)),
                cwd=REPOSITORY,
                env=self._environment,
                stdout=log,
                stderr=log,
            )

    def _repeated(self, *arguments: str) -> Repeated:
        return Repeated(list(arguments), self._environment, self._folder)

    def _process_ids(self, victim: Victim) -> list[int]:
        if victim in self._beside:
            return self._beside[victim].process_ids()
        assert self._serve is not None, "start the processes first"
        below = descendants(self._serve.pid)
        web = [process_id for process_id in below if "gunicorn" in command_line(process_id)]
        arbiters = [process_id for process_id in web if _parent(process_id) == self._serve.pid]
        if victim == Victim.EVERYTHING:
            beside = [
                process_id for each in self._beside.values() for process_id in each.process_ids()
            ]
            return [self._serve.pid, *below, *beside] if self.is_serving else []
        if victim == Victim.WORKER:
            return [process_id for process_id in below if "worker" in command_line(process_id)]
        if victim == Victim.WEB:
            return web
        if victim == Victim.ARBITER:
            return arbiters
        return [process_id for process_id in web if process_id not in arbiters]


def _command(*arguments: str) -> list[str]:
    return [sys.executable, "manage.py", *arguments]


def _kill(process_ids: list[int]) -> bool:
    killed = False
    for process_id in process_ids:
        try:
            os.kill(process_id, signal.SIGKILL)
            killed = True
        except ProcessLookupError:
            continue
    return killed


def _parent(process_id: int) -> int:
    try:
        status = Path(f"/proc/{process_id}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return int(status.rpartition(")")[2].split()[1])
