"""Log lines: one line of JSON each, with the id of the request they belong to."""

from __future__ import annotations

import io
import json
import logging
import subprocess
import sys
from pathlib import Path

import pytest
from django.test import Client

from gallery.logs import JsonFormatter, RequestIdFilter, request_id
from tests.gallery.served_gallery import REPOSITORY, free_port, own_environment


def logged(record: logging.LogRecord) -> dict[str, object]:
    RequestIdFilter().filter(record)
    line = JsonFormatter().format(record)
    assert "\n" not in line
    found: dict[str, object] = json.loads(line)
    return found


def record(message: str, *arguments: object, **more: object) -> logging.LogRecord:
    made = logging.makeLogRecord({"name": "gallery.ingest", "levelname": "ERROR", **more})
    made.msg, made.args = message, arguments
    return made


def test_a_line_has_time_level_logger_message_and_request() -> None:
    token = request_id.set("abc-1")
    line = logged(record("Storing %d images failed: %s", 3, "no «room»\n", created=0.5))
    request_id.reset(token)
    assert line == {
        "time": "1970-01-01T00:00:00.500+00:00",
        "level": "ERROR",
        "logger": "gallery.ingest",
        "message": "Storing 3 images failed: no «room»\n",
        "request_id": "abc-1",
    }


def test_a_failure_is_one_line_with_its_traceback() -> None:
    try:
        raise ValueError("twice\ntwo lines")
    except ValueError as error:
        line = logged(record("It failed.", exc_info=(type(error), error, error.__traceback__)))
    assert str(line["exception"]).startswith("Traceback")
    assert line["request_id"] == "-"


def test_each_answer_has_the_id_that_its_log_line_has(
    client: Client, gallery_data: Path, db: None, caplog: pytest.LogCaptureFixture
) -> None:
    ids: list[object] = []
    caplog.handler.addFilter(RequestIdFilter())
    with caplog.at_level(logging.INFO, "gallery.requests"):
        ids += [client.get("/photos/?page=1&secret=x")["X-Request-ID"] for _ in range(2)]
    assert ids[0] != ids[1]
    lines = [
        logged_as_it_was(found) for found in caplog.records if found.name == "gallery.requests"
    ]
    assert [line["request_id"] for line in lines] == ids
    assert {key: lines[0][key] for key in ("method", "path", "view", "status")} == {
        "method": "GET",
        "path": "/photos/",
        "view": "photos",
        "status": 200,
    }
    assert "secret" not in json.dumps(lines)


@pytest.mark.parametrize(("log_format", "is_json"), [("json", True), ("line", False)])
def test_why_gunicorn_cannot_start_is_told_in_the_same_format(
    tmp_path: Path, log_format: str, is_json: bool
) -> None:
    # A login is demanded, and the key is too short for one.
    environment = {"LOG_FORMAT": log_format, "GALLERY_LOGIN": "required", "SECRET_KEY": "short"}
    run = subprocess.run(
        [
            *(sys.executable, "-m", "gunicorn", "gallery.wsgi", "--no-control-socket"),
            *("--bind", f"127.0.0.1:{free_port()}", "--log-level", "error"),
            *("--logger-class", "gallery.gunicorn_logger.GunicornLogger"),
        ],
        cwd=REPOSITORY,
        env=own_environment(tmp_path) | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert run.returncode != 0
    assert "it needs a SECRET_KEY" in run.stderr
    lines = [line for line in run.stderr.splitlines() if line.startswith("{")]
    told = [line for line in map(json.loads, lines) if "exception" in line]
    assert bool(told) == is_json
    assert all("it needs a SECRET_KEY" in line["exception"] for line in told)


def logged_as_it_was(found: logging.LogRecord) -> dict[str, object]:
    line: dict[str, object] = json.loads(JsonFormatter().format(found))
    return line


def test_a_refusal_is_logged_with_the_id_of_its_request(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.handler.addFilter(RequestIdFilter())
    answer = client.get("/no-such-address", headers={"X-Request-ID": "proxy-17"})
    assert answer.status_code == 404
    [line] = [found for found in caplog.records if found.name == "django.request"]
    assert logged_as_it_was(line)["request_id"] == "proxy-17"
    assert request_id.get() == "-"


def test_a_wrong_host_is_told_so_and_is_one_line_of_the_log(client: Client) -> None:
    [handler] = [each for each in logging.getLogger().handlers if each.name == "stderr"]
    assert isinstance(handler, logging.StreamHandler)
    written = io.StringIO()
    stderr = handler.setStream(written)
    answer = client.get("/", headers={"host": "elsewhere.example"})
    handler.setStream(stderr)
    assert answer.status_code == 400
    assert "The gallery does not answer to the name in this address." in answer.content.decode()
    [line] = written.getvalue().splitlines()
    assert "Invalid HTTP_HOST header: 'elsewhere.example'" in line


@pytest.mark.parametrize(
    ("given", "is_kept"), [("proxy-17.a_b", True), ("a b", False), ("x" * 65, False), ("", False)]
)
def test_a_proxys_id_is_kept_where_it_is_one(client: Client, given: str, is_kept: bool) -> None:
    answered = client.get("/healthz", headers={"X-Request-ID": given})["X-Request-ID"]
    assert (answered == given) == is_kept
    assert answered
