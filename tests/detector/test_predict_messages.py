from __future__ import annotations

import numpy as np
import pytest

from detector.errors import BadDetectorAnswer
from detector.predict_messages import decode_floats, decode_string
from tests.detector.conftest import PredictResponse, RunPython

SAME_BYTES = """
import numpy as np
from tensorflow_serving.apis import predict_pb2
from tensorflow.core.framework import types_pb2
from detector import predict_messages

images = np.random.default_rng(0).integers(0, 256, (2, 300, 300, 3), np.uint8)
request = predict_pb2.PredictRequest()
request.model_spec.name = "ssd"
request.model_spec.signature_name = "predict"
tensor = request.inputs["inputs"]
tensor.dtype = types_pb2.DT_UINT8
for size in images.shape:
    tensor.tensor_shape.dim.add(size=size)
tensor.tensor_content = images.tobytes()
official = request.SerializeToString(deterministic=True)
assert predict_messages.encode_request("ssd", "predict", images) == official

response = predict_pb2.PredictResponse()
response.outputs["outputs"].dtype = types_pb2.DT_FLOAT
response.outputs["outputs"].tensor_shape.dim.add(size=2)
response.outputs["outputs"].float_val.extend([0.5, 1.5])
response.model_spec.version.value = 42
answer = response.SerializeToString()
assert predict_messages.decode_floats(answer, "outputs").tolist() == [0.5, 1.5]
assert predict_messages.decode_version(answer) == 42
print("same")
"""


def test_requests_are_byte_for_byte_those_of_the_official_stubs(run_python: RunPython) -> None:
    result = run_python("-c", SAME_BYTES, TF_CPP_MIN_LOG_LEVEL="3")
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


def test_it_refuses_a_number_where_a_string_should_be(predict_response: PredictResponse) -> None:
    answer = predict_response(np.zeros(1, np.float32), name="model_id")
    with pytest.raises(BadDetectorAnswer, match="expected TensorFlow dtype 7, got 1"):
        decode_string(answer, "model_id")
