from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import grpc
import numpy as np
import pytest
import skimage.data
from numpy.typing import NDArray
from PIL import Image

from detector import Detector, Embedder, create_detector, create_embedder
from detector.detections import Images
from detector.local import LocalDetector
from detector.local_embedder import LocalEmbedder
from detector.look_model import LOOK
from detector.looks import LookImages
from detector.model_files import SSD
from detector.serving import ServingDetector, ServingEmbedder
from tests.detector.protocol_process import ProtocolServer

REPOSITORY = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class ScriptedServer:
    address: str
    requests: list[bytes]
    times: list[float]
    """When each request came, in seconds of a clock of no date."""


class StartServer(Protocol):
    def __call__(self, *answers: bytes | grpc.StatusCode) -> ScriptedServer: ...


class PredictResponse(Protocol):
    def __call__(
        self,
        array: NDArray[np.float32] | NDArray[np.float64] | NDArray[np.uint8],
        *,
        name: str = "outputs",
        dtype: int = 1,
        field: int = 4,
    ) -> bytes: ...


class RunPython(Protocol):
    def __call__(
        self, *arguments: object, **environment: str
    ) -> subprocess.CompletedProcess[str]: ...


@pytest.fixture(scope="session")
def models_dir() -> Path:
    """The exported models; `make test` exports them before it runs the tests."""
    path = Path(os.environ.get("GALLERY_MODELS", REPOSITORY / "var" / "models"))
    for model in (SSD, LOOK):
        if not (path / model.manifest).is_file():
            pytest.fail(f"no model {model.name} in {path}: run `python -m detector.export`")
    return path


@pytest.fixture(scope="session")
def photos() -> dict[str, Images]:
    """Real photos out of scikit-image's wheel, uint8 (300, 300, 3), by what they show."""
    arrays: dict[str, NDArray[np.uint8]] = {
        "person": skimage.data.astronaut(),  # type: ignore[no-untyped-call]  # It has no types.
        "cat": skimage.data.chelsea(),  # type: ignore[no-untyped-call]  # It has no types.
        "cup": skimage.data.coffee(),  # type: ignore[no-untyped-call]  # It has no types.
        "motorcycle": skimage.data.stereo_motorcycle()[0],  # type: ignore[no-untyped-call]  # It has no types.
    }
    return {name: squeeze(Image.fromarray(array)) for name, array in arrays.items()}


def squeeze(photo: Image.Image) -> Images:
    """The whole photo, uint8 (300, 300, 3) RGB."""
    return np.asarray(photo.convert("RGB").resize((300, 300), Image.Resampling.BOX))


@pytest.fixture(scope="session")
def batch(photos: dict[str, Images]) -> Images:
    """All photos and a black image, uint8 (5, 300, 300, 3)."""
    return np.stack([*photos.values(), np.zeros((300, 300, 3), np.uint8)])


@pytest.fixture(scope="session")
def local_detector(models_dir: Path) -> Iterator[LocalDetector]:
    detector = LocalDetector(models_dir)
    yield detector
    detector.close()


@pytest.fixture(scope="session")
def protocol_server(
    models_dir: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ProtocolServer]:
    """A server of the real SavedModels, in a process of its own."""
    log = tmp_path_factory.mktemp("protocol_server") / "stderr"
    folders = (models_dir / model.saved_model_dir for model in (SSD, LOOK))
    with ProtocolServer(*folders, log=log) as server:
        yield server


@pytest.fixture
def serving_detector(protocol_server: ProtocolServer) -> Iterator[ServingDetector]:
    detector = ServingDetector([protocol_server.address])
    yield detector
    detector.close()


@pytest.fixture(params=["local", "serving"])
def kind(request: pytest.FixtureRequest) -> str:
    """Where a model runs, each place in turn: what is true of one is true of the other."""
    return str(request.param)


@pytest.fixture
def url(kind: str, protocol_server: ProtocolServer) -> str:
    """What names a detector or an embedder of each kind."""
    return "local:" if kind == "local" else f"grpc://{protocol_server.address}"


@pytest.fixture
def detector(kind: str, request: pytest.FixtureRequest) -> Detector:
    """Each of the two detectors in turn."""
    found: Detector = request.getfixturevalue(f"{kind}_detector")
    return found


@pytest.fixture
def closed_detector(url: str, models_dir: Path) -> Detector:
    """Each of the two detectors, closed."""
    detector = create_detector(url, models_dir, threads=1)
    detector.close()
    return detector


@pytest.fixture(scope="session")
def look_batch() -> LookImages:
    """The middle of each photo and a black image, uint8 (5, 224, 224, 3)."""
    pixels = [
        skimage.data.astronaut(),  # type: ignore[no-untyped-call]  # It has no types.
        skimage.data.chelsea(),  # type: ignore[no-untyped-call]  # It has no types.
        skimage.data.coffee(),  # type: ignore[no-untyped-call]  # It has no types.
        skimage.data.rocket(),  # type: ignore[no-untyped-call]  # It has no types.
        np.zeros((224, 224, 3), np.uint8),
    ]
    return np.stack([middle(photo) for photo in pixels])


def middle(photo: NDArray[np.uint8]) -> LookImages:
    """The 224×224 pixels in the middle of a photo, which no way of scaling alters."""
    top, left = ((side - 224) // 2 for side in photo.shape[:2])
    return photo[top : top + 224, left : left + 224]


@pytest.fixture(scope="session")
def local_embedder(models_dir: Path) -> Iterator[LocalEmbedder]:
    embedder = LocalEmbedder(models_dir)
    yield embedder
    embedder.close()


@pytest.fixture
def serving_embedder(protocol_server: ProtocolServer) -> Iterator[ServingEmbedder]:
    embedder = ServingEmbedder([protocol_server.address])
    yield embedder
    embedder.close()


@pytest.fixture
def embedder(kind: str, request: pytest.FixtureRequest) -> Embedder:
    """Each of the two embedders in turn."""
    found: Embedder = request.getfixturevalue(f"{kind}_embedder")
    return found


@pytest.fixture
def closed_embedder(url: str, models_dir: Path) -> Embedder:
    """Each of the two embedders, closed."""
    embedder = create_embedder(url, models_dir, threads=1)
    embedder.close()
    return embedder


@pytest.fixture
def scripted_server() -> Iterator[StartServer]:
    """Start real gRPC servers that give the answers they are told to, the last one for good.

    An answer is the bytes of a message or a grpc.StatusCode. The result has the server's
    `address`, the `requests` it received and their `times`.
    """
    servers: list[grpc.Server] = []

    def start(*answers: bytes | grpc.StatusCode) -> ScriptedServer:
        requests: list[bytes] = []
        times: list[float] = []

        def answer(request: bytes, context: grpc.ServicerContext) -> bytes:
            requests.append(request)
            times.append(time.monotonic())
            chosen = answers[min(len(requests), len(answers)) - 1]
            if isinstance(chosen, grpc.StatusCode):
                context.abort(chosen, "as told")
            return chosen

        service = grpc.method_handlers_generic_handler(
            "tensorflow.serving.PredictionService",
            {"Predict": grpc.unary_unary_rpc_method_handler(answer)},
        )
        server = grpc.server(ThreadPoolExecutor(2), handlers=[service])
        port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        servers.append(server)
        return ScriptedServer(address=f"127.0.0.1:{port}", requests=requests, times=times)

    yield start
    for server in servers:
        server.stop(None)


@pytest.fixture(scope="session")
def predict_response() -> PredictResponse:
    """Write a PredictResponse with one tensor by hand, from the encoding's specification."""

    def varint(number: int) -> bytes:
        head, rest = number & 0x7F, number >> 7
        return bytes([head | 0x80]) + varint(rest) if rest else bytes([head])

    def message(number: int, content: bytes) -> bytes:
        return varint(number << 3 | 2) + varint(len(content)) + content

    def response(
        array: NDArray[np.float32] | NDArray[np.float64] | NDArray[np.uint8],
        *,
        name: str = "outputs",
        dtype: int = 1,
        field: int = 4,
    ) -> bytes:
        dims = b"".join(message(2, b"\x08" + varint(size)) for size in array.shape)
        content = message(field, array.tobytes())
        tensor = b"\x08" + varint(dtype) + message(2, dims) + content
        return message(1, message(1, name.encode()) + message(2, tensor))

    return response


@pytest.fixture(scope="session")
def run_python() -> RunPython:
    """Run Python in the repository in a process of its own."""

    def run(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, *map(str, arguments)],
            cwd=REPOSITORY,
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    return run
