"""The messages of TensorFlow Serving that the gallery sends and reads, without TensorFlow.

Importing the official stubs costs 2.8 s and 522 MB. The fields used here are declared
with the official numbers and types, so the bytes on the wire are the same; they live in
a descriptor pool and a proto package of their own, so both sets may be loaded in one
process.

Sources: `tensorflow_serving/apis/predict.proto`, `model.proto`, `get_model_status.proto`,
`tensorflow_serving/util/status.proto` and `prediction_log.proto`,
`tensorflow/core/framework/tensor.proto`, `tensor_shape.proto` and `types.proto`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from google.protobuf import (  # type: ignore[import-untyped]  # It ships no types.
    descriptor_pb2,
    descriptor_pool,
    message_factory,
)
from google.protobuf.message import (  # type: ignore[import-untyped]  # As above.
    DecodeError,
)
from numpy.typing import NDArray

from detector.errors import BadDetectorAnswer

#: What the server calls the model.
MODEL = "ssd"
#: Images to one request, the server's `max_batch_size`: 8.6 MB of pixels.
MAX_BATCH = 32

PREDICT_METHOD = "/tensorflow.serving.PredictionService/Predict"
STATUS_METHOD = "/tensorflow.serving.ModelService/GetModelStatus"

#: Numbers of TensorFlow's enum DataType.
DT_FLOAT, DT_UINT8, DT_STRING = 1, 4, 7

#: Names of TensorFlow Serving's enum ModelVersionStatus.State.
STATES = {0: "unknown", 10: "about to load", 20: "loading", 30: "available", 40: "unloading"}
AVAILABLE = 30
#: States on the way to `AVAILABLE`.
ON_THE_WAY = (0, 10, 20)

_PACKAGE = "image_gallery.predict"

#: Message → field → (number, type). Types in capitals are protobuf's scalars; "[]" marks
#: repeated fields and "map" a map from string. DataType, an enum, travels as int32 does.
_MESSAGES = {
    "Int64Value": {"value": (1, "INT64")},
    "Dim": {"size": (1, "INT64")},
    "TensorShapeProto": {"dim": (2, "Dim[]"), "unknown_rank": (3, "BOOL")},
    "TensorProto": {
        "dtype": (1, "INT32"),
        "tensor_shape": (2, "TensorShapeProto"),
        "tensor_content": (4, "BYTES"),
        "float_val": (5, "FLOAT[]"),
        "int_val": (7, "INT32[]"),
        "string_val": (8, "BYTES[]"),
    },
    "ModelSpec": {
        "name": (1, "STRING"),
        "version": (2, "Int64Value"),
        "signature_name": (3, "STRING"),
    },
    "PredictRequest": {
        "model_spec": (1, "ModelSpec"),
        "inputs": (2, "map"),
        "output_filter": (3, "STRING[]"),
    },
    "PredictResponse": {"outputs": (1, "map"), "model_spec": (2, "ModelSpec")},
    "GetModelStatusRequest": {"model_spec": (1, "ModelSpec")},
    "StatusProto": {"error_code": (1, "INT32"), "error_message": (2, "STRING")},
    "ModelVersionStatus": {
        "version": (1, "INT64"),
        "state": (2, "INT32"),
        "status": (3, "StatusProto"),
    },
    "GetModelStatusResponse": {"model_version_status": (1, "ModelVersionStatus[]")},
    "PredictLog": {"request": (1, "PredictRequest")},
    "PredictionLog": {"predict_log": (6, "PredictLog")},
}


@dataclass(frozen=True)
class VersionStatus:
    """What a server says of one version of a model."""

    version: int
    state: int
    error: str

    @property
    def is_available(self) -> bool:
        return self.state == AVAILABLE

    @property
    def is_on_the_way(self) -> bool:
        """Whether it is about to be available, as far as the server can say."""
        return self.state in ON_THE_WAY

    def __str__(self) -> str:
        state = STATES.get(self.state, "ended")
        return f"version {self.version} is {state}" + (f" ({self.error})" if self.error else "")


def _build_classes() -> dict[str, Any]:
    """Return message name → class."""
    file = descriptor_pb2.FileDescriptorProto(
        name=f"{_PACKAGE}.proto", package=_PACKAGE, syntax="proto3"
    )
    for name, fields in _MESSAGES.items():
        message = file.message_type.add(name=name)
        for field, (number, kind) in fields.items():
            if kind == "map":
                # A map is a repeated message of key and value, marked as such and named
                # after the field.
                entry = message.nested_type.add(name=f"{field.title()}Entry")
                entry.options.map_entry = True
                _add_field(entry, "key", 1, "STRING")
                _add_field(entry, "value", 2, "TensorProto")
                kind = f"{name}.{entry.name}[]"
            _add_field(message, field, number, kind)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return {
        name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{_PACKAGE}.{name}"))
        for name in _MESSAGES
    }


def _add_field(message: Any, name: str, number: int, kind: str) -> None:
    field_type = descriptor_pb2.FieldDescriptorProto
    single = kind.removesuffix("[]")
    field = message.field.add(name=name, number=number)
    field.label = field_type.LABEL_OPTIONAL if kind == single else field_type.LABEL_REPEATED
    if single.isupper():
        field.type = field_type.Type.Value(f"TYPE_{single}")
    else:
        field.type = field_type.TYPE_MESSAGE
        field.type_name = f".{_PACKAGE}.{single}"


_CLASSES = _build_classes()


def encode_request(
    model: str, signature: str, inputs: NDArray[np.uint8], *, version: int = 0
) -> bytes:
    """Return a serialised PredictRequest to `signature` of `model`.

    `inputs`, of any shape, is the input of that name. `version` 0 leaves to the server which
    version of the model answers; it takes the newest.
    """
    request = _request(model, signature, inputs.shape, version)
    request.inputs["inputs"].tensor_content = inputs.tobytes()
    return bytes(request.SerializeToString())


def encode_warm_up(model: str, signature: str, shape: tuple[int, ...]) -> bytes:
    """Return a serialised PredictionLog of a request with a grey input of `shape`.

    One value stands for all of them, as TensorFlow has it, so it is small whatever the shape.
    """
    request = _request(model, signature, shape, version=0)
    request.inputs["inputs"].int_val.append(128)
    log = _CLASSES["PredictionLog"]()
    log.predict_log.request.CopyFrom(request)
    return bytes(log.SerializeToString())


def encode_status_request(model: str) -> bytes:
    """Return a serialised GetModelStatusRequest for all versions of `model`."""
    request = _CLASSES["GetModelStatusRequest"]()
    request.model_spec.name = model
    return bytes(request.SerializeToString())


def decode_status(answer: bytes) -> list[VersionStatus]:
    """Return what a serialised GetModelStatusResponse says of each version.

    Raises `BadDetectorAnswer` if the bytes are none.
    """
    return [
        VersionStatus(status.version, status.state, status.status.error_message)
        for status in _parse("GetModelStatusResponse", answer).model_version_status
    ]


def _request(model: str, signature: str, shape: tuple[int, ...], version: int) -> Any:
    request = _CLASSES["PredictRequest"]()
    request.model_spec.name = model
    request.model_spec.signature_name = signature
    if version:
        request.model_spec.version.value = version
    tensor = request.inputs["inputs"]
    tensor.dtype = DT_UINT8
    for size in shape:
        tensor.tensor_shape.dim.add(size=size)
    return request


def decode_floats(answer: bytes, output: str) -> NDArray[np.float32]:
    """Return the float32 array that a serialised PredictResponse has under `output`.

    Raises `BadDetectorAnswer` if the bytes are no PredictResponse, if it has no such
    output, or one of another dtype or with more or fewer values than its shape needs.
    """
    tensor = _output(answer, output, DT_FLOAT)
    shape = tuple(dim.size for dim in tensor.tensor_shape.dim)
    # TensorFlow Serving answers either way, depending on how it was started.
    if tensor.tensor_content:
        content = tensor.tensor_content
        if len(content) % 4:
            raise BadDetectorAnswer(f"output {output!r}: {len(content)} bytes are no float32")
        values = np.frombuffer(content, "<f4").astype(np.float32)
    else:
        values = np.array(tensor.float_val, np.float32)
    if min(shape, default=0) < 0 or values.size != np.prod(shape, dtype=np.int64):
        raise BadDetectorAnswer(
            f"output {output!r}: expected values for shape {shape}, got {values.size}"
        )
    return values.reshape(shape)


def decode_string(answer: bytes, output: str) -> str:
    """Return the one string that a serialised PredictResponse has under `output`.

    Raises `BadDetectorAnswer` as `decode_floats` does.
    """
    values = _output(answer, output, DT_STRING).string_val
    if len(values) != 1:
        raise BadDetectorAnswer(f"output {output!r}: expected 1 string, got {len(values)}")
    return str(values[0].decode(errors="replace"))


def decode_version(answer: bytes) -> int:
    """Return the model version that answered, 0 if the PredictResponse names none."""
    return int(_parse("PredictResponse", answer).model_spec.version.value)


def _output(answer: bytes, output: str, dtype: int) -> Any:
    outputs = _parse("PredictResponse", answer).outputs
    if output not in outputs:
        raise BadDetectorAnswer(f"expected an output named {output!r}, got {sorted(outputs)}")
    tensor = outputs[output]
    if tensor.dtype != dtype:
        raise BadDetectorAnswer(
            f"output {output!r}: expected TensorFlow dtype {dtype}, got {tensor.dtype}"
        )
    return tensor


def _parse(message: str, answer: bytes) -> Any:
    try:
        return _CLASSES[message].FromString(answer)
    except DecodeError as error:
        raise BadDetectorAnswer(f"expected a {message}, got {len(answer)} other bytes") from error
