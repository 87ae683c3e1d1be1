"""Runs a command of the gallery again and again in one process, until that is killed.

So a kill meets the command at work and not Python at its start.
"""

from __future__ import annotations

import random
import sys
import time
from pathlib import Path

import django
from django.core.management import CommandError, call_command

LONGEST_PAUSE = 0.5


def main() -> None:
    """Arguments: a file that grows by one byte with each run to the end, then the command."""
    ended, *command = sys.argv[1:]
    django.setup()
    while True:
        try:
            call_command(*command, verbosity=0)
        except CommandError as error:
            # Another process holds the lock, most often.
            print(error, file=sys.stderr)
        else:
            with Path(ended).open("ab") as file:
                file.write(b".")
        time.sleep(random.uniform(0, LONGEST_PAUSE))


if __name__ == "__main__":
    main()
