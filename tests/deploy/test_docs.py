"""`docs/deploy.md` says what is so: every variable, every metric, and snippets that work."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from django.core.management import get_commands
from prometheus_client.parser import text_string_to_metric_families

from gallery.doctor import EXAMINATIONS
from gallery.metrics import metrics_text
from tests.deploy.files import COMPOSE_FILE, REPOSITORY, compose_variables

DEPLOY = (REPOSITORY / "docs" / "deploy.md").read_text()


def section(heading: str) -> str:
    """The text below a heading, up to the next of its kind."""
    level = heading.split()[0]
    found = re.search(
        rf"^{re.escape(heading)}\n(.*?)(?=^{level} |\Z)", DEPLOY, re.MULTILINE | re.DOTALL
    )
    assert found, heading
    return found[1]


def rows(text: str) -> list[list[str]]:
    """The cells of all rows of the tables in a text."""
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def names(cell: str) -> list[str]:
    return re.findall(r"`([A-Z_]+)`", cell)


def variables_that_the_settings_read() -> dict[str, object]:
    """Name and, where it is a plain value, default of each `env_…(name, default)`."""
    tree = ast.parse((REPOSITORY / "gallery" / "settings.py").read_text())
    found: dict[str, object] = {}
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id.startswith("env_")
        ):
            name, default = node.args
            assert isinstance(name, ast.Constant), "a variable's name is written out"
            found[str(name.value)] = default.value if isinstance(default, ast.Constant) else None
    return found


def documented() -> dict[str, str]:
    """The default of each variable in the tables of settings."""
    found: dict[str, str] = {}
    for row in rows(section("## Settings")):
        for place, name in enumerate(names(row[0])):
            assert name not in found, f"{name} is documented twice"
            defaults = row[1].split(", ") if len(names(row[0])) > 1 else [row[1]]
            found[name] = defaults[place]
    return found


def test_every_variable_is_documented_and_no_other() -> None:
    assert set(documented()) == set(variables_that_the_settings_read()) | compose_variables()


@pytest.mark.parametrize(
    ("name", "default"),
    [
        (name, default)
        for name, default in variables_that_the_settings_read().items()
        if default not in (None, "")
    ],
)
def test_a_documented_default_is_that_of_the_code(name: str, default: object) -> None:
    text = {True: "yes", False: "no"}.get(default, default) if default in (True, False) else default
    assert documented()[name].startswith(f"`{text}`")


def test_defaults_of_the_compose_file_are_those_it_documents() -> None:
    defaults = dict(re.findall(r"\$\{([A-Z_]+):-([^}]*)\}", COMPOSE_FILE.read_text()))
    for name in compose_variables() - set(variables_that_the_settings_read()):
        told = documented()[name]
        assert told == (f"`{defaults[name]}`" if defaults[name] else "none"), name


def test_the_readme_leaves_the_table_to_it() -> None:
    readme = (REPOSITORY / "README.md").read_text()
    assert "docs/deploy.md#settings" in readme


def test_every_metric_is_documented_and_no_other(db: None, gallery_data: Path) -> None:
    told = set(re.findall(r"`(gallery_[a-z_]+)", section("## Watching it")))
    text = metrics_text().decode()
    families = {family.name for family in text_string_to_metric_families(text)}
    ours = {name for name in families if name.startswith("gallery_")}
    assert {name.removesuffix("_total") for name in told} == ours


def test_everything_that_the_doctor_looks_at_is_named() -> None:
    [sentence] = [text for text in section("## Watching it").split("\n\n") if "doctor`" in text]
    for name in EXAMINATIONS:
        assert name in sentence, name


def test_every_command_that_it_names_is_there() -> None:
    named = set(re.findall(r"manage\.py ([a-z_]+)", DEPLOY))
    assert len(named) > 5
    assert named <= set(get_commands())


def snippets(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", DEPLOY, re.MULTILINE | re.DOTALL)


def test_the_override_for_a_gpu_follows_the_official_schema(tmp_path: Path) -> None:
    [override] = [text for text in snippets("yaml") if text.startswith("services:")]
    path = tmp_path / "docker-compose.override.yaml"
    path.write_text(override)
    command = Path(sys.executable).with_name("check-jsonschema")
    run = subprocess.run(
        [command, "--builtin-schema", "vendor.compose-spec", path],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout
    assert set(yaml.safe_load(override)["services"]) == {"ssd"}


def test_prometheus_asks_where_the_figures_are() -> None:
    [text] = [text for text in snippets("yaml") if text.startswith("scrape_configs:")]
    jobs = {job["job_name"]: job for job in yaml.safe_load(text)["scrape_configs"]}
    assert jobs["gallery"]["static_configs"] == [{"targets": ["web:8000"]}]
    monitoring = (REPOSITORY / "detector" / "serving" / "monitoring.config").read_text()
    assert f'path: "{jobs["ssd"]["metrics_path"]}"' in monitoring


def test_every_file_and_page_that_it_names_is_there() -> None:
    for target in re.findall(r"\]\(([^)#]+)", DEPLOY):
        assert (REPOSITORY / "docs" / target).exists(), target
    for path in re.findall(r"`((?:detector|gallery|docs)/[\w/.-]+)`", DEPLOY):
        assert (REPOSITORY / path).exists(), path
