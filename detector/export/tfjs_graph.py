"""From the TensorFlow.js form of the network to a TensorFlow GraphDef."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import tensorflow as tf
from google.protobuf import json_format  # type: ignore[import-untyped]  # It ships no types.

from detector.detections import IMAGE_SIZE

#: What the preprocessor hands the network: float32 (n, 300, 300, 3), RGB, 0..255.
FEED = "Preprocessor/map/TensorArrayStack/TensorArrayGatherV3"
#: float32 (n, 1917, 1, 4), [ymin, xmin, ymax, xmax] with the frame as unit square.
BOXES = "Postprocessor/ExpandDims_1"
#: float32 (n, 1917, 90), the column of category id c being c - 1.
SCORES = "Postprocessor/Slice"


def read_graph(files: Mapping[str, bytes]) -> Any:
    """Return the network as a frozen GraphDef that leads from `FEED` to `BOXES` and `SCORES`.

    `files` is name → content of `model.json` and its weight files. The original preprocessor, a
    while-loop that resizes image by image, is cut off: a Placeholder stands in its place.
    """
    model = json.loads(files["model.json"])
    weights = dict(_weights(model["weightsManifest"], files))
    graph = tf.compat.v1.GraphDef()
    for node in model["modelTopology"]["node"]:
        if node["name"] == FEED:
            _add_feed(graph)
        else:
            _add_node(graph, node, weights)
    return tf.compat.v1.graph_util.extract_sub_graph(graph, [BOXES, SCORES])


def _add_feed(graph: Any) -> None:
    node = graph.node.add(name=FEED, op="Placeholder")
    node.attr["dtype"].type = tf.float32.as_datatype_enum
    shape = tf.TensorShape([None, IMAGE_SIZE, IMAGE_SIZE, 3])
    node.attr["shape"].shape.CopyFrom(shape.as_proto())


def _add_node(graph: Any, node: dict[str, Any], weights: Mapping[str, Any]) -> None:
    attributes = {
        # The value of a constant lies in the weight files; the JSON only has its shape.
        name: _with_base64(value)
        for name, value in node.get("attr", {}).items()
        if "tensor" not in value
    }
    added = graph.node.add()
    json_format.ParseDict({**node, "attr": attributes}, added)
    if added.op == "Const":
        tensor = tf.make_tensor_proto(weights[added.name])
        added.attr["value"].tensor.CopyFrom(tensor)


def _with_base64(attribute: dict[str, Any]) -> dict[str, Any]:
    """TensorFlow.js writes bytes as lists of numbers, protobuf's JSON reads them as base64."""
    if isinstance(attribute.get("s"), list):
        return {"s": base64.b64encode(bytes(attribute["s"])).decode()}
    return attribute


def _weights(groups: list[Any], files: Mapping[str, bytes]) -> Iterator[tuple[str, Any]]:
    """Yield name and array of every weight; they lie one behind the other across the files."""
    for group in groups:
        content = b"".join(files[path] for path in group["paths"])
        offset = 0
        for entry in group["weights"]:
            count = math.prod(entry["shape"])
            flat = np.frombuffer(content, np.dtype(entry["dtype"]), count, offset)
            offset += flat.nbytes
            yield entry["name"], flat.reshape(entry["shape"])
