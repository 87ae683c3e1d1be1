"""The suppression of `detector/nms.py` in TensorFlow operations, for the SavedModel.

TensorFlow's own `CombinedNonMaxSuppression` knows neither soft-NMS nor box voting.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from detector.detections import IMAGE_SIZE, ROW_LENGTH
from detector.nms_settings import NmsSettings


def suppress(boxes: Any, scores: Any, settings: NmsSettings, rows: int) -> Any:
    """Return float32 (n, rows, 6), as `detector.nms.suppress` does, of the same two tensors."""
    boxes, scores, class_ids = _candidates(boxes, scores, settings)
    found = tf.TensorArray(tf.float32, 0, dynamic_size=True, element_shape=[None, ROW_LENGTH])

    def unfinished(index: Any, remaining: Any, _: Any) -> Any:
        more = tf.reduce_any(remaining > settings.score_threshold)
        # The first round always runs: an array never written to has no shape to stack.
        return (index == 0) | ((index < rows) & more)

    def take_best(index: Any, remaining: Any, found: Any) -> Any:
        best = tf.argmax(remaining, axis=1, output_type=tf.int32)
        score = tf.gather(remaining, best, batch_dims=1)
        best_class = tf.gather(class_ids, best, batch_dims=1)
        overlaps = _iou(tf.gather(boxes, best, batch_dims=1)[:, tf.newaxis], boxes)
        overlaps = tf.where(class_ids == best_class[:, tf.newaxis], overlaps, 0.0)
        is_best = tf.range(tf.shape(scores)[1])[tf.newaxis] == best[:, tf.newaxis]
        overlaps = tf.where(is_best, 1.0, overlaps)
        votes = tf.where(overlaps >= settings.vote_iou, scores * overlaps, 0.0)
        box = tf.einsum("nk,nkc->nc", votes, boxes)
        box = tf.math.divide_no_nan(box, tf.reduce_sum(votes, axis=1, keepdims=True))
        row = tf.concat([best_class[:, tf.newaxis], score[:, tf.newaxis], box], axis=1)
        row = tf.where(score[:, tf.newaxis] > settings.score_threshold, row, 0.0)
        decay = tf.exp(-(overlaps**2) / settings.sigma)
        remaining *= tf.where(overlaps > settings.iou_threshold, 0.0, decay)
        return index + 1, remaining, found.write(index, row)

    _, _, found = tf.while_loop(unfinished, take_best, (tf.constant(0), scores, found))
    filled = found.stack()
    missing = rows - tf.shape(filled)[0]
    padded = tf.pad(filled, [[0, missing], [0, 0], [0, 0]])
    return tf.ensure_shape(tf.transpose(padded, [1, 0, 2]), [None, rows, ROW_LENGTH])


def _candidates(boxes: Any, scores: Any, settings: NmsSettings) -> tuple[Any, Any, Any]:
    """Return boxes (n, k, 4) xyxy in the 300 frame, scores (n, k) falling, class ids (n, k)."""
    anchors, classes = scores.shape[1:]
    flat = tf.reshape(scores, [-1, anchors * classes])
    top, pairs = tf.math.top_k(flat, k=min(settings.max_candidates, anchors * classes))
    # Below the threshold a candidate may neither be found nor vote.
    top = tf.where(top > settings.score_threshold, top, 0.0)
    chosen = tf.gather(boxes, pairs // classes, batch_dims=1)
    frame = tf.gather(tf.clip_by_value(chosen, 0.0, 1.0), [1, 0, 3, 2], axis=2)
    return frame * IMAGE_SIZE, top, tf.cast(pairs % classes + 1, tf.float32)


def _iou(box: Any, boxes: Any) -> Any:
    """Return IoU, float32 (n, k), of `box` (n, 1, 4) with `boxes` (n, k, 4), xyxy."""
    sides = tf.minimum(box[..., 2:], boxes[..., 2:]) - tf.maximum(box[..., :2], boxes[..., :2])
    shared = tf.reduce_prod(tf.maximum(sides, 0.0), axis=-1)
    union = _areas(box) + _areas(boxes) - shared
    return tf.math.divide_no_nan(shared, union)


def _areas(boxes: Any) -> Any:
    return tf.reduce_prod(boxes[..., 2:] - boxes[..., :2], axis=-1)
