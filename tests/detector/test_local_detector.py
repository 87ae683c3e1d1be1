from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from detector.detections import Images
from detector.errors import ModelMissing
from detector.labels import ID_BY_NAME
from detector.local import LocalDetector
from detector.model_files import MODEL_ID, SSD, write_manifest


def test_bfloat16_finds_the_same_objects_under_another_model_id(
    models_dir: Path, photos: dict[str, Images]
) -> None:
    detector = LocalDetector(models_dir, threads=1, precision="bf16")
    best = detector.detect(np.stack(list(photos.values())))[:, 0]
    assert best[:, 0].tolist() == [ID_BY_NAME[name] for name in photos]
    assert detector.model_id == f"{MODEL_ID}-bf16"


def test_it_says_what_to_run_when_there_is_no_model(tmp_path: Path) -> None:
    with pytest.raises(ModelMissing, match="run `make setup`") as caught:
        LocalDetector(tmp_path)
    assert isinstance(caught.value, FileNotFoundError)
    assert caught.value.path == tmp_path


def test_it_says_what_to_run_when_the_model_is_damaged(tmp_path: Path) -> None:
    (tmp_path / SSD.ir_file).parent.mkdir(parents=True)
    (tmp_path / SSD.ir_file).write_text("<net")
    write_manifest(tmp_path)
    with pytest.raises(ModelMissing, match="run `make setup`"):
        LocalDetector(tmp_path)


def test_nothing_is_loaded_that_reports_to_the_maker_of_openvino() -> None:
    script = (
        "import sys\n"
        "import detector.local\n"
        "print([name for name in sys.modules if 'telemetry' in name or name.endswith('.ovc.main')])"
    )
    found = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert found.stdout.strip() == "[]"
