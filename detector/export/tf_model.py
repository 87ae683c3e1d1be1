"""The SavedModel that TensorFlow Serving loads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import tensorflow as tf

from detector.detections import IMAGE_SIZE
from detector.export import tf_nms
from detector.export.tfjs_graph import BOXES, FEED, SCORES
from detector.model_files import MODEL_ID
from detector.nms import DEFAULT_SETTINGS

#: Rows per image of the output `outputs`; clients keep the first 20.
ROWS = 200


def write_saved_model(graph: Any, folder: Path) -> None:
    """Write the GraphDef `graph` as a SavedModel with two signatures.

    `predict`: `inputs` uint8 (n, 300, 300, 3) RGB → `outputs` float32 (n, 200, 6), rows of
    `[class_id, score, xmin, ymin, xmax, ymax]` by falling score, zero-padded, in the 300 frame.
    `model_id`: nothing → `model_id`, one string.
    """
    shape = [None, IMAGE_SIZE, IMAGE_SIZE, 3]

    def predict(inputs: Any) -> dict[str, Any]:
        boxes, scores = tf.graph_util.import_graph_def(
            graph,
            input_map={FEED: tf.cast(inputs, tf.float32)},
            return_elements=[f"{BOXES}:0", f"{SCORES}:0"],
            name="",
        )
        boxes = tf.squeeze(boxes, axis=2)
        return {"outputs": tf_nms.suppress(boxes, scores, DEFAULT_SETTINGS, ROWS)}

    def model_id() -> dict[str, Any]:
        return {"model_id": tf.constant(MODEL_ID)}

    module = tf.Module()
    signature = [tf.TensorSpec(shape, tf.uint8, name="inputs")]
    module.predict = tf.function(predict, input_signature=signature)
    module.model_id = tf.function(model_id, input_signature=[])
    signatures = {"predict": module.predict, "model_id": module.model_id}
    tf.saved_model.save(module, str(folder), signatures=signatures)


def run_saved_model(folder: Path, images: Any) -> Any:
    """Return float32 (n, 200, 6), what the SavedModel in `folder` answers to `images`."""
    predict = tf.saved_model.load(str(folder)).signatures["predict"]
    return predict(inputs=tf.constant(images))["outputs"].numpy()
