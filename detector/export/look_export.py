"""The appearance model in the two forms that embedders load."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import tensorflow as tf

from detector.export import ir, tf_model
from detector.export.look_network import Weights, network
from detector.look_model import LOOK
from detector.looks import EMBEDDING_DIMENSIONS, LOOK_CLASSES, LOOK_SIZE

FEED = "images"


def write_look_model(weights: Weights, models_dir: Path) -> None:
    """Write the SavedModel and the IR of the network with `weights` below `models_dir`.

    `predict`: `inputs` uint8 (n, 224, 224, 3) RGB → `embedding` float32 (n, 1280) and `scores`
    float32 (n, 1000).
    """

    def predict(inputs: Any) -> dict[str, Any]:
        embedding, scores = network(tf.cast(inputs, tf.float32), weights)
        return {
            "embedding": tf.ensure_shape(embedding, [None, EMBEDDING_DIMENSIONS]),
            "scores": tf.ensure_shape(scores, [None, LOOK_CLASSES]),
        }

    tf_model.save(predict, LOOK, LOOK_SIZE, models_dir / LOOK.saved_model_dir)
    path = models_dir / LOOK.ir_file
    path.parent.mkdir(parents=True)
    names = {f"{name}:0": name for name in ("embedding", "scores")}
    ir.write_ir(_frozen(weights), path, size=LOOK_SIZE, outputs=names)


def _frozen(weights: Weights) -> bytes:
    """The network as a serialised GraphDef from `images` float32 to `embedding` and `scores`."""
    with tf.Graph().as_default() as graph:
        images = tf.compat.v1.placeholder(tf.float32, [None, LOOK_SIZE, LOOK_SIZE, 3], name=FEED)
        embedding, scores = network(images, weights)
        tf.identity(embedding, "embedding")
        tf.identity(scores, "scores")
    return bytes(graph.as_graph_def().SerializeToString())
