"""Image–text models that somebody plugs in: what fits works, what does not is told why."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from detector import ModelUnusable, create_image_text_model
from detector.image_text.model import ImageTextModel
from tests.image_text_models import OPTIONS, SIDE, make_model

RED, BLUE = (230, 20, 20), (20, 20, 230)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make_model(tmp_path / "model")


def plain(*colours: tuple[int, int, int]) -> np.ndarray[Any, np.dtype[np.uint8]]:
    return np.array([np.full((SIDE, SIDE, 3), colour) for colour in colours], np.uint8)


def test_photos_and_texts_meet_in_one_space(folder: Path) -> None:
    model = create_image_text_model(folder)
    model.check()
    assert model.input.side == SIDE
    assert model.input.frame(200, 100) == (50, 0, 150, 100)
    photos = model.embed(plain(RED, BLUE))
    texts = model.embed_texts(["something RED", "blue"])
    assert photos.scores.shape == (2, 0)
    np.testing.assert_allclose(np.linalg.norm(photos.embedding, axis=1), 1, rtol=1e-5)
    cosines = photos.embedding @ texts.T
    assert cosines[0, 0] > 0.95 > 0.5 > cosines[0, 1]
    assert cosines[1, 1] > 0.95
    neutral = (photos.embedding @ model.embed_texts(model.neutral_phrases).T).max(axis=1)
    found = model.probabilities(cosines, neutral)
    assert found[0, 0] > 0.9 > 0.1 > found[0, 1]


def test_its_id_follows_from_what_makes_vectors_of_photos(folder: Path, tmp_path: Path) -> None:
    again = make_model(tmp_path / "again")
    assert ImageTextModel(again).model_id == ImageTextModel(folder).model_id
    (again / "clip.json").write_text(json.dumps(OPTIONS | {"logit_scale": 20}))
    assert ImageTextModel(again).model_id == ImageTextModel(folder).model_id
    (again / "clip.json").write_text(json.dumps(OPTIONS | {"image": {"resize": "squeeze"}}))
    assert ImageTextModel(again).model_id != ImageTextModel(folder).model_id
    assert ImageTextModel(again).input.frame(200, 100) == (0, 0, 200, 100)


def test_probabilities_of_a_model_with_a_bias_are_its_own(tmp_path: Path) -> None:
    model = ImageTextModel(make_model(tmp_path / "m", options={"logit_bias": -5}))
    cosines = np.array([[0.5], [0.6]], np.float32)
    found = model.probabilities(cosines, np.ones(2, np.float32))
    np.testing.assert_allclose(found[:, 0], [0.5, 1 / (1 + np.exp(-1))], rtol=1e-5)
    assert model.cut_off == 0.05


def without(name: str) -> Callable[[Path], object]:
    return lambda folder: (folder / name).unlink()


def options(**changes: object) -> Callable[[Path], object]:
    return lambda folder: (folder / "clip.json").write_text(json.dumps(OPTIONS | changes))


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (without("image.onnx"), "neither image.onnx nor a SavedModel image/"),
        (without("tokenizer.json"), "there is no tokenizer.json"),
        (lambda folder: (folder / "text.onnx").write_bytes(b"?"), "text.onnx: OpenVINO cannot"),
        (lambda folder: (folder / "text.xml").write_bytes(b"?"), "which of them is meant"),
        (lambda folder: (folder / "tokenizer.json").write_text("{}"), "it is no tokenizer"),
        (lambda folder: (folder / "clip.json").write_text("{"), "cannot be read as JSON"),
        (options(logit=3), "there is no option logit;"),
        (options(image={"resize": "pad"}), "image.resize should be crop or squeeze, is 'pad'"),
        (options(image={"size": 64}), "takes photos of 32×32 pixels, expected was 64×64"),
        (options(image={"mean": 3}), "clip.json"),
        (options(image={"output": "pooled"}), "it has no output pooled; it has"),
        (options(text={"input": "words"}), "it has no input words; it has"),
    ],
)
def test_what_does_not_fit_is_told_in_a_sentence(
    folder: Path, spoil: Callable[[Path], object], sentence: str
) -> None:
    spoil(folder)
    with pytest.raises(ModelUnusable) as refused:
        ImageTextModel(folder).check()
    assert sentence in str(refused.value)


def test_networks_of_two_models_are_told_apart(tmp_path: Path) -> None:
    model = ImageTextModel(make_model(tmp_path / "model", dimensions=4))
    with pytest.raises(ModelUnusable, match="photos have 3 numbers and those of texts 4"):
        model.check()
