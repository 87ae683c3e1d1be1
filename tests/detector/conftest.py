from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import grpc
import numpy as np
import pytest
import skimage.data
from PIL import Image

from detector.local import LocalDetector
from detector.serving import ServingDetector

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def models_dir() -> Path:
    """The exported models; `make test` exports them before it runs the tests."""
    path = Path(os.environ.get("GALLERY_MODELS", REPOSITORY / "var" / "models"))
    if not (path / "model.json").is_file():
        pytest.fail(f"no exported model in {path}: run `python -m detector.export`")
    return path


@pytest.fixture(scope="session")
def photos() -> dict[str, np.ndarray]:
    """Real photos out of scikit-image's wheel, uint8 (300, 300, 3), by what they show."""
    arrays = {
        "person": skimage.data.astronaut(),
        "cat": skimage.data.chelsea(),
        "cup": skimage.data.coffee(),
        "motorcycle": skimage.data.stereo_motorcycle()[0],
    }
    return {name: squeeze(array) for name, array in arrays.items()}


def squeeze(array: np.ndarray) -> np.ndarray:
    photo = Image.fromarray(array).convert("RGB")
    return np.asarray(photo.resize((300, 300), Image.Resampling.BOX))


@pytest.fixture(scope="session")
def batch(photos) -> np.ndarray:
    """All photos and a black image, uint8 (5, 300, 300, 3)."""
    return np.stack([*photos.values(), np.zeros((300, 300, 3), np.uint8)])


@pytest.fixture(scope="session")
def local_detector(models_dir) -> Iterator[LocalDetector]:
    detector = LocalDetector(models_dir)
    yield detector
    detector.close()


@pytest.fixture(scope="session")
def serving_address(models_dir, tmp_path_factory) -> Iterator[str]:
    """Address of a server of the real SavedModel, in a process of its own."""
    log = tmp_path_factory.mktemp("protocol_server") / "stderr"
    script = Path(__file__).with_name("protocol_server.py")
    command = [sys.executable, str(script), str(models_dir / "ssd" / "1")]
    with (
        log.open("w") as stderr,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=stderr, text=True) as process,
    ):
        port = process.stdout.readline().strip()
        if not port:
            pytest.fail(f"the protocol server did not start:\n{log.read_text()}")
        yield f"127.0.0.1:{port}"
        process.terminate()


@pytest.fixture
def serving_detector(serving_address) -> Iterator[ServingDetector]:
    detector = ServingDetector([serving_address])
    yield detector
    detector.close()


@pytest.fixture
def scripted_server() -> Iterator[Callable[..., SimpleNamespace]]:
    """Start real gRPC servers that give the answers they are told to, the last one for good.

    An answer is the bytes of a message or a grpc.StatusCode. The result has the server's
    `address` and the `requests` it received.
    """
    servers = []

    def start(*answers: bytes | grpc.StatusCode) -> SimpleNamespace:
        requests: list[bytes] = []

        def answer(request: bytes, context: grpc.ServicerContext) -> bytes:
            requests.append(request)
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
        return SimpleNamespace(address=f"127.0.0.1:{port}", requests=requests)

    yield start
    for server in servers:
        server.stop(None)


@pytest.fixture(scope="session")
def predict_response() -> Callable[..., bytes]:
    """Write a PredictResponse with one tensor by hand, from the encoding's specification."""

    def varint(number: int) -> bytes:
        head, rest = number & 0x7F, number >> 7
        return bytes([head | 0x80]) + varint(rest) if rest else bytes([head])

    def message(number: int, content: bytes) -> bytes:
        return varint(number << 3 | 2) + varint(len(content)) + content

    def response(
        array: np.ndarray, *, name: str = "outputs", dtype: int = 1, field: int = 4
    ) -> bytes:
        dims = b"".join(message(2, b"\x08" + varint(size)) for size in array.shape)
        content = message(field, array.tobytes())
        tensor = b"\x08" + varint(dtype) + message(2, dims) + content
        return message(1, message(1, name.encode()) + message(2, tensor))

    return response


@pytest.fixture(scope="session")
def run_python() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run Python in the repository in a process of its own."""

    def run(*arguments: object, **environment: str):
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
