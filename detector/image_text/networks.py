"""The two networks of an image–text model, read by OpenVINO and fitted to what they are fed."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detector.errors import ModelUnusable
from detector.image_text.options import ImageOptions, TextOptions
from detector.openvino_import import openvino as ov

#: What the vectors are called in networks as they come out of here.
EMBEDDING = "embedding"
DEFAULT_SIDE = 224
#: The one output of several that bears it is the vector.
VECTOR_NAME = "embed"


@dataclass(frozen=True)
class ImageNetwork:
    """Takes uint8 (1, side, side, 3), gives `EMBEDDING` (1, d)."""

    model: ov.Model
    side: int


def read_image_network(path: Path, options: ImageOptions) -> ImageNetwork:
    """Raises `ModelUnusable`."""
    model = _read(path)
    entry = _input(path, model, options.input)
    shape = entry.partial_shape
    if shape.rank.is_dynamic or len(shape) != 4:
        raise ModelUnusable(path, f"its input should have 4 dimensions, has {shape}")
    channels_last = _length(shape[3]) == 3 and _length(shape[1]) != 3
    side = _side(path, [shape[axis] for axis in ((1, 2) if channels_last else (2, 3))], options)
    numbers = (1, side, side, 3) if channels_last else (1, 3, side, side)
    is_float = entry.element_type.is_real()
    try:
        model.reshape({entry: ov.PartialShape(numbers)})
        model = _with_one_output(path, model, options.output)
        steps = ov.preprocess.PrePostProcessor(model)
        step = steps.input()
        step.tensor().set_element_type(ov.Type.u8).set_layout(ov.Layout("NHWC"))
        step.model().set_layout(ov.Layout("NHWC" if channels_last else "NCHW"))
        if is_float:
            step.preprocess().convert_element_type(ov.Type.f32)
            step.preprocess().mean([255 * each for each in options.mean])
            step.preprocess().scale([255 * each for each in options.std])
        steps.output().tensor().set_element_type(ov.Type.f32)
        model = steps.build()
    except RuntimeError as error:
        raise ModelUnusable(path, _first_line(error)) from error
    model.outputs[0].tensor.set_names({EMBEDDING})
    model.set_friendly_name(str(path))
    return ImageNetwork(model, side)


class TextNetwork:
    """Takes tokens, gives (d,) a text. May be called from several threads at once."""

    def __init__(self, path: Path, options: TextOptions) -> None:
        """Raises `ModelUnusable`."""
        model = _read(path)
        self._path = path
        tokens, masks = _token_inputs(path, model, options)
        # By names, because the inputs of a network change with its shape.
        names = {entry.get_any_name(): entry in masks for entry in (tokens, *masks)}
        shape = tokens.partial_shape
        if shape.rank.is_dynamic or len(shape) != 2:
            raise ModelUnusable(path, f"its tokens should have 2 dimensions, have {shape}")
        self.context_length = _length(shape[1]) or options.context_length
        try:
            model.reshape({name: [1, self.context_length] for name in names})
            model = _with_one_output(path, model, options.output)
            model.outputs[0].tensor.set_names({EMBEDDING})
            compiled = ov.Core().compile_model(
                model, "CPU", {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32"}
            )
            self._request = compiled.create_infer_request()
        except RuntimeError as error:
            raise ModelUnusable(path, _first_line(error)) from error
        kept = {name for entry in compiled.inputs for name in entry.names}
        self._inputs = [
            (name, is_mask, compiled.input(name).element_type.to_dtype())
            for name, is_mask in names.items()
            if name in kept
        ]
        self._lock = threading.Lock()

    def run(self, token_ids: Sequence[int], mask: Sequence[int]) -> NDArray[np.float32]:
        """(d,) of `context_length` tokens, and of which of them count. Raises `ModelUnusable`."""
        values = {
            name: np.array([mask if is_mask else token_ids], dtype)
            for name, is_mask, dtype in self._inputs
        }
        with self._lock:
            try:
                self._request.infer(values)
            except RuntimeError as error:
                # A token, say, that it has no vector of.
                raise ModelUnusable(self._path, _first_line(error)) from error
            return np.array(self._request.get_output_tensor().data[0], np.float32)


def _read(path: Path) -> ov.Model:
    try:
        return ov.Core().read_model(path)
    except RuntimeError as error:
        raise ModelUnusable(path, f"OpenVINO cannot read it: {_first_line(error)}") from error


def _input(path: Path, model: ov.Model, name: str) -> Any:
    if name:
        return _named(path, model.inputs, name, "input")
    if len(model.inputs) != 1:
        raise ModelUnusable(
            path, f"it has {len(model.inputs)} inputs ({_names(model.inputs)}), expected was one"
        )
    return model.inputs[0]


def _token_inputs(path: Path, model: ov.Model, options: TextOptions) -> tuple[Any, list[Any]]:
    """The input for tokens, and the one for their mask if there is any."""
    mask = [entry for entry in model.inputs if any("mask" in name for name in entry.names)]
    if options.mask:
        mask = [_named(path, model.inputs, options.mask, "input")]
    if options.input:
        tokens = [_named(path, model.inputs, options.input, "input")]
    else:
        tokens = [entry for entry in model.inputs if entry not in mask]
    if len(tokens) != 1 or len(mask) > 1 or len(model.inputs) != 1 + len(mask):
        raise ModelUnusable(
            path,
            "expected was an input for tokens, and perhaps one for their mask; "
            f"it has {_names(model.inputs)}",
        )
    return tokens[0], mask


def _with_one_output(path: Path, model: ov.Model, name: str) -> ov.Model:
    """The same, but for outputs other than the vector and what leads only to them."""
    if name:
        output = _named(path, model.outputs, name, "output")
    else:
        flat = [each for each in model.outputs if each.partial_shape.rank == ov.Dimension(2)]
        called = [each for each in flat if any(VECTOR_NAME in name for name in each.names)]
        chosen = flat if len(flat) == 1 else called
        if len(chosen) != 1:
            raise ModelUnusable(
                path,
                "which of its outputs is the vector? Name it in clip.json; there are "
                f"{_names(model.outputs)}",
            )
        output = chosen[0]
    shape = output.partial_shape
    if shape.rank.is_dynamic or len(shape) != 2 or _length(shape[0]) not in (None, 1):
        raise ModelUnusable(path, f"its vector should have the shape [1,d], has {shape}")
    return ov.Model([output.node.input_value(0)], model.get_parameters(), str(path))


def _side(path: Path, lengths: Sequence[Any], options: ImageOptions) -> int:
    down, across = map(_length, lengths)
    side = options.size or down or across or DEFAULT_SIDE
    if any(length not in (None, side) for length in (down, across)):
        raise ModelUnusable(
            path, f"it takes photos of {down}×{across} pixels, expected was {side}×{side}"
        )
    return side


def _length(dimension: Any) -> int | None:
    return None if dimension.is_dynamic else int(dimension.get_length())


def _named(path: Path, ends: Sequence[Any], name: str, what: str) -> Any:
    for end in ends:
        if name in end.names:
            return end
    raise ModelUnusable(path, f"it has no {what} {name}; it has {_names(ends)}")


def _names(ends: Sequence[Any]) -> str:
    return ", ".join(min(end.names, default="one without a name") for end in ends)


def _first_line(error: RuntimeError) -> str:
    """What OpenVINO says last is what went wrong; before it come places in its source."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1] if lines else type(error).__name__
