from __future__ import annotations

from pathlib import Path

import pytest

from detector import ModelMissing, create_detector
from detector.local import LocalDetector
from detector.serving import ServingDetector
from tests.detector.conftest import RunPython

USE_LOCALLY = """
import pathlib, sys
import numpy as np
from detector import create_detector

detector = create_detector("local:", pathlib.Path(sys.argv[1]), threads=1)
assert detector.detect(np.zeros((2, 300, 300, 3), np.uint8)).shape == (2, 20, 6)
create_detector("grpc://localhost:8500", pathlib.Path(sys.argv[1])).close()
print(sorted({"tensorflow", "tensorflow_serving", "django"} & set(sys.modules)))
"""


def test_local_is_the_detector_in_this_process(models_dir: Path) -> None:
    assert isinstance(create_detector("local:", models_dir, threads=1), LocalDetector)


def test_local_without_a_model_says_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(ModelMissing, match="make setup"):
        create_detector("local:", tmp_path)


@pytest.mark.parametrize(
    "url", ["grpc://localhost:8500", "grpc://one:8500,two:8501", "grpc://[::1]:8500"]
)
def test_grpc_is_tensorflow_serving_and_needs_no_local_model(tmp_path: Path, url: str) -> None:
    assert isinstance(create_detector(url, tmp_path), ServingDetector)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "local",
        "local:f16",
        "http://localhost:8501",
        "grpc://",
        "grpc://localhost",
        "grpc://:8500",
        "grpc://localhost:0",
        "grpc://localhost:8500,",
        "grpc://localhost:8500/ssd",
    ],
)
def test_any_other_url_is_refused(tmp_path: Path, url: str) -> None:
    with pytest.raises(ValueError, match="expected local:, local:bf16 or grpc://"):
        create_detector(url, tmp_path)


def test_detecting_imports_neither_tensorflow_nor_django(
    run_python: RunPython, models_dir: Path
) -> None:
    result = run_python("-c", USE_LOCALLY, models_dir)
    assert result.stdout == "[]\n", result.stderr
