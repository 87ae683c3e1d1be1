from __future__ import annotations

from pathlib import Path

import pytest

from featurestore.current_model import (
    MODELS_FILE,
    ModelChoice,
    read_model_choice,
    write_first_choice,
    write_model_choice,
)
from featurestore.errors import SegmentDamaged


def test_the_first_choice_stays_until_another_is_made(tmp_path: Path) -> None:
    assert read_model_choice(tmp_path) is None
    write_first_choice(tmp_path, "model-1")
    write_first_choice(tmp_path, "model-2")
    first = read_model_choice(tmp_path)
    assert first == ModelChoice("model-1")
    write_model_choice(tmp_path, first.switched_to("model-2"))
    assert read_model_choice(tmp_path) == ModelChoice("model-2", "model-1")


def test_a_choice_of_an_older_gallery_counts(tmp_path: Path) -> None:
    (tmp_path / MODELS_FILE).write_text('{"current": "model-2", "previous": "model-1"}')
    assert read_model_choice(tmp_path) == ModelChoice("model-2", "model-1")


def test_a_damaged_choice_is_found_and_stops_nobody_who_stores(tmp_path: Path) -> None:
    write_first_choice(tmp_path, "model-1")
    path = tmp_path / MODELS_FILE
    path.write_text(path.read_text().replace("model-1", "model-3"))
    with pytest.raises(SegmentDamaged):
        read_model_choice(tmp_path)
    damaged = path.read_text()
    write_first_choice(tmp_path, "model-2")
    assert path.read_text() == damaged
