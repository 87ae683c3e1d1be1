"""EfficientNet-Lite0 in TensorFlow operations.

Batch normalisation is folded into the convolutions before it: in use it is a factor and a term.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from detector.look_model import DEVIATION, MEAN

Weights = Mapping[str, NDArray[np.float32]]

#: The step of each of the 16 blocks; all else of them shows in the shapes of their weights.
BLOCK_STEPS = (1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1, 1, 1, 1)
#: What training added to each variance.
EPSILON = 1e-3


def network(images: Any, weights: Weights) -> tuple[Any, Any]:
    """Return `embedding` float32 (n, 1280) and `scores` (n, 1000) of `images` (n, 224, 224, 3).

    `images` is float32, 0..255. The embedding is what the network's last layer decides by.
    """
    x = (images - MEAN) / DEVIATION
    x = tf.nn.relu6(_convolved(x, weights, "_conv_stem", "_bn0", 2))
    for number, step in enumerate(BLOCK_STEPS):
        x = _block(x, weights, f"_blocks.{number}.", step)
    x = tf.nn.relu6(_convolved(x, weights, "_conv_head", "_bn1", 1))
    embedding = tf.reduce_mean(x, axis=[1, 2])
    logits = tf.linalg.matmul(embedding, weights["_fc.weight"].T) + weights["_fc.bias"]
    return embedding, tf.nn.softmax(logits)


def _block(x: Any, weights: Weights, name: str, step: int) -> Any:
    """A mobile inverted bottleneck: widen, look around in each channel, narrow."""
    before = x
    if f"{name}_expand_conv.weight" in weights:
        x = tf.nn.relu6(_convolved(x, weights, f"{name}_expand_conv", f"{name}_bn0", 1))
    x = tf.nn.relu6(_convolved(x, weights, f"{name}_depthwise_conv", f"{name}_bn1", step))
    x = _convolved(x, weights, f"{name}_project_conv", f"{name}_bn2", 1)
    return x + before if step == 1 and x.shape[-1] == before.shape[-1] else x


def _convolved(x: Any, weights: Weights, name: str, normalisation: str, step: int) -> Any:
    kernel = weights[f"{name}.weight"]
    mean, variance, factor, term = (
        weights[f"{normalisation}.{part}"].astype(np.float64)
        for part in ("running_mean", "running_var", "weight", "bias")
    )
    factor = factor / np.sqrt(variance + EPSILON)
    bias = (term - mean * factor).astype(np.float32)
    # PyTorch has (out, in, rows, columns), TensorFlow (rows, columns, in, out), and per channel
    # (rows, columns, in, 1).
    folded = (kernel * factor[:, None, None, None]).astype(np.float32)
    strides = [1, step, step, 1]
    if "depthwise" in name:
        kernel = folded.transpose(2, 3, 0, 1)
        return tf.nn.depthwise_conv2d(x, kernel, strides, "SAME") + bias
    return tf.nn.conv2d(x, folded.transpose(2, 3, 1, 0), strides, "SAME") + bias
