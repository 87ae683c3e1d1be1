"""A server of PredictionService/Predict over the exported SavedModel, from official stubs.

It stands in for TensorFlow Serving: the same protocol buffers, gRPC service and SavedModel
signatures. `python protocol_server.py SAVED_MODEL_DIR` prints the port it listens on.
"""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor

import grpc
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

VERSION = 1


class PredictionService(
    prediction_service_pb2_grpc.PredictionServiceServicer,  # type: ignore[misc]  # It ships no types.
):
    def __init__(self, saved_model_dir: str) -> None:
        self.model = tf.saved_model.load(saved_model_dir)

    def Predict(  # noqa: N802  # The name is the protocol's.
        self, request: predict_pb2.PredictRequest, context: grpc.ServicerContext
    ) -> predict_pb2.PredictResponse:
        if request.model_spec.name != "ssd":
            context.abort(grpc.StatusCode.NOT_FOUND, "Servable not found for request")
        signature = self.model.signatures.get(request.model_spec.signature_name)
        if signature is None:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, "signature not found")
        inputs = {
            name: tf.constant(tf.make_ndarray(tensor)) for name, tensor in request.inputs.items()
        }
        response = predict_pb2.PredictResponse()
        response.model_spec.name = "ssd"
        response.model_spec.version.value = VERSION
        for name, tensor in signature(**inputs).items():
            response.outputs[name].CopyFrom(tf.make_tensor_proto(tensor.numpy()))
        return response


def main() -> None:
    options = [("grpc.max_receive_message_length", 64 * 2**20)]
    server = grpc.server(ThreadPoolExecutor(2), options=options)
    service = PredictionService(sys.argv[1])
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(service, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(port, flush=True)
    server.wait_for_termination()


if __name__ == "__main__":
    main()
