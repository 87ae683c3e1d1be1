"""The SavedModels that TensorFlow Serving loads."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import tensorflow as tf

from detector.detections import IMAGE_SIZE
from detector.export import tf_nms
from detector.export.tfjs_graph import BOXES, FEED, SCORES
from detector.model_files import SSD, ExportedModel
from detector.nms_settings import DEFAULT_SETTINGS
from detector.predict_messages import MAX_BATCH, encode_warm_up

#: Rows per image of the output `outputs`; clients keep the first 20.
ROWS = 200
#: Where TensorFlow Serving looks for requests to warm a model up with.
WARM_UP_FILE = Path("assets.extra") / "tf_serving_warmup_requests"
#: Images to a warm-up request: a search by photo, and an import's batch.
WARM_UP_BATCHES = (1, MAX_BATCH)


def write_saved_model(graph: Any, folder: Path) -> None:
    """Write the detector, the GraphDef `graph`, as a SavedModel.

    `predict`: `inputs` uint8 (n, 300, 300, 3) RGB → `outputs` float32 (n, 200, 6), rows of
    `[class_id, score, xmin, ymin, xmax, ymax]` by falling score, zero-padded, in the 300 frame.
    """

    def predict(inputs: Any) -> dict[str, Any]:
        boxes, scores = tf.graph_util.import_graph_def(
            graph,
            input_map={FEED: tf.cast(inputs, tf.float32)},
            return_elements=[f"{BOXES}:0", f"{SCORES}:0"],
            name="",
        )
        boxes = tf.squeeze(boxes, axis=2)
        return {"outputs": tf_nms.suppress(boxes, scores, DEFAULT_SETTINGS, ROWS)}

    save(predict, SSD, IMAGE_SIZE, folder)


def save(
    predict: Callable[[Any], dict[str, Any]], model: ExportedModel, size: int, folder: Path
) -> None:
    """Write a SavedModel with two signatures, and requests to warm it up with.

    `predict`: `inputs` uint8 (n, size, size, 3) → what the function says.
    `model_id`: `inputs` uint8 (n,) → `model_id` string (n,), the same n times. TensorFlow Serving
    that batches does so with every signature, and refuses one without inputs.
    """

    def model_id(inputs: Any) -> dict[str, Any]:
        return {"model_id": tf.fill(tf.shape(inputs), model.model_id)}

    module = tf.Module()
    photos = tf.TensorSpec([None, size, size, 3], tf.uint8, name="inputs")
    asked = tf.TensorSpec([None], tf.uint8, name="inputs")
    module.predict = tf.function(predict, input_signature=[photos])
    module.model_id = tf.function(model_id, input_signature=[asked])
    signatures = {"predict": module.predict, "model_id": module.model_id}
    tf.saved_model.save(module, str(folder), signatures=signatures)
    _write_warm_up(folder / WARM_UP_FILE, model.name, size)


def _write_warm_up(path: Path, model: str, size: int) -> None:
    """Write what the server asks itself before it serves: the first request is slow otherwise."""
    path.parent.mkdir(parents=True)
    with tf.io.TFRecordWriter(str(path)) as writer:
        for count in WARM_UP_BATCHES:
            writer.write(encode_warm_up(model, "predict", (count, size, size, 3)))


def run_saved_model(folder: Path, images: Any) -> dict[str, Any]:
    """Return what the SavedModel in `folder` answers to `images`: array by output."""
    predict = tf.saved_model.load(str(folder)).signatures["predict"]
    answer = predict(inputs=tf.constant(images))
    return {name: tensor.numpy() for name, tensor in answer.items()}
