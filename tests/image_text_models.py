"""A tiny image–text model: photos are their mean colour, texts the colours that they name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

SIDE = 32
CONTEXT = 8
#: Words in the order of their tokens.
COLOURS = {
    "[pad]": (0, 0, 0),
    "[unknown]": (0, 0, 0),
    "red": (1, 0, 0),
    "green": (0, 1, 0),
    "blue": (0, 0, 1),
}
OPTIONS: dict[str, Any] = {
    "image": {"mean": [0, 0, 0], "std": [1, 1, 1]},
    "logit_scale": 10,
    "neutral": ["grey"],
}
#: Added to each vector, so that none is zero.
GREY = 0.05


def make_model(folder: Path, *, options: dict[str, Any] | None = None, dimensions: int = 3) -> Path:
    """Write image.onnx, text.onnx, tokenizer.json and clip.json into a new folder."""
    folder.mkdir(parents=True)
    onnx.save(_image_network(), folder / "image.onnx")
    onnx.save(_text_network(dimensions), folder / "text.onnx")
    words = {word: number for number, word in enumerate(COLOURS)}
    tokenizer = Tokenizer(models.WordLevel(words, unk_token="[unknown]"))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "clip.json").write_text(json.dumps(OPTIONS | (options or {})))
    return folder


def _image_network() -> onnx.ModelProto:
    pixels = _value("pixel_values", TensorProto.FLOAT, ["batch", 3, SIDE, SIDE])
    return _model(
        [
            helper.make_node("ReduceMean", ["pixel_values", "axes"], ["mean"], keepdims=0),
            helper.make_node("Add", ["mean", "grey"], ["image_embeds"]),
            # Such networks give more than the vector.
            helper.make_node("Identity", ["pixel_values"], ["last_hidden_state"]),
        ],
        [pixels],
        [
            _value("last_hidden_state", TensorProto.FLOAT, ["batch", 3, SIDE, SIDE]),
            _value("image_embeds", TensorProto.FLOAT, ["batch", 3]),
        ],
        {"axes": np.array([2, 3], np.int64), "grey": np.array(GREY, np.float32)},
    )


def _text_network(dimensions: int) -> onnx.ModelProto:
    colours = np.zeros((len(COLOURS), dimensions), np.float32)
    colours[:, :3] = list(COLOURS.values())
    return _model(
        [
            helper.make_node("Gather", ["colours", "input_ids"], ["of_tokens"]),
            helper.make_node("Cast", ["attention_mask"], ["counts"], to=TensorProto.FLOAT),
            helper.make_node("Unsqueeze", ["counts", "last"], ["weights"]),
            helper.make_node("Mul", ["of_tokens", "weights"], ["counted"]),
            helper.make_node("ReduceSum", ["counted", "words"], ["sum"], keepdims=0),
            helper.make_node("Add", ["sum", "grey"], ["text_embeds"]),
        ],
        [
            _value("input_ids", TensorProto.INT64, ["batch", CONTEXT]),
            _value("attention_mask", TensorProto.INT64, ["batch", CONTEXT]),
        ],
        [_value("text_embeds", TensorProto.FLOAT, ["batch", dimensions])],
        {
            "colours": colours,
            "last": np.array([2], np.int64),
            "words": np.array([1], np.int64),
            "grey": np.array(GREY, np.float32),
        },
    )


def _value(name: str, kind: int, shape: list[Any]) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, kind, shape)


def _model(
    nodes: list[onnx.NodeProto],
    inputs: list[onnx.ValueInfoProto],
    outputs: list[onnx.ValueInfoProto],
    constants: dict[str, Any],
) -> onnx.ModelProto:
    tensors = [numpy_helper.from_array(array, name) for name, array in constants.items()]
    graph = helper.make_graph(nodes, "tiny", inputs, outputs, tensors)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
