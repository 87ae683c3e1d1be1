from __future__ import annotations

import socket
import time

import grpc
import numpy as np
import pytest

from detector.detections import Detections, Images
from detector.errors import BadDetectorAnswer, DetectorUnavailable, RequestRefused
from detector.local import LocalDetector
from detector.model_files import MODEL_ID
from detector.serving import ServingDetector
from tests.detector.conftest import PredictResponse, StartServer

IMAGE = np.zeros((1, 300, 300, 3), np.uint8)
UNAVAILABLE = grpc.StatusCode.UNAVAILABLE


@pytest.fixture
def answer() -> Detections:
    rows = np.zeros((1, 200, 6), np.float32)
    rows[0, 0] = [17, 0.9, 10, 20, 110, 220]
    return rows


@pytest.fixture
def free_address() -> str:
    """An address where nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{taken.getsockname()[1]}"


def test_the_saved_model_gives_the_detections_of_the_local_detector(
    serving_detector: ServingDetector, local_detector: LocalDetector, batch: Images
) -> None:
    served, local = serving_detector.detect(batch), local_detector.detect(batch)
    np.testing.assert_allclose(served[..., 1], local[..., 1], atol=1e-3)
    # Where two scores are as good as equal, their rows may change places.
    clear = local[..., 1] > 0.1
    np.testing.assert_array_equal(served[clear][:, 0], local[clear][:, 0])
    np.testing.assert_allclose(served[clear][:, 2:], local[clear][:, 2:], atol=0.1)


def test_it_sends_more_images_than_a_batch_holds(
    serving_detector: ServingDetector, batch: Images
) -> None:
    images = np.concatenate([batch] * 8)
    found = serving_detector.detect(images)
    assert found.shape == (40, 20, 6)
    np.testing.assert_allclose(found[-5:], found[:5], atol=1e-2)


def test_it_answers_no_images_with_no_detections(serving_detector: ServingDetector) -> None:
    assert serving_detector.detect(IMAGE[:0]).shape == (0, 20, 6)


def test_its_model_id_is_that_of_the_local_detector(serving_detector: ServingDetector) -> None:
    assert serving_detector.model_id == MODEL_ID


def test_a_model_without_an_id_is_called_by_its_version(
    scripted_server: StartServer, predict_response: PredictResponse, answer: Detections
) -> None:
    version_7 = b"\x12\x04\x12\x02\x08\x07"
    server = scripted_server(grpc.StatusCode.INVALID_ARGUMENT, predict_response(answer) + version_7)
    assert ServingDetector([server.address]).model_id == "ssd-7"


def test_a_server_that_is_down_is_unavailable_within_the_deadline(free_address: str) -> None:
    detector = ServingDetector([free_address], deadline=1.0)
    start = time.monotonic()
    with pytest.raises(DetectorUnavailable, match=free_address) as caught:
        detector.detect(IMAGE)
    assert time.monotonic() - start < 2.0
    assert caught.value.retryable
    assert isinstance(caught.value, ConnectionError)


def test_a_server_that_hangs_is_unavailable_within_the_deadline() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        detector = ServingDetector([address], deadline=1.0, attempt_deadline=0.4)
        start = time.monotonic()
        with pytest.raises(DetectorUnavailable):
            detector.detect(IMAGE)
        assert time.monotonic() - start < 2.0


def test_it_asks_again_when_a_server_is_unavailable_for_a_moment(
    scripted_server: StartServer, predict_response: PredictResponse, answer: Detections
) -> None:
    server = scripted_server(UNAVAILABLE, UNAVAILABLE, predict_response(answer))
    found = ServingDetector([server.address]).detect(IMAGE)
    np.testing.assert_array_equal(found, answer[:, :20])
    assert len(server.requests) == 3


def test_it_asks_the_next_server_when_one_is_down(
    free_address: str,
    scripted_server: StartServer,
    predict_response: PredictResponse,
    answer: Detections,
) -> None:
    server = scripted_server(predict_response(answer))
    found = ServingDetector([free_address, server.address]).detect(IMAGE)
    np.testing.assert_array_equal(found, answer[:, :20])


def test_it_does_not_repeat_a_request_that_was_refused(scripted_server: StartServer) -> None:
    server = scripted_server(grpc.StatusCode.INVALID_ARGUMENT)
    with pytest.raises(RequestRefused, match="INVALID_ARGUMENT: as told"):
        ServingDetector([server.address]).detect(IMAGE)
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("shape", "got"),
    [((1, 20, 6), "(1, 20, 6)"), ((2, 200, 6), "(2, 200, 6)"), ((6,), "(6,)")],
)
def test_an_answer_of_another_shape_is_bad(
    scripted_server: StartServer,
    predict_response: PredictResponse,
    shape: tuple[int, ...],
    got: str,
) -> None:
    server = scripted_server(predict_response(np.zeros(shape, np.float32)))
    with pytest.raises(BadDetectorAnswer) as caught:
        ServingDetector([server.address]).detect(IMAGE)
    assert "expected float32 (1, 200, 6)" in str(caught.value)
    assert got in str(caught.value)


def test_an_answer_that_is_not_finite_is_bad(
    scripted_server: StartServer, predict_response: PredictResponse, answer: Detections
) -> None:
    answer[0, 0, 3] = np.nan
    server = scripted_server(predict_response(answer))
    with pytest.raises(BadDetectorAnswer, match="finite"):
        ServingDetector([server.address]).detect(IMAGE)


def test_an_answer_of_another_dtype_is_bad(
    scripted_server: StartServer, predict_response: PredictResponse, answer: Detections
) -> None:
    server = scripted_server(predict_response(answer.astype(np.float64), dtype=2))
    with pytest.raises(BadDetectorAnswer, match="expected TensorFlow dtype 1, got 2"):
        ServingDetector([server.address]).detect(IMAGE)


def test_boxes_that_hang_over_the_border_are_clipped(
    scripted_server: StartServer, predict_response: PredictResponse, answer: Detections
) -> None:
    answer[0, 0, 2:] = [-4, -1, 310, 305]
    server = scripted_server(predict_response(answer))
    found = ServingDetector([server.address]).detect(IMAGE)
    assert found[0, 0, 2:].tolist() == [0, 0, 300, 300]


def test_it_needs_an_address() -> None:
    with pytest.raises(ValueError, match="at least one"):
        ServingDetector([])
