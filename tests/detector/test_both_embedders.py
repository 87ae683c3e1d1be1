"""What holds for `LocalEmbedder` and for `ServingEmbedder` alike, and that they agree."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from detector import DetectorError, Embedder, create_embedder
from detector.errors import BadDetectorAnswer, DetectorUnavailable, ModelMissing
from detector.local_embedder import LocalEmbedder
from detector.look_model import LOOK_MODEL_ID
from detector.looks import LookImages, check_looks, look_frame
from detector.serving import ServingEmbedder
from tests.detector.protocol_process import ProtocolServer

GOLDEN = Path(__file__).with_name("data") / "golden_look.npz"
#: The number of the photo in `look_batch` that the golden answer is of.
CAT = 1
#: What float32 may differ by between two frameworks: embeddings go up to 6, scores to 1.
EMBEDDING_TOLERANCE = 1e-4
SCORE_TOLERANCE = 1e-5
#: What bfloat16 may: the cosine of two embeddings of one photo.
LEAST_COSINE = 0.99
#: Numbers of ImageNet's classes.
CATS, ESPRESSO = range(281, 286), 967


def cosines(found: NDArray[np.float32], expected: NDArray[np.float32]) -> NDArray[np.float32]:
    lengths = np.linalg.norm(found, axis=1) * np.linalg.norm(expected, axis=1)
    return np.asarray((found * expected).sum(axis=1) / lengths, np.float32)


def test_it_answers_as_the_original_network_in_pytorch_did(
    models_dir: Path, serving_embedder: ServingEmbedder, look_batch: LookImages
) -> None:
    golden = np.load(GOLDEN)
    for embedder in (create_embedder("local:f32", models_dir, threads=1), serving_embedder):
        looks = embedder.embed(look_batch[CAT : CAT + 1])
        np.testing.assert_allclose(
            looks.embedding, golden["embedding"], rtol=0, atol=EMBEDDING_TOLERANCE
        )
        np.testing.assert_allclose(looks.scores, golden["scores"], rtol=0, atol=SCORE_TOLERANCE)


def test_it_knows_what_a_photo_shows(embedder: Embedder, look_batch: LookImages) -> None:
    best = embedder.embed(look_batch).scores.argmax(axis=1)
    assert best[CAT] in CATS
    assert best[CAT + 1] == ESPRESSO


def test_its_answers_are_looks(embedder: Embedder, look_batch: LookImages) -> None:
    looks = check_looks(embedder.embed(look_batch), len(look_batch))
    assert looks.embedding.min() >= 0
    assert looks.embedding.max() <= 6


def test_it_answers_no_images_with_no_looks(embedder: Embedder, look_batch: LookImages) -> None:
    looks = embedder.embed(look_batch[:0])
    assert (looks.embedding.shape, looks.scores.shape) == ((0, 1280), (0, 1000))


def test_many_batches_keep_the_order_of_their_images(
    embedder: Embedder, look_batch: LookImages
) -> None:
    order = np.arange(75) % len(look_batch)
    together = embedder.embed(look_batch[order]).embedding
    alone = np.concatenate([embedder.embed(image[np.newaxis]).embedding for image in look_batch])
    assert cosines(together, alone[order]).min() > LEAST_COSINE


def test_it_takes_images_that_do_not_lie_in_order(
    embedder: Embedder, look_batch: LookImages
) -> None:
    mirrored = look_batch[:, :, ::-1]
    found = embedder.embed(mirrored).embedding
    assert cosines(found, embedder.embed(mirrored.copy()).embedding).min() > 0.9999


def test_it_refuses_images_of_another_size(embedder: Embedder) -> None:
    with pytest.raises(ValueError, match=r"got uint8 \(1, 300, 300, 3\)"):
        embedder.embed(np.zeros((1, 300, 300, 3), np.uint8))


def test_several_threads_may_ask_at_once(embedder: Embedder, look_batch: LookImages) -> None:
    images = [image[np.newaxis] for image in look_batch] * 4
    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(embedder.embed, images))
    expected = np.concatenate([embedder.embed(look_batch).embedding] * 4)
    assert cosines(np.concatenate([one.embedding for one in found]), expected).min() > LEAST_COSINE


def test_its_model_id_names_network_and_data(embedder: Embedder) -> None:
    assert embedder.model_id == LOOK_MODEL_ID
    assert LOOK_MODEL_ID.startswith("efficientnet-lite0-imagenet-1-")


def test_one_that_can_embed_says_so(embedder: Embedder) -> None:
    embedder.check()


def test_a_closed_one_says_so_and_may_be_closed_again(
    closed_embedder: Embedder, look_batch: LookImages
) -> None:
    closed_embedder.close()
    with pytest.raises(DetectorError, match="this embedder was closed"):
        closed_embedder.embed(look_batch)
    with pytest.raises(DetectorError, match="this embedder was closed"):
        closed_embedder.check()


def test_both_find_the_same_whatever_they_compute_in(
    local_embedder: LocalEmbedder, serving_embedder: ServingEmbedder, look_batch: LookImages
) -> None:
    ours, theirs = (each.embed(look_batch) for each in (local_embedder, serving_embedder))
    assert cosines(ours.embedding, theirs.embedding).min() > LEAST_COSINE


def test_a_server_that_is_down_is_named(protocol_server: ProtocolServer) -> None:
    embedder = ServingEmbedder([protocol_server.address], deadline=1.0)
    with (
        protocol_server.down(),
        pytest.raises(DetectorUnavailable, match=f"the embedder at {protocol_server.address} is"),
    ):
        embedder.embed(np.zeros((1, 224, 224, 3), np.uint8))


@pytest.mark.parametrize("fault", ["garbage", "wrong-shape", "half-a-batch"])
def test_a_faulty_answer_is_never_taken_for_looks(
    protocol_server: ProtocolServer, serving_embedder: ServingEmbedder, fault: str
) -> None:
    with protocol_server.fault(fault), pytest.raises(BadDetectorAnswer):
        serving_embedder.embed(np.zeros((2, 224, 224, 3), np.uint8))


def test_a_url_names_an_embedder(models_dir: Path, tmp_path: Path) -> None:
    assert isinstance(create_embedder("local:", models_dir, threads=1), LocalEmbedder)
    assert isinstance(create_embedder("grpc://one:8500,two:8501", tmp_path), ServingEmbedder)
    with pytest.raises(ModelMissing, match="make setup"):
        create_embedder("local:", tmp_path)
    for url in ("", "local", "off:", "grpc://", "http://localhost:8501"):
        with pytest.raises(ValueError, match="expected local:, local:f32 or grpc://"):
            create_embedder(url, tmp_path)


@pytest.mark.parametrize(
    ("size", "frame"),
    [
        ((100, 100), (0, 0, 100, 100)),
        ((400, 100), (100, 0, 300, 100)),
        ((100, 400), (0, 100, 100, 300)),
        ((1, 9), (0, 3, 1, 6)),
    ],
)
def test_of_the_longer_side_the_middle_is_looked_at(
    size: tuple[int, int], frame: tuple[float, float, float, float]
) -> None:
    assert look_frame(*size) == pytest.approx(frame)
