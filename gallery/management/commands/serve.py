"""`manage.py serve`: the whole gallery in one command."""

from __future__ import annotations

import ctypes
import signal
import socket
import subprocess
import sys
import time
from argparse import ArgumentParser
from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError

from gallery.catalogue import check_models, prepare_catalogue

STOP_SECONDS = 20.0
# From <linux/prctl.h>.
PR_SET_PDEATHSIG = 1
WEB_THREADS = 8
# A process that ends sooner than this after its start will not run after a restart either.
EARLY_END_SECONDS = 5.0


class Command(BaseCommand):
    help = "Run web and worker, restart what ends, stop both cleanly on SIGTERM or Ctrl-C."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default=settings.GALLERY_HOST)
        parser.add_argument("--port", type=int, default=settings.GALLERY_PORT)

    def handle(self, *args: Any, **options: Any) -> None:
        _check_free(options["host"], options["port"])
        check_models()
        prepare_catalogue()
        address = f"{options['host']}:{options['port']}"
        processes = [
            _Process("web", _web_command(address)),
            _Process("worker", [sys.executable, "manage.py", "worker"]),
        ]
        stopping = False

        def stop(signum: int, frame: object) -> None:
            nonlocal stopping
            stopping = True

        signal.signal(signal.SIGTERM, stop)
        signal.signal(signal.SIGINT, stop)
        self.stdout.write(f"Image Gallery is at http://{address}/ (Ctrl-C stops it)")
        self.stdout.flush()
        try:
            for process in processes:
                process.start()
            while not stopping:
                time.sleep(0.2)
                for process in processes:
                    process.restart_if_ended()
        finally:
            for process in processes:
                process.terminate()
            for process in processes:
                process.wait()


class _Process:
    """One child, started again when it ends by itself."""

    def __init__(self, name: str, command: Sequence[str]) -> None:
        self.name = name
        self._command = command
        self._child: subprocess.Popen[bytes] | None = None
        self._started = 0.0

    def start(self) -> None:
        self._started = time.monotonic()
        # In a session of its own, so that Ctrl-C reaches it once, through this process.
        self._child = subprocess.Popen(
            self._command,
            cwd=settings.BASE_DIR,
            start_new_session=True,
            preexec_fn=_end_with_parent if sys.platform == "linux" else None,
        )

    def restart_if_ended(self) -> None:
        if self._child is None or self._child.poll() is None:
            return
        status = self._child.returncode
        if status > 0 and time.monotonic() - self._started < EARLY_END_SECONDS:
            raise CommandError(f"The {self.name} process could not start (exit status {status}).")
        print(f"The {self.name} process ended ({status}); starting it again.", file=sys.stderr)
        self.start()

    def terminate(self) -> None:
        if self._child is not None and self._child.poll() is None:
            self._child.terminate()

    def wait(self) -> None:
        if self._child is None:
            return
        try:
            self._child.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            # Nothing is lost by this: the next worker takes its batch over.
            self._child.kill()
            self._child.wait()


def _check_free(host: str, port: int) -> None:
    """Raises CommandError where the web process could not listen, which would try for long."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        socket.create_server((host, port), family=family).close()
    except OSError as error:
        raise CommandError(f"{host}:{port} cannot be served: {error.strerror}.") from error


def _end_with_parent() -> None:
    """Have the kernel end a child whose supervisor was killed, so that its port is free again."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def _web_command(address: str) -> list[str]:
    # One process, so that the index is in memory once; NumPy and OpenVINO free its threads.
    return [
        *(sys.executable, "-m", "gunicorn", "gallery.wsgi"),
        *("--bind", address),
        *("--workers", "1", "--threads", str(WEB_THREADS)),
        # Long enough for a large photo to come in over a slow line.
        *("--timeout", "300"),
        *("--log-level", "warning"),
        # It would lie in the home folder, one for all galleries of the machine.
        "--no-control-socket",
    ]
