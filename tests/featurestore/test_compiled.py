from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from featurestore.compiled import compiled

ROOT = Path(__file__).parents[2]

# Prints where machine code is kept, and what a compiled function gives.
TRY = """
import json
from featurestore.compiled import cache_folder
from featurestore.posting_kernels import first_at
import numpy as np
place = first_at(np.array([1, 3, 5], np.int32), 0, 3, 4)
folder = cache_folder()
print(json.dumps([str(folder), place, folder and len(list(folder.rglob("*.nbc")))]))
"""

# Prints how many functions are compiled by each of two steps.
SEARCH = """
import sys, gc
from pathlib import Path
import numpy as np
from numba.core.dispatcher import Dispatcher
from featurestore import model_features
from featurestore.store import FeatureStore
from featurestore.warm_up import warm_up
from featurestore.best_rows import best_rows
from featurestore.condition_scores import index_condition_scores
from featurestore.conditions import *
from featurestore.explanations import Explainer
from featurestore.layout_scores import LayoutQuery
from tests.featurestore.samples import features, random_detections

def count():
    return sum(len(one.signatures) for one in gc.get_objects() if isinstance(one, Dispatcher))

warm_up()
warm = count()
model_features.FEW_IMAGES = 1
store = FeatureStore(Path(sys.argv[1]))
for ids in ([1, 2, 3], [2, 4], [5]):
    store.append_features("m", features(ids, [random_detections(one) for one in ids]))
    store.index("m")
    if 4 not in ids:
        store.renew_index("m")
store.delete([3])
for index in (store.index("m"), FeatureStore(Path(sys.argv[1])).index("m")):
    kind = Kind(np.array([1, 17]), np.ones(2, np.float32))
    asked = Asked(kind, 0.1, 0.01, 0.9)
    query = ObjectQuery((
        (Presence(asked, 2, 3), Only((kind,))), (Relation(asked, "on", asked, negated=True),)
    ))
    allowed = index.rows_among(np.array([1, 2, 5]))
    scores = index_condition_scores(index, query, allowed, floor=0.005)
    page = best_rows(index, scores, limit=50, cut_off=0.05, floor=0.005)
    assert len(page.rows)
    for row in page.rows.tolist():
        Explainer(query).explain(index.detections_of(row))
    layout = LayoutQuery.of(index.detections_of(0))
    index.scores(layout.scores)
    layout.pairs(index.detections_of(1))
    index.cooccurrence(), index.images_per_class(0.3)
print(warm, count() - warm)
"""


def run(script: str, *arguments: str, **environment: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", script, *arguments],
        cwd=ROOT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=True,
    ).stdout


def test_machine_code_is_kept_where_the_environment_says(tmp_path: Path) -> None:
    folder, place, files = json.loads(run(TRY, NUMBA_CACHE_DIR=str(tmp_path / "kept")))
    assert Path(folder).parent == tmp_path / "kept"
    assert (place, files) == (2, 1)


def test_compiled_functions_work_where_nothing_can_be_kept(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    folder, place, _ = json.loads(run(TRY, NUMBA_CACHE_DIR=str(tmp_path / "file" / "no folder")))
    assert (folder, place) == ("None", 2)


def test_a_compiled_function_tells_its_errors() -> None:
    def divided(a: int, b: int) -> float:
        return a / b

    assert compiled(divided)(6, 3) == 2
    with pytest.raises(ZeroDivisionError):
        compiled(divided)(6, 0)


def test_after_warming_up_a_search_compiles_nothing(tmp_path: Path) -> None:
    warm, later = map(int, run(SEARCH, str(tmp_path / "store")).split())
    assert warm > 10
    assert later == 0
