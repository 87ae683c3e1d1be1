from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from featurestore.code_cache import SOURCES, digest_of
from featurestore.compiled import compiled

ROOT = Path(__file__).parents[2]

# Prints where machine code is kept, and what a compiled function gives.
TRY = """
import json
from featurestore.code_cache import cache_folder
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
    index.cooccurrence, index.images_per_class(0.3)
print(warm, count() - warm)
"""


def run(script: str, *arguments: str, **environment: str) -> str:
    return run_aloud(script, *arguments, **environment).stdout


def run_aloud(script: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", script, *arguments],
        cwd=ROOT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=True,
    )


def test_machine_code_is_kept_where_the_environment_says(tmp_path: Path) -> None:
    folder, place, files = json.loads(run(TRY, NUMBA_CACHE_DIR=str(tmp_path / "kept")))
    assert Path(folder).parent == tmp_path / "kept"
    assert (place, files) == (2, 1)


def test_a_folder_that_others_may_write_to_is_not_trusted(tmp_path: Path) -> None:
    (folder,) = {json.loads(run(TRY, NUMBA_CACHE_DIR=str(tmp_path)))[0] for _ in range(2)}
    Path(folder).chmod(0o770)
    assert json.loads(run(TRY, NUMBA_CACHE_DIR=str(tmp_path)))[:2] == ["None", 2]


def kept_files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.suffix in (".nbc", ".nbi"))


def damage_truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def damage_emptied(path: Path) -> None:
    path.write_bytes(b"")


def damage_zeros(path: Path) -> None:
    path.write_bytes(bytes(path.stat().st_size))


def damage_changed_code(path: Path) -> None:
    content = bytearray(path.read_bytes())
    # Amid the machine code, where pickle looks at nothing.
    place = content.index(b"\x7fELF") + 200 if path.suffix == ".nbc" else len(content) // 2
    content[place] ^= 0xFF
    path.write_bytes(content)


@pytest.mark.parametrize("suffix", [".nbc", ".nbi"])
@pytest.mark.parametrize(
    "damage", [damage_truncated, damage_emptied, damage_zeros, damage_changed_code]
)
def test_damaged_machine_code_is_made_anew_once(
    tmp_path: Path, damage: Callable[[Path], None], suffix: str
) -> None:
    run(TRY, NUMBA_CACHE_DIR=str(tmp_path))
    (path,) = (path for path in kept_files(tmp_path) if path.suffix == suffix)
    damage(path)
    again = [run_aloud(TRY, NUMBA_CACHE_DIR=str(tmp_path)) for _ in range(2)]
    assert [json.loads(one.stdout)[1:] for one in again] == [[2, 1], [2, 1]]
    assert ["made anew" in one.stderr for one in again] == [True, False]


def test_code_of_another_signature_is_not_run(tmp_path: Path) -> None:
    run(TRY.replace("np.int32", "np.int64"), NUMBA_CACHE_DIR=str(tmp_path))
    (wide,) = (path for path in kept_files(tmp_path) if path.suffix == ".nbc")
    of_int64 = wide.read_bytes()
    run(TRY, NUMBA_CACHE_DIR=str(tmp_path))
    (narrow,) = (path for path in kept_files(tmp_path) if path.suffix == ".nbc" and path != wide)
    # As two processes leave it that both believed to be the first.
    narrow.write_bytes(of_int64)
    found = run_aloud(TRY, NUMBA_CACHE_DIR=str(tmp_path))
    assert json.loads(found.stdout)[1] == 2
    assert "made anew" in found.stderr


def test_machine_code_that_finds_no_room_is_not_kept(tmp_path: Path) -> None:
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))\n"
    found = run_aloud(limit + TRY, NUMBA_CACHE_DIR=str(tmp_path))
    assert json.loads(found.stdout)[1:] == [2, 0]
    assert "could not be kept" in found.stderr
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
    # With room again it is kept.
    assert json.loads(run(TRY, NUMBA_CACHE_DIR=str(tmp_path)))[1:] == [2, 1]


def test_a_changed_module_makes_machine_code_anew(tmp_path: Path) -> None:
    for path in SOURCES.glob("*.py"):
        shutil.copy(path, tmp_path)
    before = digest_of(tmp_path)
    assert before == digest_of(SOURCES)
    changed = []
    # Constants of these are frozen into compiled functions of others.
    for name in ("packing.py", "segments.py", "encoded_query.py", "posting_kernels.py"):
        with (tmp_path / name).open("a") as file:
            file.write("\n# changed\n")
        changed.append(digest_of(tmp_path))
    assert len({before, *changed}) == 5


def test_machine_code_of_other_sources_is_swept(tmp_path: Path) -> None:
    folder = Path(json.loads(run(TRY, NUMBA_CACHE_DIR=str(tmp_path)))[0])
    old = [tmp_path / f"image-gallery-{number:016x}" for number in range(50)]
    for one in old:
        shutil.copytree(folder, one)
    others = [tmp_path / "image-gallery-of-mine", tmp_path / "another"]
    for one in others:
        one.mkdir()
    code = "from featurestore.code_cache import sweep_old_code; sweep_old_code()"
    environment = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path)}
    sweeps = [
        subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, env=environment) for _ in range(3)
    ]
    assert [sweep.wait() for sweep in sweeps] == [0, 0, 0]
    assert sorted(tmp_path.iterdir()) == sorted([folder, *others])
    assert json.loads(run(TRY, NUMBA_CACHE_DIR=str(tmp_path)))[1:] == [2, 1]


def test_a_process_whose_machine_code_was_swept_works_on(tmp_path: Path) -> None:
    swept = TRY.replace("place =", "import shutil; shutil.rmtree(cache_folder())\nplace =", 1)
    found = run_aloud(swept, NUMBA_CACHE_DIR=str(tmp_path))
    assert json.loads(found.stdout)[1:] == [2, 0]
    assert list(tmp_path.iterdir()) == []


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
