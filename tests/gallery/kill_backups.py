"""Kills backups and restorations at each of their steps and repeats them; run as a script.

Each command runs in a forked process. `test_backup_commands.py` looks at what this prints.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import django
from django.conf import settings

django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import connections  # noqa: E402

from featurestore import backup  # noqa: E402
from gallery import backups, components  # noqa: E402

# Files that are copied before the kill; the last is more than there are.
STEPS = (0, 1, 99)


def in_a_process_of_its_own(work: Callable[..., object], *args: object) -> int:
    """The exit status of work in a forked process, negative where a signal ended it."""
    process_id = os.fork()
    if process_id == 0:
        connections.close_all()
        work(*args)
        sys.stdout.flush()
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(process_id, 0)[1])


def kill_after(calls: int, module: Any, name: str) -> None:
    """Have this process killed by the first call of a function after so many."""
    whole = getattr(module, name)
    left = [calls]

    def call(*args: Any, **kwargs: Any) -> Any:
        if not left[0]:
            os.kill(os.getpid(), signal.SIGKILL)
        left[0] -= 1
        return whole(*args, **kwargs)

    setattr(module, name, call)


def killed(command: str, folder: Path, step: int) -> None:
    kill_after(step, backup, "copy_durably")
    kill_after(step, backups, "copy_durably")
    if step == STEPS[-1]:
        kill_after(0, backup.BackupFolder, "finish")
        kill_after(0, backups, "reconcile_rows")
    run(command, folder)


def run(command: str, folder: Path) -> None:
    call_command(command, str(folder), verbosity=0)


def use_data_folder(folder: Path) -> None:
    """From now on the gallery works in this folder."""
    for name in ("STORE_DIR", "SPOOL_DIR", "THUMBNAIL_DIR", "QUERY_DIR", "UNFINISHED_DIR"):
        path = folder / name.removesuffix("_DIR").lower()
        path.mkdir(parents=True, exist_ok=True)
        setattr(settings, name, path)
    for component in (components.store, components.spool, components.thumbnails):
        component.cache_clear()
    connections.close_all()
    connections["default"].settings_dict["NAME"] = str(folder / "gallery.sqlite3")


def main(folder: Path) -> None:
    assert in_a_process_of_its_own(run, "ingest", folder / "photos") == 0
    for step in STEPS:
        dest = folder / f"backup-{step}"
        use_data_folder(folder / "data")
        assert in_a_process_of_its_own(killed, "backup", dest, step) == -signal.SIGKILL
        assert in_a_process_of_its_own(run, "backup", dest) == 0
        use_data_folder(folder / f"restored-{step}")
        assert in_a_process_of_its_own(killed, "restore", dest, step) == -signal.SIGKILL
        assert in_a_process_of_its_own(run, "restore", dest) == 0
        shutil.rmtree(dest)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
