"""What looks are compared in by default, and what their scores mean."""

from __future__ import annotations

import numpy as np
import pytest

from detector.common_look import common_look, read_common_look
from detector.export.look_package import find_weights
from detector.export.torch_weights import read_weights
from detector.look_model import LOOK_MODEL_ID
from featurestore.look_space import CHANCE_SCORES, PLAIN, LookSpace, chances_in, chances_of
from gallery.common_look import default_look_space


def test_what_looks_have_in_common_follows_from_the_weights_of_the_classifier() -> None:
    weights = read_weights(find_weights())["_fc.weight"]
    np.testing.assert_allclose(read_common_look(), common_look(weights), atol=1e-5)
    # Whatever is added along it, no class gains on another.
    assert np.ptp(weights @ read_common_look()) < 1e-5


def test_looks_are_compared_by_what_sets_them_apart() -> None:
    embedding = np.random.default_rng(3).gamma(0.4, 1, (2, 1280)).astype(np.float32)
    space = default_look_space(LOOK_MODEL_ID)
    vectors = space.vectors(embedding)
    np.testing.assert_allclose(vectors @ read_common_look(), 0, atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, rtol=1e-5)
    assert default_look_space("another-1") is PLAIN
    assert space.name != PLAIN.name


def test_a_score_says_the_same_of_chance_in_every_space() -> None:
    cosines = np.random.default_rng(4).normal(0.2, 0.1, 100_000).astype(np.float32)
    space = LookSpace("made", chances=chances_of(cosines))
    scores = space.scores(cosines)
    assert [float((scores > each).mean()) for each in CHANCE_SCORES[1:]] == pytest.approx(
        [0.05, 0.01], abs=1e-4
    )
    assert space.scores(np.array([-1, 0.2, 1], np.float32)).tolist() == pytest.approx(
        [0, 0, 1], abs=0.01
    )
    # Two photos that look the same are chance enough.
    assert chances_in(chances_of(np.ones(1, np.float32)))
    for wrong in ((0.3, 0.2, 0.4), (0.1, 0.2, 1.0), (0.1, float("nan"), 0.4), (0.1, 0.2)):
        with pytest.raises(ValueError, match=r"rising|values to unpack"):
            chances_in(wrong)
