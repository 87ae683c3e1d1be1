"""Detection by a TensorFlow Serving server, over gRPC, without TensorFlow."""

from __future__ import annotations

import itertools
import time
from collections.abc import Sequence

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
from detector.errors import DetectorUnavailable, RequestRefused
from detector.nms import choose_rows
from detector.predict_messages import (
    PREDICT_METHOD,
    decode_floats,
    decode_string,
    decode_version,
    encode_request,
)

MODEL = "ssd"
#: Images to one request: 8.6 MB of pixels, enough to keep a server busy.
MAX_BATCH = 32
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
)


class ServingDetector:
    """Detections from model `ssd` of the servers at `addresses` ("host:port").

    A request that finds a server unavailable or late is sent again, to the next server
    in turn, with exponential backoff: at most 5 times and for `deadline` seconds in all,
    of which one attempt may take `attempt_deadline`. Nothing is sent before the first
    call, so a server may start later than this.
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
        self._calls = [channel.unary_unary(PREDICT_METHOD) for channel in self._channels]
        self._deadline = deadline
        self._attempt_deadline = attempt_deadline
        self._turns = itertools.count()
        self._model_id: str | None = None

    @property
    def model_id(self) -> str:
        """The exported model's own id, the same as `LocalDetector` has; asked for once.

        A model without the signature `model_id` is called by its version: "ssd-7".
        Raises `DetectorUnavailable` or `BadDetectorAnswer`.
        """
        if self._model_id is None:
            self._model_id = self._ask_model_id()
        return self._model_id

    def detect(self, images: Images) -> Detections:
        """See `Detector.detect`. Sent in batches of at most 32 images.

        Raises `DetectorUnavailable` when no server answers in time and
        `BadDetectorAnswer` when one refuses or answers anything but detections.
        """
        check_images(images)
        detections = np.empty((len(images), MAX_DETECTIONS, ROW_LENGTH), dtype=np.float32)
        for start in range(0, len(images), MAX_BATCH):
            batch = images[start : start + MAX_BATCH]
            answer = self._predict(encode_request(MODEL, "predict", batch))
            detections[start : start + MAX_BATCH] = _read(answer, len(batch))
        return detections

    def close(self) -> None:
        for channel in self._channels:
            channel.close()

    def _ask_model_id(self) -> str:
        try:
            answer = self._predict(encode_request(MODEL, "model_id", None))
        except RequestRefused as error:
            if error.status not in NO_SUCH_SIGNATURE:
                raise
            blank = np.zeros((1, IMAGE_SIZE, IMAGE_SIZE, 3), dtype=np.uint8)
            answer = self._predict(encode_request(MODEL, "predict", blank))
            return f"{MODEL}-{decode_version(answer)}"
        return decode_string(answer, "model_id")

    def _predict(self, request: bytes) -> bytes:
        """Return the answer to one request, asking again where that can help."""
        give_up = time.monotonic() + self._deadline
        for attempt in itertools.count(1):
            turn = next(self._turns) % len(self._calls)
            address = self._addresses[turn]
            left = max(give_up - time.monotonic(), 0.0)
            try:
                answer: bytes = self._calls[turn](
                    request, timeout=min(left, self._attempt_deadline)
                )
            except grpc.RpcError as error:
                status, details = error.code().name, error.details()
                if status not in RETRIED:
                    raise RequestRefused(address, status, details) from error
                backoff = FIRST_BACKOFF_SECONDS * 2 ** (attempt - 1)
                if attempt == ATTEMPTS or time.monotonic() + backoff >= give_up:
                    reason = f"{status}: {details}"
                    raise DetectorUnavailable(address, reason) from error
                time.sleep(backoff)
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
