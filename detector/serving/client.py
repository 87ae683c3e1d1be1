"""Detection by a TensorFlow Serving server, over gRPC, without TensorFlow."""

from __future__ import annotations

import itertools
import random
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import grpc
import numpy as np

from detector.detections import (
    IMAGE_SIZE,
    MAX_DETECTIONS,
    ROW_LENGTH,
    SCORE,
    XMIN,
    Detections,
    Images,
    check_detections,
    check_images,
)
from detector.errors import DetectorError, DetectorUnavailable, RequestRefused
from detector.nms import choose_rows
from detector.predict_messages import (
    MAX_BATCH,
    MODEL,
    PREDICT_METHOD,
    STATUS_METHOD,
    decode_floats,
    decode_status,
    decode_string,
    decode_version,
    encode_request,
    encode_status_request,
)

#: Requests under way at once: while the server computes one, the next are on their way to it.
IN_FLIGHT = 4
#: Rows per image in an answer, of which the first 20 are kept.
ANSWER_ROWS = 200
MAX_MESSAGE_BYTES = 64 * 2**20

ATTEMPTS = 5
FIRST_BACKOFF_SECONDS = 0.1
RETRIED = ("UNAVAILABLE", "DEADLINE_EXCEEDED")
#: What a server says to a model without the signature `model_id`.
NO_SUCH_SIGNATURE = ("FAILED_PRECONDITION", "INVALID_ARGUMENT", "NOT_FOUND")

CHANNEL_OPTIONS = (
    ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
    # Otherwise a channel that once failed answers "unavailable" for a second unasked.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 2000),
    # A detection server is a neighbour: a proxy for the outer world is not for it.
    ("grpc.enable_http_proxy", 0),
    # Each detector has connections of its own, which end with it.
    ("grpc.use_local_subchannel_pool", 1),
)


@dataclass(frozen=True)
class _Model:
    """What a server said of its model when it was asked."""

    model_id: str
    version: int


class ServingDetector:
    """Detections from model `ssd` of the servers at `addresses` ("host:port").

    A request that finds a server unavailable or late is sent again, to the next server
    in turn, with exponential backoff: at most 5 times and for `deadline` seconds in all,
    of which one attempt may take `attempt_deadline`. Nothing is sent before the first
    call, so a server may start later than this.

    Once `model_id` was asked for, detections come from that version of the model, whatever
    newer one a server has beside it, so that they are what their model id says.
    """

    def __init__(
        self,
        addresses: Sequence[str],
        *,
        deadline: float = 30.0,
        attempt_deadline: float = 10.0,
    ) -> None:
        if not addresses:
            raise ValueError("addresses: expected at least one host:port, got none")
        self._addresses = tuple(addresses)
        self._channels = [
            grpc.insecure_channel(address, options=CHANNEL_OPTIONS) for address in self._addresses
        ]
        # Without (de)serialisers a call takes and gives bytes.
        self._predict_calls = [channel.unary_unary(PREDICT_METHOD) for channel in self._channels]
        self._status_calls = [channel.unary_unary(STATUS_METHOD) for channel in self._channels]
        self._deadline = deadline
        self._attempt_deadline = attempt_deadline
        self._turns = itertools.count()
        self._senders = ThreadPoolExecutor(IN_FLIGHT, thread_name_prefix="detector")
        self._closed = threading.Event()
        self._model: _Model | None = None

    @property
    def model_id(self) -> str:
        """The exported model's own id, the same as `LocalDetector` has; asked for once.

        A model without the signature `model_id` is called by its version: "ssd-7".
        Raises `DetectorUnavailable` or `BadDetectorAnswer`.
        """
        if self._model is None:
            self._model = self._ask_model()
        return self._model.model_id

    def detect(self, images: Images) -> Detections:
        """See `Detector.detect`. Sent in batches of at most 32 images, up to four at once.

        Raises `DetectorUnavailable` when no server answers in time, or none has the version
        any more that `model_id` was asked of, and `BadDetectorAnswer` when one refuses or
        answers anything but detections.
        """
        check_images(images)
        self._check_open()
        batches = [images[start : start + MAX_BATCH] for start in range(0, len(images), MAX_BATCH)]
        if not batches:
            return np.empty((0, MAX_DETECTIONS, ROW_LENGTH), dtype=np.float32)
        if len(batches) == 1:
            return self._detect_batch(batches[0])
        # Where one fails, those that were not sent yet are not.
        return np.concatenate(list(self._senders.map(self._detect_batch, batches)))

    def check(self, deadline: float = 2.0) -> None:
        """See `Detector.check`. Asks each server in turn whether the model is loaded."""
        self._check_open()
        failure: DetectorError | None = None
        for address, call in zip(self._addresses, self._status_calls, strict=True):
            try:
                answer: bytes = call(encode_status_request(MODEL), timeout=deadline)
            except grpc.RpcError as error:
                reason = f"{error.code().name}: {error.details()}"
                failure = DetectorUnavailable(address, reason)
            else:
                versions = decode_status(answer)
                if any(version.is_available for version in versions):
                    return
                reason = ", ".join(map(str, versions)) or "it knows no version of the model"
                failure = DetectorUnavailable(address, reason)
        assert failure is not None, "there is at least one address"
        raise failure

    def close(self) -> None:
        """See `Detector.close`. Requests that are under way end with `DetectorError`."""
        self._closed.set()
        for channel in self._channels:
            channel.close()
        self._senders.shutdown(wait=True, cancel_futures=True)

    def _check_open(self) -> None:
        if self._closed.is_set():
            raise DetectorError("this detector was closed")

    def _detect_batch(self, batch: Images) -> Detections:
        model = self._model
        request = encode_request(MODEL, "predict", batch, version=model.version if model else 0)
        try:
            answer = self._predict(request)
        except RequestRefused as error:
            if model is None or error.status != "NOT_FOUND":
                raise
            self._model = None
            reason = f"version {model.version} of the model is no longer there"
            raise DetectorUnavailable(error.address, reason) from error
        return _read(answer, len(batch))

    def _ask_model(self) -> _Model:
        self._check_open()
        try:
            answer = self._predict(encode_request(MODEL, "model_id", np.zeros(1, np.uint8)))
        except RequestRefused as error:
            if error.status not in NO_SUCH_SIGNATURE:
                raise
            blank = np.zeros((1, IMAGE_SIZE, IMAGE_SIZE, 3), dtype=np.uint8)
            version = decode_version(self._predict(encode_request(MODEL, "predict", blank)))
            return _Model(f"{MODEL}-{version}", version)
        return _Model(decode_string(answer, "model_id"), decode_version(answer))

    def _predict(self, request: bytes) -> bytes:
        """Return the answer to one request, asking again where that can help."""
        give_up = time.monotonic() + self._deadline
        for attempt in itertools.count(1):
            turn = next(self._turns) % len(self._addresses)
            address = self._addresses[turn]
            left = max(give_up - time.monotonic(), 0.0)
            try:
                answer: bytes = self._predict_calls[turn](
                    request, timeout=min(left, self._attempt_deadline)
                )
            except grpc.RpcError as error:
                self._check_open()
                status, details = error.code().name, error.details()
                if status not in RETRIED:
                    raise RequestRefused(address, status, details) from error
                # Not to the moment, or all workers of a server that comes back ask at once.
                backoff = FIRST_BACKOFF_SECONDS * 2 ** (attempt - 1) * random.uniform(0.75, 1.25)
                if attempt == ATTEMPTS or time.monotonic() + backoff >= give_up:
                    reason = f"{status}: {details}"
                    raise DetectorUnavailable(address, reason) from error
                self._closed.wait(backoff)
            except ValueError as error:
                # What gRPC says of a channel that was closed between two attempts.
                self._check_open()
                raise DetectorError(f"the request could not be sent: {error}") from error
            else:
                return answer
        raise AssertionError("unreachable: the loop ends by return or raise")


def _read(answer: bytes, count: int) -> Detections:
    """Return the first 20 rows per image of an answer to `predict`, checked."""
    rows = decode_floats(answer, "outputs")
    if rows.shape == (count, ANSWER_ROWS, ROW_LENGTH):
        # A model may let boxes hang over the border; detections do not.
        rows[..., XMIN:] = rows[..., XMIN:].clip(0, IMAGE_SIZE)
        rows[rows[..., SCORE] == 0] = 0
    return choose_rows(check_detections(rows, count, ANSWER_ROWS))
