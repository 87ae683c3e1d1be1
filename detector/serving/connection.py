"""Requests to one model of TensorFlow Serving servers, over gRPC, without TensorFlow."""

from __future__ import annotations

import itertools
import random
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import ClassVar, TypeVar

import grpc
import numpy as np
from numpy.typing import NDArray

from detector.errors import (
    DetectorError,
    DetectorUnavailable,
    ModelNotServed,
    RequestRefused,
)
from detector.predict_messages import (
    MAX_BATCH,
    PREDICT_METHOD,
    STATUS_METHOD,
    VersionStatus,
    decode_status,
    decode_string,
    decode_version,
    encode_request,
    encode_status_request,
)

T = TypeVar("T")

#: Requests under way at once: while the server computes one, the next are on their way to it.
IN_FLIGHT = 4
MAX_MESSAGE_BYTES = 64 * 2**20

ATTEMPTS = 5
FIRST_BACKOFF_SECONDS = 0.1
#: For saying whether it has a model, which a server does at once.
STATUS_SECONDS = 2.0
RETRIED = ("UNAVAILABLE", "DEADLINE_EXCEEDED")
#: What a server says that has no version of the model, or not the one asked for.
NOT_FOUND = "NOT_FOUND"
#: What a server says to a model without the signature `model_id`.
NO_SUCH_SIGNATURE = ("FAILED_PRECONDITION", "INVALID_ARGUMENT", NOT_FOUND)

CHANNEL_OPTIONS = (
    ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
    # Otherwise a channel that once failed answers "unavailable" for a second unasked.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 2000),
    # A model server is a neighbour: a proxy for the outer world is not for it.
    ("grpc.enable_http_proxy", 0),
    # Each model has connections of its own, which end with it.
    ("grpc.use_local_subchannel_pool", 1),
)


@dataclass(frozen=True)
class _Model:
    """What a server said of its model when it was asked."""

    model_id: str
    version: int


class ServingModel:
    """A model, by its name, of the servers at `addresses` ("host:port"): what each kind shares.

    A request that finds a server unavailable or late, or without the model, is sent again,
    to the next server in turn, with exponential backoff: at most 5 times and for `deadline`
    seconds in all, of which one attempt may take `attempt_deadline`. Nothing is sent before
    the first call, so a server may start later than this, and load its model later still.

    Once `model_id` was asked for, answers come from that version of the model, whatever
    newer one a server has beside it, so that they are what their model id says.
    """

    name: ClassVar[str]
    """What servers call it."""
    image_shape: ClassVar[tuple[int, int, int]]
    """(rows, columns, 3) of what it takes."""
    service: ClassVar[str]
    """What it is called in sentences."""

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
        self._senders = ThreadPoolExecutor(IN_FLIGHT, thread_name_prefix=self.service)
        self._closed = threading.Event()
        self._model: _Model | None = None

    @property
    def model_id(self) -> str:
        """The exported model's own id, the same as it has locally; asked for once.

        A model without the signature `model_id` is called by its version: "ssd-7".
        Raises `DetectorUnavailable` or `BadDetectorAnswer`.
        """
        if self._model is None:
            self._model = self._ask_model()
        return self._model.model_id

    def _predict(self, images: NDArray[np.uint8], read: Callable[[bytes, int], T]) -> list[T]:
        """What `read` makes of each answer and its count of images.

        Sent in batches of at most 32 images, up to four at once. Raises `DetectorUnavailable`
        when no server answers in time, or none has the model, or none has the version any more that
        `model_id` was asked of, and `BadDetectorAnswer` when one refuses.
        """
        self._check_open()
        batches = [images[start : start + MAX_BATCH] for start in range(0, len(images), MAX_BATCH)]

        def answer(batch: NDArray[np.uint8]) -> T:
            return read(self._predict_batch(batch), len(batch))

        if len(batches) == 1:
            return [answer(batches[0])]
        # Where one fails, those that were not sent yet are not.
        return list(self._senders.map(answer, batches))

    def check(self, deadline: float = 2.0) -> None:
        """Ask each server in turn whether the model is loaded; raises `DetectorError`."""
        self._check_open()
        failure: DetectorError | None = None
        for turn in range(len(self._addresses)):
            try:
                self._check_served(turn, deadline)
            except DetectorUnavailable as error:
                failure = error
            else:
                return
        assert failure is not None, "there is at least one address"
        raise failure

    def close(self) -> None:
        """Release the connections. Requests that are under way end with `DetectorError`."""
        self._closed.set()
        for channel in self._channels:
            channel.close()
        self._senders.shutdown(wait=True, cancel_futures=True)

    def _check_open(self) -> None:
        if self._closed.is_set():
            raise DetectorError(f"this {self.service} was closed")

    def _unavailable(self, address: str, reason: str) -> DetectorUnavailable:
        return DetectorUnavailable(address, reason, self.service)

    def _check_served(self, turn: int, deadline: float) -> None:
        """Ask one server whether a version of the model is ready; raises `DetectorError`."""
        address = self._addresses[turn]
        versions: list[VersionStatus] = []
        try:
            request = encode_status_request(self.name)
            versions = decode_status(self._status_calls[turn](request, timeout=deadline))
        except grpc.RpcError as error:
            if error.code().name != NOT_FOUND:
                raise self._unavailable(address, _reason(error)) from error
        if not any(version.is_available for version in versions):
            reason = ", ".join(map(str, versions))
            loads = any(version.is_on_the_way for version in versions)
            raise ModelNotServed(address, self.name, reason, self.service, loads=loads)

    def _predict_batch(self, batch: NDArray[np.uint8]) -> bytes:
        model = self._model
        version = model.version if model else 0
        try:
            return self._ask(encode_request(self.name, "predict", batch, version=version))
        except RequestRefused as error:
            if model is None or error.status != NOT_FOUND:
                raise
            self._model = None
            reason = f"version {model.version} of the model is no longer there"
            raise self._unavailable(error.address, reason) from error

    def _ask_model(self) -> _Model:
        self._check_open()
        try:
            answer = self._ask(encode_request(self.name, "model_id", np.zeros(1, np.uint8)))
        except RequestRefused as error:
            if error.status not in NO_SUCH_SIGNATURE:
                raise
            blank = np.zeros((1, *self.image_shape), dtype=np.uint8)
            version = decode_version(self._ask(encode_request(self.name, "predict", blank)))
            return _Model(f"{self.name}-{version}", version)
        return _Model(decode_string(answer, "model_id"), decode_version(answer))

    def _ask(self, request: bytes) -> bytes:
        """Return the answer to one request, asking again where that can help."""
        give_up = time.monotonic() + self._deadline
        for attempt in itertools.count(1):
            turn = next(self._turns) % len(self._addresses)
            left = max(give_up - time.monotonic(), 0.0)
            try:
                answer: bytes = self._predict_calls[turn](
                    request, timeout=min(left, self._attempt_deadline)
                )
            except grpc.RpcError as error:
                self._check_open()
                failure = self._failure(error, turn)
                # Not to the moment, or all workers of a server that comes back ask at once.
                backoff = FIRST_BACKOFF_SECONDS * 2 ** (attempt - 1) * random.uniform(0.75, 1.25)
                last = attempt == ATTEMPTS or time.monotonic() + backoff >= give_up
                if last or not failure.retryable:
                    raise failure from error
                self._closed.wait(backoff)
            except ValueError as error:
                # What gRPC says of a channel that was closed between two attempts.
                self._check_open()
                raise DetectorError(f"the request could not be sent: {error}") from error
            else:
                return answer
        raise AssertionError("unreachable: the loop ends by return or raise")

    def _failure(self, error: grpc.RpcError, turn: int) -> DetectorError:
        """What it means that a request to one server was not answered."""
        address, status = self._addresses[turn], error.code().name
        if status in RETRIED:
            return self._unavailable(address, _reason(error))
        if status == NOT_FOUND:
            try:
                self._check_served(turn, STATUS_SECONDS)
            except ModelNotServed as not_served:
                return not_served
            except (DetectorError, ValueError):
                # It cannot tell, or the channel was closed: then what it said first stands.
                pass
        return RequestRefused(address, status, error.details(), self.service)


def _reason(error: grpc.RpcError) -> str:
    return f"{error.code().name}: {error.details()}"
