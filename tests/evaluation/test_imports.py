"""The truth and the queries measure the product; it must not know them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
EVALUATION = ROOT / "gallery" / "evaluation"
COMMAND = ROOT / "gallery" / "management" / "commands" / "evaluate.py"


def imported_names(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            start = "." * node.level + (node.module or "")
            yield start
            yield from (f"{start}.{alias.name}" for alias in node.names)


def knows_evaluation(source: str) -> bool:
    return any("evaluation" in name.split(".") for name in imported_names(source))


@pytest.mark.parametrize(
    "source",
    [
        "import gallery.evaluation.queries",
        "from gallery.evaluation.queries import CLASS_NAME_BY_SYNONYM",
        "from gallery import evaluation",
        "from . import evaluation",
        "def f():\n    from .evaluation import truth",
    ],
)
def test_every_way_of_importing_it_is_seen(source: str) -> None:
    assert knows_evaluation(source)


def test_nothing_in_the_product_imports_it_but_what_measures() -> None:
    packages = ("gallery", "detector", "featurestore")
    product = [
        path
        for package in packages
        for path in (ROOT / package).rglob("*.py")
        if not path.is_relative_to(EVALUATION)
    ]
    knowing = [path for path in product if knows_evaluation(path.read_text())]
    # The benchmark of ingestion prints the detector's mAP beside its speed.
    assert set(knowing) == {COMMAND, ROOT / "gallery" / "benchmarks" / "ingest.py"}


def test_it_imports_no_django() -> None:
    names = {
        name.split(".")[0]
        for path in EVALUATION.glob("*.py")
        for name in imported_names(path.read_text())
    }
    assert "numpy" in names
    assert "django" not in names
