"""What the containers are made of, read from their own files."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

REPOSITORY = Path(__file__).resolve().parents[2]
COMPOSE_FILE = REPOSITORY / "docker-compose.yaml"
GALLERY = REPOSITORY / "Dockerfile"
SSD = REPOSITORY / "detector" / "serving" / "Dockerfile"

VARIABLE = re.compile(r"\$\{(?P<name>[A-Z_]+)(?:(?P<kind>:-|:\?)(?P<rest>[^}]*))?\}")


@dataclass
class Stage:
    """One stage of a Dockerfile: its base image and its instructions in order."""

    base: str
    name: str
    instructions: list[tuple[str, str]] = field(default_factory=list)

    def all(self, kind: str) -> list[str]:
        return [text for found, text in self.instructions if found == kind]

    def last(self, kind: str) -> str:
        return self.all(kind)[-1]

    def copies(self) -> list[tuple[str, list[str], str]]:
        """(stage it comes from, "" for the repository; sources; target) of each COPY."""
        found = []
        for text in self.all("COPY"):
            words = shlex.split(text)
            options = [word for word in words if word.startswith("--")]
            [*sources, target] = [word for word in words if not word.startswith("--")]
            origin = [word.removeprefix("--from=") for word in options if "--from=" in word]
            found.append((origin[0] if origin else "", sources, target))
        return found

    def lay_out(self, folder: Path) -> None:
        """Copy into a folder what this stage copies from the repository into its WORKDIR."""
        for origin, sources, target in self.copies():
            if origin or target.startswith("/"):
                continue
            for source in sources:
                for path in REPOSITORY.glob(source):
                    _copy(path, folder / target, into=target.endswith(("/", ".")))


def stages(dockerfile: Path) -> list[Stage]:
    text = re.sub(r"^#.*\n", "", dockerfile.read_text(), flags=re.MULTILINE).replace("\\\n", " ")
    lines = [line.split(maxsplit=1) for line in text.splitlines() if line.strip()]
    arguments: dict[str, str] = {}
    found: list[Stage] = []
    for kind, rest in lines:
        if kind == "ARG":
            name, _, default = rest.partition("=")
            arguments[name] = default
        elif kind == "FROM":
            base, *alias = rest.split()
            base = re.sub(r"\$\{(\w+)\}", lambda match: arguments[match[1]], base)
            found.append(Stage(base, alias[1] if alias else ""))
        else:
            found[-1].instructions.append((kind, " ".join(rest.split())))
    return found


def compose(environment: Mapping[str, str] | None = None) -> dict[str, Any]:
    """The compose file; with an environment, with its variables filled in as compose does."""
    text = COMPOSE_FILE.read_text()
    if environment is not None:
        given = environment

        def fill(match: re.Match[str]) -> str:
            value = given.get(match["name"], "")
            assert value or match["kind"] != ":?", match["rest"]
            return value or (match["rest"] if match["kind"] == ":-" else "")

        text = VARIABLE.sub(fill, text)
    found: dict[str, Any] = yaml.safe_load(text)
    return found


def compose_variables() -> set[str]:
    return {match["name"] for match in VARIABLE.finditer(COMPOSE_FILE.read_text())}


def command_of(stage: Stage) -> list[str]:
    command: list[str] = json.loads(stage.last("CMD"))
    return command


def locked(lock_file: str) -> dict[str, str]:
    """Version and hashes by name of each package that a lock file has."""
    text = (REPOSITORY / lock_file).read_text()
    entries = re.findall(
        r"^([a-z0-9][\w.-]*)==(.*?)(?=^[a-z0-9]|\Z)", text, re.MULTILINE | re.DOTALL
    )
    return {name: re.sub(r"^ +#.*\n", "", rest, flags=re.MULTILINE) for name, rest in entries}


def _copy(path: Path, target: Path, *, into: bool) -> None:
    if path.is_dir():
        for file in path.rglob("*"):
            if file.is_file() and "__pycache__" not in file.parts:
                _copy(file, target / file.relative_to(path), into=False)
        return
    place = target / path.name if into else target
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(path.read_bytes())
