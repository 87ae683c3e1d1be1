"""A server of TensorFlow Serving's protocol over exported SavedModels, from official stubs.

It stands in for TensorFlow Serving: the same protocol buffers, gRPC services and SavedModel
signatures. `python protocol_server.py SAVED_MODEL_DIR...`, such as `models/ssd/1`, prints the port
it listens on, then obeys the lines of its standard input and answers each with "done":

- a fault, `slow`, `unavailable`, `garbage`, `wrong-shape` or `half-a-batch`, that all requests meet
- `none`: no fault
- `down` and `up`: stop listening, and listen at the same port again
- `versions 1 2`: the versions of each model that are there
- `loading` and `loaded`: whether they are still on their way
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
import tensorflow as tf
from google.protobuf import any_pb2  # type: ignore[import-untyped]  # It ships no types.
from tensorflow.core.protobuf import meta_graph_pb2
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)

SLOW_SECONDS = 3.0
FAULTS = ("none", "slow", "unavailable", "garbage", "wrong-shape", "half-a-batch")

Predict = Callable[[Any, grpc.ServicerContext], Any]


class PredictionService(
    prediction_service_pb2_grpc.PredictionServiceServicer,  # type: ignore[misc]  # It ships no types.
):
    def __init__(self, *saved_model_dirs: str) -> None:
        by_name = {Path(folder).parent.name: folder for folder in saved_model_dirs}
        self.models = {name: tf.saved_model.load(folder) for name, folder in by_name.items()}
        self.meta_graphs = {name: _meta_graph(folder) for name, folder in by_name.items()}
        self.versions = [1]
        self.is_loading = False

    def known_versions(self, spec: Any, context: grpc.ServicerContext) -> list[int]:
        """Those that a request may mean; ends the request where there is none."""
        asked = int(spec.version.value)
        found = [version for version in self.versions if asked in (0, version)]
        if spec.name not in self.models or not found:
            context.abort(grpc.StatusCode.NOT_FOUND, "Servable not found for request")
        return found

    def chosen_version(self, spec: Any, context: grpc.ServicerContext) -> int:
        """The version a request names, else the newest; ends the request where it is not there."""
        found = self.known_versions(spec, context)
        if self.is_loading:
            context.abort(grpc.StatusCode.NOT_FOUND, "Servable not found for request")
        return max(found)

    def Predict(  # noqa: N802  # The name is the protocol's.
        self, request: predict_pb2.PredictRequest, context: grpc.ServicerContext
    ) -> predict_pb2.PredictResponse:
        version = self.chosen_version(request.model_spec, context)
        model = self.models[request.model_spec.name]
        signature = model.signatures.get(request.model_spec.signature_name)
        if signature is None:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, "signature not found")
        if not request.inputs:
            # As TensorFlow Serving says where it batches.
            reason = "Batching Run() must have at least one input tensor"
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, reason)
        inputs = {
            name: tf.constant(tf.make_ndarray(tensor)) for name, tensor in request.inputs.items()
        }
        response = predict_pb2.PredictResponse()
        response.model_spec.name = request.model_spec.name
        response.model_spec.version.value = version
        for name, tensor in signature(**inputs).items():
            response.outputs[name].CopyFrom(tf.make_tensor_proto(tensor.numpy()))
        return response

    def GetModelMetadata(  # noqa: N802  # The name is the protocol's.
        self, request: Any, context: grpc.ServicerContext
    ) -> Any:
        response = get_model_metadata_pb2.GetModelMetadataResponse()
        response.model_spec.name = request.model_spec.name
        response.model_spec.version.value = self.chosen_version(request.model_spec, context)
        signatures = get_model_metadata_pb2.SignatureDefMap()
        meta_graph = self.meta_graphs[request.model_spec.name]
        for name, signature in meta_graph.signature_def.items():
            signatures.signature_def[name].CopyFrom(signature)
        packed = any_pb2.Any()
        packed.Pack(signatures)
        response.metadata["signature_def"].CopyFrom(packed)
        return response


class ModelService(
    model_service_pb2_grpc.ModelServiceServicer,  # type: ignore[misc]  # It ships no types.
):
    def __init__(self, predictions: PredictionService) -> None:
        self.predictions = predictions

    def GetModelStatus(  # noqa: N802  # The name is the protocol's.
        self, request: Any, context: grpc.ServicerContext
    ) -> Any:
        states = get_model_status_pb2.ModelVersionStatus
        response = get_model_status_pb2.GetModelStatusResponse()
        for version in self.predictions.known_versions(request.model_spec, context):
            status = response.model_version_status.add(version=version)
            status.state = states.LOADING if self.predictions.is_loading else states.AVAILABLE
        return response


class Faults(grpc.ServerInterceptor):  # type: ignore[misc]  # It ships no types.
    """Makes requests meet the fault that is `chosen`."""

    chosen = "none"

    def intercept_service(self, continuation: Any, details: grpc.HandlerCallDetails) -> Any:
        handler = continuation(details)
        if handler is None or self.chosen == "none":
            return handler
        return grpc.unary_unary_rpc_method_handler(
            _faulty(handler.unary_unary, self.chosen),
            request_deserializer=handler.request_deserializer,
            response_serializer=(
                (lambda response: b"<html>503</html>")
                if self.chosen == "garbage"
                else handler.response_serializer
            ),
        )


def _faulty(answer: Predict, fault: str) -> Predict:
    def with_fault(request: Any, context: grpc.ServicerContext) -> Any:
        if fault == "slow":
            time.sleep(SLOW_SECONDS)
        if fault == "unavailable":
            context.abort(grpc.StatusCode.UNAVAILABLE, "as told")
        response = answer(request, context)
        outputs = getattr(response, "outputs", {})
        for name in [*outputs]:
            array = tf.make_ndarray(outputs[name])
            if fault == "wrong-shape":
                array = array[:, :7]
            if fault == "half-a-batch":
                array = array[: len(array) // 2]
            outputs[name].CopyFrom(tf.make_tensor_proto(array))
        return response

    return with_fault


def _meta_graph(saved_model_dir: str) -> meta_graph_pb2.MetaGraphDef:
    from tensorflow.python.saved_model import loader_impl

    return loader_impl.parse_saved_model(saved_model_dir).meta_graphs[0]


def _listen(service: PredictionService, faults: Faults, port: int) -> tuple[grpc.Server, int]:
    options = [("grpc.max_receive_message_length", 64 * 2**20), ("grpc.so_reuseport", 0)]
    server = grpc.server(ThreadPoolExecutor(4), options=options, interceptors=[faults])
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(service, server)
    model_service_pb2_grpc.add_ModelServiceServicer_to_server(ModelService(service), server)
    port = server.add_insecure_port(f"127.0.0.1:{port}")
    server.start()
    return server, port


def main() -> None:
    service, faults = PredictionService(*sys.argv[1:]), Faults()
    server, port = _listen(service, faults, 0)
    print(port, flush=True)
    for line in sys.stdin:
        command, *arguments = line.split()
        if command == "down":
            server.stop(None).wait()
        elif command == "up":
            server, _ = _listen(service, faults, port)
        elif command == "versions":
            service.versions = [int(version) for version in arguments]
        elif command in ("loading", "loaded"):
            service.is_loading = command == "loading"
        else:
            assert command in FAULTS, command
            faults.chosen = command
        print("done", flush=True)


if __name__ == "__main__":
    main()
