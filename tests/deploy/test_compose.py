"""The compose file: by the official schema, and hardened as `docs/deploy.md` says."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from gallery.doctor import EXAMINATIONS
from tests.deploy.files import COMPOSE_FILE, GALLERY, REPOSITORY, SSD, compose, stages

FILLED = compose({"SECRET_KEY": "k" * 40})
SERVICES: dict[str, Any] = FILLED["services"]
OWN = ("migrate", "web", "worker", "ssd")


def test_it_follows_the_official_schema() -> None:
    command = Path(sys.executable).with_name("check-jsonschema")
    run = subprocess.run(
        [command, "--builtin-schema", "vendor.compose-spec", COMPOSE_FILE],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr


def test_the_schema_check_refuses_a_wrong_file(tmp_path: Path) -> None:
    wrong = tmp_path / "docker-compose.yaml"
    wrong.write_text(COMPOSE_FILE.read_text().replace("read_only: true", "read_only: [true]"))
    command = Path(sys.executable).with_name("check-jsonschema")
    run = subprocess.run(
        [command, "--builtin-schema", "vendor.compose-spec", wrong],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 1
    assert "read_only" in run.stdout


def test_it_has_the_three_containers_and_what_serves_them() -> None:
    assert set(SERVICES) == {*OWN, "database"}
    assert SERVICES["database"]["profiles"] == ["postgres"]
    assert not any("profiles" in SERVICES[name] for name in OWN)


@pytest.mark.parametrize("name", SERVICES)
def test_each_container_is_fenced_in(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["mem_limit"]
    assert service["pids_limit"]
    assert "privileged" not in service


@pytest.mark.parametrize("name", [name for name in SERVICES if name != "migrate"])
def test_each_container_that_stays_is_started_again_and_watched(name: str) -> None:
    service = SERVICES[name]
    assert service["restart"] == "unless-stopped"
    dockerfile = SSD if name == "ssd" else GALLERY
    assert "healthcheck" in service or stages(dockerfile)[-1].all("HEALTHCHECK")


def test_the_worker_is_watched_by_the_doctor() -> None:
    [kind, *command] = SERVICES["worker"]["healthcheck"]["test"]
    assert (kind, command[:4]) == ("CMD", ["python", "manage.py", "doctor", "--only"])
    assert set(command[4:]) <= set(EXAMINATIONS)


def test_what_makes_the_tables_runs_once_and_before_the_others() -> None:
    assert SERVICES["migrate"]["restart"] == "no"
    for name in ("web", "worker"):
        condition = SERVICES[name]["depends_on"]["migrate"]["condition"]
        assert condition == "service_completed_successfully"


def test_no_container_runs_as_root() -> None:
    for dockerfile in (GALLERY, SSD):
        assert stages(dockerfile)[-1].last("USER") == "10001:10001"
    assert SERVICES["database"]["user"] == "postgres"


def test_only_the_web_can_be_reached_and_at_first_from_this_machine_only() -> None:
    assert [name for name in SERVICES if "ports" in SERVICES[name]] == ["web"]
    assert SERVICES["web"]["ports"] == ["127.0.0.1:8000:8000"]
    assert FILLED["networks"]["inside"]["internal"] is True
    for name in SERVICES:
        outside = ["outside"] if name == "web" else []
        assert SERVICES[name]["networks"] == ["inside", *outside]


def test_every_volume_has_a_name_and_every_place_that_is_written_to_is_one() -> None:
    mounted = {
        entry.split(":")[0] for service in SERVICES.values() for entry in service.get("volumes", [])
    }
    assert mounted == set(FILLED["volumes"])
    assert SERVICES["web"]["volumes"] == SERVICES["worker"]["volumes"]


def test_secrets_come_from_the_environment_and_the_key_has_to_be_given() -> None:
    with pytest.raises(AssertionError, match=r"Set SECRET_KEY in \.env"):
        compose({})
    raw = compose()["services"]
    assert raw["database"]["environment"]["POSTGRES_PASSWORD"] == "${POSTGRES_PASSWORD:-}"
    assert SERVICES["web"]["environment"]["DEBUG"] == "no"


def test_it_sets_only_variables_that_the_settings_read() -> None:
    tree = ast.parse((REPOSITORY / "gallery" / "settings.py").read_text())
    read = {
        node.args[0].value
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id.startswith("env_")
        and isinstance(node.args[0], ast.Constant)
    }
    assert set(SERVICES["web"]["environment"]) <= read
    assert SERVICES["web"]["environment"] == SERVICES["worker"]["environment"]
