from __future__ import annotations

import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import grpc
import numpy as np
import pytest

from detector.detections import Detections
from detector.errors import (
    BadDetectorAnswer,
    DetectorError,
    DetectorUnavailable,
    ModelNotServed,
    RequestRefused,
)
from detector.model_files import MODEL_ID
from detector.serving import ServingDetector
from detector.serving.connection import MAX_MESSAGE_BYTES
from tests.detector.conftest import PredictResponse, StartServer
from tests.detector.protocol_process import ProtocolServer

IMAGE = np.zeros((1, 300, 300, 3), np.uint8)
UNAVAILABLE = grpc.StatusCode.UNAVAILABLE
#: The field `model_spec` of an answer from version 7 of the model.
VERSION_7 = b"\x12\x04\x12\x02\x08\x07"


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


def test_a_model_without_an_id_is_called_by_its_version(
    scripted_server: StartServer, predict_response: PredictResponse, answer: Detections
) -> None:
    server = scripted_server(grpc.StatusCode.INVALID_ARGUMENT, predict_response(answer) + VERSION_7)
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


def test_a_slow_server_is_asked_again_and_then_given_up(
    protocol_server: ProtocolServer,
) -> None:
    detector = ServingDetector([protocol_server.address], deadline=1.0, attempt_deadline=0.4)
    with (
        protocol_server.fault("slow"),
        pytest.raises(DetectorUnavailable, match="DEADLINE_EXCEEDED"),
    ):
        detector.detect(IMAGE)


def test_it_finds_again_once_the_server_is_back(
    protocol_server: ProtocolServer, serving_detector: ServingDetector
) -> None:
    before = serving_detector.detect(IMAGE)
    for trouble in (protocol_server.down(), protocol_server.fault("unavailable")):
        with trouble, pytest.raises(DetectorUnavailable, match="UNAVAILABLE"):
            serving_detector.detect(IMAGE)
    np.testing.assert_array_equal(serving_detector.detect(IMAGE), before)


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("garbage", "expected a PredictResponse, got 16 other bytes"),
        ("wrong-shape", r"expected float32 \(2, 200, 6\).*got float32 \(2, 7, 6\)"),
        ("half-a-batch", r"expected float32 \(2, 200, 6\).*got float32 \(1, 200, 6\)"),
    ],
)
def test_a_faulty_answer_is_never_taken_for_detections(
    protocol_server: ProtocolServer, serving_detector: ServingDetector, fault: str, reason: str
) -> None:
    with protocol_server.fault(fault), pytest.raises(BadDetectorAnswer, match=reason):
        serving_detector.detect(np.concatenate([IMAGE, IMAGE]))


def test_one_bad_batch_of_many_fails_them_all(
    protocol_server: ProtocolServer, serving_detector: ServingDetector
) -> None:
    with protocol_server.fault("half-a-batch"), pytest.raises(BadDetectorAnswer):
        serving_detector.detect(np.concatenate([IMAGE] * 100))


def test_several_batches_are_under_way_at_once(
    predict_response: PredictResponse, answer: Detections
) -> None:
    # Each of four requests waits until all of them have arrived.
    together = threading.Barrier(4, timeout=20)
    message = predict_response(np.repeat(answer, 32, axis=0))

    def predict(request: bytes, context: grpc.ServicerContext) -> bytes:
        together.wait()
        return message

    service = grpc.method_handlers_generic_handler(
        "tensorflow.serving.PredictionService",
        {"Predict": grpc.unary_unary_rpc_method_handler(predict)},
    )
    options = [("grpc.max_receive_message_length", MAX_MESSAGE_BYTES)]
    server = grpc.server(ThreadPoolExecutor(4), handlers=[service], options=options)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    detector = ServingDetector([f"127.0.0.1:{port}"], deadline=20, attempt_deadline=20)
    assert len(detector.detect(np.concatenate([IMAGE] * 4 * 32))) == 128
    server.stop(None)


def test_its_detections_stay_those_of_the_version_that_its_model_id_names(
    protocol_server: ProtocolServer, serving_detector: ServingDetector
) -> None:
    assert serving_detector.model_id == MODEL_ID
    with protocol_server.versions(1, 2):
        serving_detector.detect(IMAGE)
    with (
        protocol_server.versions(2),
        pytest.raises(DetectorUnavailable, match="version 1 of the model is no longer there"),
    ):
        serving_detector.detect(IMAGE)
    with protocol_server.versions(2):
        assert serving_detector.model_id == MODEL_ID
        serving_detector.detect(IMAGE)


def test_a_server_without_the_model_is_unavailable_until_it_has_it(
    protocol_server: ProtocolServer,
) -> None:
    detector = ServingDetector([protocol_server.address], deadline=0.3)
    for trouble, said in (
        (protocol_server.loading(), "is still loading the model ssd"),
        (protocol_server.versions(), "does not have the model ssd"),
    ):
        asked = (detector.check, lambda: detector.model_id, lambda: detector.detect(IMAGE))
        with trouble:
            for ask in asked:
                with pytest.raises(ModelNotServed) as caught:
                    ask()
                assert caught.value.brief == f"the detector at {protocol_server.address} {said}"
                assert caught.value.retryable
    detector.detect(IMAGE)


def test_an_answer_larger_than_a_message_may_be_is_refused(scripted_server: StartServer) -> None:
    server = scripted_server(bytes(MAX_MESSAGE_BYTES + 1))
    with pytest.raises(RequestRefused, match="RESOURCE_EXHAUSTED"):
        ServingDetector([server.address]).detect(IMAGE)
    assert len(server.requests) == 1


def test_a_check_says_whether_the_model_is_there(
    protocol_server: ProtocolServer, serving_detector: ServingDetector
) -> None:
    serving_detector.check()
    with protocol_server.fault("slow"), pytest.raises(DetectorUnavailable, match="DEADLINE"):
        serving_detector.check(deadline=0.2)
    with protocol_server.fault("garbage"), pytest.raises(BadDetectorAnswer):
        serving_detector.check()
    with protocol_server.down(), pytest.raises(DetectorUnavailable, match="UNAVAILABLE"):
        serving_detector.check()


def test_a_check_needs_one_server_of_several(
    protocol_server: ProtocolServer, free_address: str
) -> None:
    ServingDetector([free_address, protocol_server.address]).check()


def test_closing_it_ends_requests_that_are_under_way(protocol_server: ProtocolServer) -> None:
    detector = ServingDetector([protocol_server.address])
    with protocol_server.fault("slow"), ThreadPoolExecutor(1) as caller:
        under_way = caller.submit(detector.detect, IMAGE)
        time.sleep(0.3)
        detector.close()
        with pytest.raises(DetectorError, match="this detector was closed"):
            under_way.result(timeout=2)


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


def test_requests_go_to_all_servers_in_turn(
    scripted_server: StartServer, predict_response: PredictResponse, answer: Detections
) -> None:
    servers = [scripted_server(predict_response(answer)) for _ in range(3)]
    detector = ServingDetector([server.address for server in servers])
    for _ in range(6):
        detector.detect(IMAGE)
    assert [len(server.requests) for server in servers] == [2, 2, 2]


def test_pauses_between_attempts_grow(scripted_server: StartServer) -> None:
    server = scripted_server(UNAVAILABLE)
    with pytest.raises(DetectorUnavailable, match="UNAVAILABLE: as told"):
        ServingDetector([server.address]).detect(IMAGE)
    pauses = np.diff(server.times)
    # Each is twice the one before, give or take a quarter; a busy machine only makes them longer.
    assert (pauses >= 0.75 * np.array([0.1, 0.2, 0.4, 0.8]) - 0.01).all(), pauses
    assert len(pauses) == 4


@pytest.mark.parametrize(
    "status",
    [
        grpc.StatusCode.INVALID_ARGUMENT,
        grpc.StatusCode.INTERNAL,
        grpc.StatusCode.ABORTED,
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        grpc.StatusCode.FAILED_PRECONDITION,
        grpc.StatusCode.UNKNOWN,
    ],
)
def test_it_does_not_repeat_a_request_that_was_refused(
    scripted_server: StartServer, status: grpc.StatusCode
) -> None:
    server = scripted_server(status)
    with pytest.raises(RequestRefused, match=f"{status.name}: as told"):
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
