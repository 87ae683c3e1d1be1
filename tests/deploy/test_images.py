"""The Dockerfiles and lock files: what is in the images, and what is not."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from google.protobuf import (  # type: ignore[import-untyped]  # It ships no types.
    descriptor_pb2,
    descriptor_pool,
    message_factory,
    text_format,
    wrappers_pb2,
)

from detector.look_model import LOOK
from detector.predict_messages import MAX_BATCH, MODEL
from tests.deploy.files import GALLERY, REPOSITORY, SSD, Stage, command_of, locked, stages

DOCKERFILES = {"gallery": GALLERY, "ssd": SSD}
SERVING = REPOSITORY / "detector" / "serving"


@pytest.mark.parametrize("name", DOCKERFILES)
def test_hadolint_finds_nothing_in_it(name: str) -> None:
    command = Path(sys.executable).with_name("hadolint")
    run = subprocess.run(
        [command, "--no-color", DOCKERFILES[name]], capture_output=True, text=True, check=False
    )
    assert (run.returncode, run.stdout) == (0, ""), run.stderr


def test_hadolint_does_find_faults(tmp_path: Path) -> None:
    wrong = tmp_path / "Dockerfile"
    wrong.write_text("FROM python\nRUN cd /src\nCOPPY . .\n")
    command = Path(sys.executable).with_name("hadolint")
    assert subprocess.run([command, wrong], capture_output=True, check=False).returncode == 1


@pytest.mark.parametrize("name", DOCKERFILES)
def test_every_image_is_named_with_its_version(name: str) -> None:
    found = stages(DOCKERFILES[name])
    for stage in found:
        assert re.search(r":\d+(\.\d+)+", stage.base), stage.base
    assert found[0].base == stages(SSD)[0].base


def test_the_last_stage_of_ssd_is_tensorflow_serving() -> None:
    assert re.fullmatch(r"tensorflow/serving:2\.\d+\.\d+", stages(SSD)[-1].base)


def test_both_builds_share_the_step_that_installs_tensorflow() -> None:
    first, second = (stages(path)[0].instructions[:3] for path in DOCKERFILES.values())
    assert first == second
    assert "requirements-export.lock" in first[-1][1]


@pytest.mark.parametrize("name", DOCKERFILES)
def test_what_it_copies_is_there_and_sent_to_the_builder(name: str) -> None:
    sent = [
        line[1:]
        for line in (REPOSITORY / ".dockerignore").read_text().splitlines()
        if line.startswith("!")
    ]
    for stage in stages(DOCKERFILES[name]):
        for origin, sources, _ in stage.copies():
            for source in [] if origin else sources:
                assert list(REPOSITORY.glob(source)), source
                assert Path(source).parts[0] in sent, source


def test_code_is_copied_after_packages_and_models() -> None:
    copies = stages(GALLERY)[-1].copies()
    sources = [source for _, found, _ in copies for source in found]
    assert sources[0] == "requirements-web.lock"
    assert sources[-1] == "gallery"
    assert sources.index("/models") < sources.index("manage.py")
    installed = [text for _, text in stages(GALLERY)[-1].instructions].index(
        next(text for text in stages(GALLERY)[-1].all("RUN") if "pip install" in text)
    )
    code = stages(GALLERY)[-1].instructions.index(("COPY", "gallery gallery"))
    assert installed < code


@pytest.mark.parametrize("name", DOCKERFILES)
def test_the_models_can_be_made_from_what_their_stage_copies(name: str, tmp_path: Path) -> None:
    stage: Stage = stages(DOCKERFILES[name])[0]
    stage.lay_out(tmp_path)
    modules = [module for text in stage.all("RUN") for module in re.findall(r"-m (\S+)", text)]
    assert modules
    for module in modules:
        run = subprocess.run(
            [sys.executable, "-m", module, "--help"],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert run.returncode == 0, run.stderr


@pytest.mark.parametrize("part", ["requirements-web.lock", "requirements-export.lock"])
def test_a_part_of_the_lock_file_has_its_versions_and_hashes(part: str) -> None:
    whole, packages = locked("requirements.lock"), locked(part)
    assert len(packages) > 20
    for name, pinned in packages.items():
        assert "--hash=sha256:" in pinned, name
        assert _hashes(pinned) == _hashes(whole[name]), name
        assert pinned.split()[0] == whole[name].split()[0], name


def _hashes(pinned: str) -> set[str]:
    return set(re.findall(r"sha256:[0-9a-f]{64}", pinned))


def test_the_web_image_holds_neither_tensorflow_nor_tools() -> None:
    packages = set(locked("requirements-web.lock"))
    assert {
        "django",
        "gunicorn",
        "grpcio",
        "psycopg",
        "whitenoise",
        "prometheus-client",
    } <= packages
    heavy = {"tensorflow", "keras", "openvino", "pyarrow", "playwright", "pytest"}
    assert not packages & heavy
    assert not [name for name in packages if name.startswith("tensorflow")]


def test_the_lock_files_cover_what_the_project_needs() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    for lock, wanted in (
        ("requirements-web.lock", [*project["dependencies"], *extras["postgres"]]),
        ("requirements-export.lock", [*extras["export"], *extras["local"]]),
    ):
        names = {re.split(r"[\[<>=~ ]", requirement)[0] for requirement in wanted}
        assert names <= set(locked(lock)), lock


# TensorFlow Serving's own definitions, from session_bundle_config.proto and
# monitoring_config.proto, which no package ships.
INT64, BOOL, STRING = ".google.protobuf.Int64Value", "BOOL", "STRING"
BATCHING = {
    "max_batch_size": (1, INT64),
    "batch_timeout_micros": (2, INT64),
    "max_enqueued_batches": (3, INT64),
    "num_batch_threads": (4, INT64),
}
MONITORING = {"prometheus_config": (1, ".config.Prometheus")}
PROMETHEUS = {"enable": (1, BOOL), "path": (2, STRING)}


def parsed(path: Path, message: str) -> object:
    """A configuration file, read by protobuf's own parser of its text format."""
    file = descriptor_pb2.FileDescriptorProto(name="config.proto", package="config")
    file.syntax = "proto3"
    file.dependency.append(wrappers_pb2.DESCRIPTOR.name)
    for name, fields in (
        ("Batching", BATCHING),
        ("Prometheus", PROMETHEUS),
        ("Monitoring", MONITORING),
    ):
        made = file.message_type.add(name=name)
        for field_name, (number, kind) in fields.items():
            field = made.field.add(name=field_name, number=number, label=1)
            if kind.startswith("."):
                field.type, field.type_name = 11, kind
            else:
                field.type = descriptor_pb2.FieldDescriptorProto.Type.Value(f"TYPE_{kind}")
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(wrappers_pb2.DESCRIPTOR.serialized_pb)
    pool.Add(file)
    found = message_factory.GetMessageClass(pool.FindMessageTypeByName(f"config.{message}"))()
    text_format.Parse(path.read_text(), found)
    return found


def test_the_server_takes_batches_as_large_as_the_gallery_sends() -> None:
    batching = parsed(SERVING / "batching.config", "Batching")
    assert batching.max_batch_size.value == MAX_BATCH  # type: ignore[attr-defined]
    assert batching.batch_timeout_micros.value <= 10_000  # type: ignore[attr-defined]


def test_the_server_tells_prometheus_its_figures() -> None:
    monitoring = parsed(SERVING / "monitoring.config", "Monitoring")
    assert monitoring.prometheus_config.enable is True  # type: ignore[attr-defined]


READ_MODELS = """
import sys
from google.protobuf import text_format
from tensorflow_serving.config import model_server_config_pb2

config = text_format.Parse(sys.stdin.read(), model_server_config_pb2.ModelServerConfig())
for model in config.model_config_list.config:
    print(model.name, model.base_path, model.model_platform,
          model.model_version_policy.latest.num_versions)
"""


def test_the_server_has_both_models_and_keeps_the_version_before_the_newest() -> None:
    # In a process of its own, because importing the official stubs loads TensorFlow.
    run = subprocess.run(
        [sys.executable, "-c", READ_MODELS],
        input=(SERVING / "models.config").read_text(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.stdout.splitlines() == [
        f"{name} /models/{name} tensorflow 2" for name in (MODEL, LOOK.name)
    ], run.stderr


def test_the_server_is_given_the_files_that_are_copied() -> None:
    last = stages(SSD)[-1]
    copied = {path.name for path in SERVING.glob("*.config")}
    given = {
        Path(value).name for value in re.findall(r"=(/etc/ssd/\S+)", " ".join(command_of(last)))
    }
    assert given == copied
    assert "--enable_batching=true" in command_of(last)
