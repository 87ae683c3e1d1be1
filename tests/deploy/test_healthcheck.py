"""The health check of `ssd`, a shell script, against servers that answer as it does or do not."""

from __future__ import annotations

import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.deploy.files import REPOSITORY

SCRIPT = REPOSITORY / "detector" / "serving" / "healthcheck.sh"
# As TensorFlow Serving writes it.
STATUS = """{
 "model_version_status": [
  {
   "version": "1",
   "state": "%s",
   "status": {
    "error_code": "OK",
    "error_message": ""
   }
  }
 ]
}
"""


@contextmanager
def server(status: int, body: str) -> Iterator[int]:
    """The port of a server that gives one answer to the path of the model's status."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            known = self.path == "/v1/models/ssd"
            self.send_response(status if known else 404)
            self.send_header("Content-Length", str(len(body) if known else 0))
            self.end_headers()
            if known:
                self.wfile.write(body.encode())

        def log_message(self, *arguments: object) -> None:
            pass

    listener = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=listener.serve_forever, daemon=True).start()
    try:
        yield listener.server_address[1]
    finally:
        listener.shutdown()
        listener.server_close()


def is_healthy(port: int) -> bool:
    run = subprocess.run([SCRIPT, str(port)], capture_output=True, timeout=20, check=False)
    return run.returncode == 0


def test_a_server_with_an_available_version_is_healthy() -> None:
    with server(200, STATUS % "AVAILABLE") as port:
        assert is_healthy(port)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, STATUS % "LOADING"),
        (404, '{"error": "Could not find any versions of model ssd"}'),
        (500, ""),
    ],
)
def test_any_other_answer_is_not(status: int, body: str) -> None:
    with server(status, body) as port:
        assert not is_healthy(port)


def test_no_answer_is_not() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port: int = silent.getsockname()[1]
        assert not is_healthy(port)
    assert not is_healthy(port)
