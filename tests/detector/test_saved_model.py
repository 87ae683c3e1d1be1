"""The exported SavedModel as TensorFlow Serving meets it: loader, signatures, warm-up requests."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from detector.detections import Images
from detector.labels import ID_BY_NAME
from detector.look_model import LOOK
from detector.model_files import MODEL_ID, SSD
from tests.detector.conftest import RunPython
from tests.detector.protocol_process import ProtocolServer

SAVED_MODEL_CLI = Path(sys.executable).with_name("saved_model_cli")
#: Signature → its input's dtype and shape, its output's name, dtype and shape.
SIGNATURES = {
    "predict": ("DT_UINT8", "(-1, 300, 300, 3)", "outputs", "DT_FLOAT", "(-1, 200, 6)"),
    "model_id": ("DT_UINT8", "(-1)", "model_id", "DT_STRING", "(-1)"),
}

READ_WARM_UP = """
import sys
import tensorflow as tf
from tensorflow_serving.apis import prediction_log_pb2

model = tf.saved_model.load(sys.argv[1])
path = f"{sys.argv[1]}/assets.extra/tf_serving_warmup_requests"
for record in tf.data.TFRecordDataset(path):
    log = prediction_log_pb2.PredictionLog.FromString(record.numpy())
    request = log.predict_log.request
    images = tf.make_ndarray(request.inputs["inputs"])
    assert list(request.inputs) == ["inputs"]
    answer = model.signatures[request.model_spec.signature_name](inputs=tf.constant(images))
    print(request.model_spec.name, request.model_spec.signature_name, images.dtype, images.shape,
          answer["outputs"].shape)
"""

ASK_METADATA = """
import sys
import grpc
from tensorflow_serving.apis import get_model_metadata_pb2, prediction_service_pb2_grpc

stub = prediction_service_pb2_grpc.PredictionServiceStub(grpc.insecure_channel(sys.argv[1]))
request = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=["signature_def"])
request.model_spec.name = "ssd"
answer = stub.GetModelMetadata(request, timeout=20)
signatures = get_model_metadata_pb2.SignatureDefMap()
answer.metadata["signature_def"].Unpack(signatures)
print(sorted(name for name in signatures.signature_def if not name.startswith("__")))
"""


def saved_model_cli(*arguments: object) -> str:
    run = subprocess.run(
        [SAVED_MODEL_CLI, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    return run.stdout


@pytest.fixture(scope="session")
def saved_model(models_dir: Path) -> Path:
    return models_dir / SSD.saved_model_dir


@pytest.mark.parametrize("signature", SIGNATURES)
def test_it_has_the_documented_signatures(saved_model: Path, signature: str) -> None:
    shown = saved_model_cli(
        "show", "--dir", saved_model, "--tag_set", "serve", "--signature_def", signature
    )
    lines = [line.strip() for line in shown.splitlines()]
    input_dtype, input_shape, output, output_dtype, output_shape = SIGNATURES[signature]
    [given] = [index for index, line in enumerate(lines) if line.startswith("inputs[")]
    [told] = [index for index, line in enumerate(lines) if line.startswith("outputs[")]
    assert lines[given].startswith("inputs['inputs']")
    assert lines[given + 1 : given + 3] == [f"dtype: {input_dtype}", f"shape: {input_shape}"]
    assert lines[told].startswith(f"outputs['{output}']")
    assert lines[told + 1 : told + 3] == [f"dtype: {output_dtype}", f"shape: {output_shape}"]


def test_it_has_no_other_signatures(saved_model: Path) -> None:
    shown = saved_model_cli("show", "--dir", saved_model, "--tag_set", "serve")
    keys = {
        line.split('"')[1] for line in shown.splitlines() if line.startswith("SignatureDef key")
    }
    assert keys - {"__saved_model_init_op"} == set(SIGNATURES)


def test_it_finds_a_cat_in_tensorflows_own_loader(
    saved_model: Path, photos: dict[str, Images], tmp_path: Path
) -> None:
    np.save(tmp_path / "photo.npy", photos["cat"][np.newaxis])
    saved_model_cli(
        *("run", "--dir", saved_model, "--tag_set", "serve", "--signature_def", "predict"),
        *("--inputs", f"inputs={tmp_path / 'photo.npy'}", "--outdir", tmp_path),
    )
    outputs = np.load(tmp_path / "outputs.npy")
    assert outputs.shape == (1, 200, 6)
    assert outputs[0, 0, 0] == ID_BY_NAME["cat"]


def test_it_names_its_model_as_often_as_it_is_asked(saved_model: Path, tmp_path: Path) -> None:
    np.save(tmp_path / "asked.npy", np.zeros(3, np.uint8))
    saved_model_cli(
        *("run", "--dir", saved_model, "--tag_set", "serve", "--signature_def", "model_id"),
        *("--inputs", f"inputs={tmp_path / 'asked.npy'}", "--outdir", tmp_path),
    )
    told = np.load(tmp_path / "model_id.npy", allow_pickle=True)
    assert [name.decode() for name in told] == [MODEL_ID] * 3


def test_the_appearance_model_has_the_documented_signatures(models_dir: Path) -> None:
    shown = saved_model_cli(
        "show", "--dir", models_dir / LOOK.saved_model_dir, "--tag_set", "serve", "--all"
    )
    shapes = [line.strip() for line in shown.splitlines() if line.strip().startswith("shape: ")]
    for shape in ("(-1, 224, 224, 3)", "(-1, 1280)", "(-1, 1000)"):
        assert f"shape: {shape}" in shapes
    assert (models_dir / LOOK.saved_model_dir / "assets.extra").is_dir()


def test_its_warm_up_requests_are_answered_by_it(saved_model: Path, run_python: RunPython) -> None:
    result = run_python("-c", READ_WARM_UP, saved_model, TF_CPP_MIN_LOG_LEVEL="3")
    assert result.stdout.splitlines() == [
        "ssd predict uint8 (1, 300, 300, 3) (1, 200, 6)",
        "ssd predict uint8 (32, 300, 300, 3) (32, 200, 6)",
    ], result.stderr


def test_a_server_tells_its_signatures_to_the_official_client(
    protocol_server: ProtocolServer, run_python: RunPython
) -> None:
    result = run_python("-c", ASK_METADATA, protocol_server.address, TF_CPP_MIN_LOG_LEVEL="3")
    assert result.stdout == "['model_id', 'predict']\n", result.stderr
