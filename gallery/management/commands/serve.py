"""`manage.py serve`: the whole gallery in one command."""

from __future__ import annotations

import ctypes
import signal
import socket
import subprocess
import sys
import time
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management import BaseCommand, CommandError

from gallery.access.binding import Login, check_entrance, login_of
from gallery.access.people import has_owner
from gallery.catalogue import check_models, prepare_catalogue
from gallery.errors import GalleryBusy
from gallery.presence import work_in_gallery

STOP_SECONDS = 20.0
# From <linux/prctl.h>.
PR_SET_PDEATHSIG = 1
# An upload over a slow line keeps its thread for minutes, a dozen of them should not keep everybody
# else waiting. What large photos take in memory is bounded for all threads together.
WEB_THREADS = 32
# A process that ends sooner than this after its start will not run after a restart either.
EARLY_END_SECONDS = 5.0
NO_OWNER = "Nobody can sign in yet: make an owner with `python manage.py create_owner NAME`."


class Command(BaseCommand):
    help = "Run web and worker, restart what ends, stop both cleanly on SIGTERM or Ctrl-C."
    # They would load every page for this process, which shows none.
    requires_system_checks: list[str] = []  # noqa: RUF012 - as Django declares it

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default=settings.GALLERY_HOST)
        parser.add_argument("--port", type=_port, default=settings.GALLERY_PORT)

    def handle(self, *args: Any, **options: Any) -> None:
        host = options["host"].strip("[]")
        login = _check_entrance(host)
        _check_free(host, options["port"])
        check_models()
        try:
            with work_in_gallery(wait=False):
                prepare_catalogue()
                if login == Login.REQUIRED and not has_owner():
                    self.stdout.write(NO_OWNER)
                self._serve(_address(host, options["port"]), login)
        except GalleryBusy as error:
            raise CommandError(str(error)) from error

    def _serve(self, address: str, login: Login) -> None:
        processes = [
            _Process("web", _web_command(address, login)),
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


def _address(host: str, port: int) -> str:
    """Host and port as an address writes them: an IPv6 host in brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _check_entrance(host: str) -> Login:
    """Who has to sign in where this host is served. Raises CommandError."""
    try:
        login = login_of(
            *(settings.GALLERY_LOGIN_SETTING, host),
            *(settings.ALLOWED_HOSTS, settings.BEHIND_TLS_PROXY),
        )
        check_entrance(
            login,
            key_given=settings.SECRET_KEY_GIVEN,
            secret_key=settings.SECRET_KEY,
            hosts_given=settings.ALLOWED_HOSTS_GIVEN,
        )
    except ImproperlyConfigured as error:
        raise CommandError(str(error)) from error
    return login


def _check_free(host: str, port: int) -> None:
    """Raises CommandError where the web process could not listen, which would try for long."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        socket.create_server((host, port), family=family).close()
    except OSError as error:
        raise CommandError(f"{_address(host, port)} cannot be served: {error.strerror}.") from error


def _end_with_parent() -> None:
    """Have the kernel end a child whose supervisor was killed, so that its port is free again."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def _web_command(address: str, login: Login) -> list[str]:
    # One process, so that the index is in memory once; NumPy and OpenVINO free its threads.
    return [
        *(sys.executable, "-m", "gunicorn", "gallery.wsgi"),
        *("--bind", address),
        # Which the web process cannot know from its own settings where --host was given.
        *("--env", f"GALLERY_LOGIN={login}"),
        *("--workers", "1", "--threads", str(WEB_THREADS)),
        # Long enough for a large photo to come in over a slow line.
        *("--timeout", "300"),
        *("--log-level", "warning"),
        # It would lie in the home folder, one for all galleries of the machine.
        "--no-control-socket",
    ]


def _port(text: str) -> int:
    if not text.isdecimal() or not 0 <= int(text) < 65536:
        raise ArgumentTypeError(f"a port is a number from 0 to 65535, not {text!r}")
    return int(text)
