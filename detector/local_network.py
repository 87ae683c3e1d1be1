"""A network on this machine's processor, by OpenVINO."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from detector.errors import ModelMissing
from detector.openvino_import import openvino as ov

Precision: TypeAlias = Literal["f32", "bf16", "fastest"]
"""What the network computes in; "fastest" is bfloat16 on processors that have it, else float32."""

Outputs: TypeAlias = Mapping[str, NDArray[np.float32]]
"""Arrays by name, for one image, valid until the next one is computed."""


class LocalNetwork:
    """A network that takes one uint8 image at a time.

    `network` is a file in OpenVINO's format, or what was read from one; `threads` is the number of
    processor threads, 0 for all cores. Raises `ModelMissing` if a file is no such network. Images
    run one by one, several at a time: `docs/decisions/0008-detector-streams.md` says why.
    """

    def __init__(
        self, network: Path | ov.Model, *, threads: int = 0, precision: Precision = "f32"
    ) -> None:
        compiled = _compile(network, threads, precision)
        self._outputs = [output.get_any_name() for output in compiled.outputs]
        # One to each stream and one more, so that none is idle while an answer is read.
        count = compiled.get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS") + 1
        self._free: SimpleQueue[ov.InferRequest] = SimpleQueue()
        for _ in range(count):
            self._free.put(compiled.create_infer_request())

    def run(self, images: NDArray[np.uint8], read: Callable[[int, Outputs], None]) -> None:
        """Compute all of `images` (n, rows, columns, 3), giving `read` each number and answer.

        A large batch takes no more memory than a small one, and does not keep one in the next
        thread waiting.
        """
        running: deque[_Run] = deque()
        try:
            for index in range(len(images)):
                while (request := self._free_request(wait=not running)) is None:
                    self._conclude(running.popleft(), read)
                image = np.ascontiguousarray(images[index : index + 1])
                request.start_async([image], share_inputs=True)
                running.append(_Run(index, image, request))
            while running:
                self._conclude(running.popleft(), read)
        finally:
            # Only after an error.
            for run in running:
                run.request.wait()
                self._free.put(run.request)

    def _free_request(self, *, wait: bool) -> ov.InferRequest | None:
        try:
            return self._free.get(block=wait)
        except Empty:
            return None

    def _conclude(self, run: _Run, read: Callable[[int, Outputs], None]) -> None:
        try:
            run.request.wait()
            read(run.index, {name: run.request.get_tensor(name).data for name in self._outputs})
        finally:
            self._free.put(run.request)


@dataclass(frozen=True)
class _Run:
    """An image in the network."""

    index: int
    image: NDArray[np.uint8]
    """Kept as long as the network reads it."""
    request: ov.InferRequest


def _compile(network: Path | ov.Model, threads: int, precision: Precision) -> Any:
    if isinstance(network, Path) and not network.is_file():
        raise ModelMissing(network)
    options: dict[str, str | int] = {
        # A stream for every few cores, whose threads hardly wait for each other.
        "PERFORMANCE_HINT": "THROUGHPUT",
    }
    if precision != "fastest":
        # Without it OpenVINO picks bfloat16 wherever the processor has it.
        options["INFERENCE_PRECISION_HINT"] = precision
    if threads:
        options["INFERENCE_NUM_THREADS"] = threads
    try:
        return ov.Core().compile_model(network, "CPU", options)
    except RuntimeError as error:
        path = network if isinstance(network, Path) else Path(network.get_friendly_name())
        raise ModelMissing(path, f"OpenVINO cannot load it: {error}") from error
