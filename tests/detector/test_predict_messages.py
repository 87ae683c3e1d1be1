from __future__ import annotations

import numpy as np
import pytest

from detector.errors import BadDetectorAnswer
from detector.predict_messages import decode_floats, decode_string
from tests.detector.conftest import PredictResponse, RunPython

# In a process of its own, because importing the official stubs loads TensorFlow.
OFFICIAL_STUBS = """
import numpy as np
from tensorflow_serving.apis import get_model_status_pb2, predict_pb2, prediction_log_pb2
from tensorflow.core.framework import types_pb2
from detector import predict_messages as ours

images = np.random.default_rng(0).integers(0, 256, (2, 300, 300, 3), np.uint8)


def official_request(inputs, signature, version):
    request = predict_pb2.PredictRequest()
    request.model_spec.name = "ssd"
    request.model_spec.signature_name = signature
    if version:
        request.model_spec.version.value = version
    tensor = request.inputs["inputs"]
    tensor.dtype = types_pb2.DT_UINT8
    for size in inputs.shape:
        tensor.tensor_shape.dim.add(size=size)
    tensor.tensor_content = inputs.tobytes()
    return request


def bytes_of(message):
    return message.SerializeToString(deterministic=True)
"""

REQUESTS = """
for inputs, signature, version in ((images, "predict", 0), (images, "predict", 7),
                                   (images[:0], "predict", 0), (images[0, 0, 0], "model_id", 0)):
    official = official_request(inputs, signature, version)
    sent = ours.encode_request("ssd", signature, inputs, version=version)
    assert sent == bytes_of(official), (signature, version)
    assert predict_pb2.PredictRequest.FromString(sent) == official

status = get_model_status_pb2.GetModelStatusRequest()
status.model_spec.name = "ssd"
assert ours.encode_status_request("ssd") == bytes_of(status)

log = prediction_log_pb2.PredictionLog()
log.predict_log.request.CopyFrom(official_request(images[:0], "predict", 0))
del log.predict_log.request.inputs["inputs"].tensor_shape.dim[:]
for size in (4, 300, 300, 3):
    log.predict_log.request.inputs["inputs"].tensor_shape.dim.add(size=size)
log.predict_log.request.inputs["inputs"].int_val.append(128)
assert ours.encode_warm_up("ssd", "predict", (4, 300, 300, 3)) == bytes_of(log)
print("same")
"""

ANSWERS = """
floats = np.random.default_rng(1).random((2, 200, 6), np.float32)
response = predict_pb2.PredictResponse()
response.model_spec.name = "ssd"
response.model_spec.signature_name = "predict"
response.model_spec.version.value = 42
outputs = response.outputs["outputs"]
outputs.dtype = types_pb2.DT_FLOAT
for size in floats.shape:
    outputs.tensor_shape.dim.add(size=size)
outputs.float_val.extend(floats.ravel().tolist())
named = response.outputs["model_id"]
named.dtype = types_pb2.DT_STRING
named.tensor_shape.dim.add(size=1)
named.string_val.append("ssdlite-ü".encode())
for content in (b"", floats.tobytes()):
    if content:
        outputs.ClearField("float_val")
        outputs.tensor_content = content
    answer = bytes_of(response)
    assert (ours.decode_floats(answer, "outputs") == floats).all()
    assert ours.decode_string(answer, "model_id") == "ssdlite-ü"
    assert ours.decode_version(answer) == 42
    # Nothing in it was unknown: what was read writes the same bytes again.
    assert bytes_of(ours._parse("PredictResponse", answer)) == answer

status = get_model_status_pb2.GetModelStatusResponse()
loading = status.model_version_status.add(version=1)
loading.state = get_model_status_pb2.ModelVersionStatus.LOADING
loading.status.error_message = "slow disk"
status.model_version_status.add(version=2).state = get_model_status_pb2.ModelVersionStatus.AVAILABLE
answer = bytes_of(status)
found = ours.decode_status(answer)
assert [str(version) for version in found] == [
    "version 1 is loading (slow disk)", "version 2 is available"]
assert [version.is_available for version in found] == [False, True]
assert bytes_of(ours._parse("GetModelStatusResponse", answer)) == answer
print("same")
"""


def test_requests_are_byte_for_byte_those_of_the_official_stubs(run_python: RunPython) -> None:
    result = run_python("-c", OFFICIAL_STUBS + REQUESTS, TF_CPP_MIN_LOG_LEVEL="3")
    assert result.stdout == "same\n", result.stderr


def test_answers_of_the_official_stubs_are_read_byte_for_byte(run_python: RunPython) -> None:
    result = run_python("-c", OFFICIAL_STUBS + ANSWERS, TF_CPP_MIN_LOG_LEVEL="3")
    assert result.stdout == "same\n", result.stderr


@pytest.mark.parametrize("field", [4, 5])
def test_it_reads_floats_as_raw_bytes_and_as_numbers(
    predict_response: PredictResponse, field: int
) -> None:
    array = np.arange(12, dtype=np.float32).reshape(2, 1, 6)
    found = decode_floats(predict_response(array, field=field), "outputs")
    np.testing.assert_array_equal(found, array)


def test_it_refuses_bytes_that_are_no_message() -> None:
    with pytest.raises(BadDetectorAnswer, match="expected a PredictResponse"):
        decode_floats(b"<html>", "outputs")


def test_it_names_the_outputs_there_are(predict_response: PredictResponse) -> None:
    answer = predict_response(np.zeros(6, np.float32), name="scores")
    with pytest.raises(BadDetectorAnswer, match=r"'outputs', got \['scores'\]"):
        decode_floats(answer, "outputs")


def test_it_refuses_fewer_values_than_the_shape_needs(predict_response: PredictResponse) -> None:
    answer = predict_response(np.zeros(6, np.float32))
    short = answer.replace(b"\x12\x04\x12\x02\x08\x06", b"\x12\x04\x12\x02\x08\x07")
    assert short != answer
    with pytest.raises(BadDetectorAnswer, match=r"shape \(7,\), got 6"):
        decode_floats(short, "outputs")


def test_it_refuses_half_a_number(predict_response: PredictResponse) -> None:
    whole = np.zeros(6, np.float32)
    longer = predict_response(np.frombuffer(whole.tobytes() + b"\0\0", np.uint8), dtype=1)
    with pytest.raises(BadDetectorAnswer, match="26 bytes are no float32"):
        decode_floats(longer, "outputs")


def test_it_refuses_a_number_where_a_string_should_be(predict_response: PredictResponse) -> None:
    answer = predict_response(np.zeros(1, np.float32), name="model_id")
    with pytest.raises(BadDetectorAnswer, match="expected TensorFlow dtype 7, got 1"):
        decode_string(answer, "model_id")
