"""What the store does not know, on its way from a catalogue that is set aside to the next one.

Accounts, saved searches, and what people decided about groups and duplicates: each is a text in a
file of the data folder, where no kill loses it, until the next catalogue has it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.contrib.auth.models import User
from django.db import OperationalError, transaction
from django.utils import timezone

from featurestore.durable import write_durably
from gallery import components
from gallery.access.kept_people import bring_people, salvage_people
from gallery.groups.kept_decisions import bring_decisions, salvage_decisions
from gallery.models import Image
from gallery.saved.kept_searches import bring_searches, salvage_searches

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class WaitingText:
    """One text."""

    name: str
    """Of its file."""

    @property
    def path(self) -> Path:
        return Path(settings.STORE_DIR).parent / self.name

    def put(self, text: str) -> None:
        """Keep a text durably, for nobody else's eyes. Raises OSError."""
        write_durably(self.path, lambda file: write_privately(file, text))

    def take_over(self, bring: Callable[[str], int]) -> int | None:
        """Bring the text into this catalogue if there is one; returns how many things it has.

        One that cannot be read goes to quarantine. Call `forget` once all is committed.
        Raises OperationalError where the database has no room or no time for it.

        Args:
            bring: raises ValueError for a text that it cannot read, and changes nothing then.
        """
        try:
            return bring(self.path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        except ValueError as error:
            cause = error.__cause__
            if isinstance(cause, OperationalError):
                raise cause from cause.__cause__
            kept = self.path.parent / "quarantine" / f"{timezone.now():%Y%m%dT%H%M%S}-{self.name}"
            kept.parent.mkdir(exist_ok=True)
            self.path.rename(kept)
            logger.error("What was to be taken over cannot be read and is in %s: %s", kept, error)
            return None

    def forget(self) -> None:
        self.path.unlink(missing_ok=True)


PEOPLE = WaitingText("people.json")
SEARCHES = WaitingText("searches.jsonl")
DECISIONS = WaitingText("decisions.jsonl")
ALL = (PEOPLE, SEARCHES, DECISIONS)


def put_texts_aside() -> None:
    """Keep what can be read of this catalogue, which may be damaged. Raises OSError."""
    people = salvage_people()
    if people is not None:
        PEOPLE.put(people.text)
    for waiting, salvaged in ((SEARCHES, salvage_searches()), (DECISIONS, salvage_decisions())):
        # What an earlier try has put there stays where there is nothing.
        if salvaged is not None and salvaged.count:
            waiting.put(salvaged.text)


def take_over_texts() -> int | None:
    """Bring what waits into this catalogue, which has its photos; returns how many people.

    None where there are none to bring. Call `forget_texts` once this is committed.
    """
    # Where somebody is there, it was done before a kill.
    people = None if User.objects.exists() else PEOPLE.take_over(bring_people)
    SEARCHES.take_over(bring_searches)
    DECISIONS.take_over(bring_decisions)
    return people


def forget_texts() -> None:
    for waiting in ALL:
        waiting.forget()


def end_take_over() -> None:
    """Take over what still waits because a process was killed, if all photos are there by now."""
    if not any(waiting.path.exists() for waiting in ALL):
        return
    there = set(Image.objects.values_list("pk", flat=True).iterator())
    if there.issuperset(components.store().image_ids().tolist()):
        with transaction.atomic():
            take_over_texts()
        forget_texts()


def write_privately(path: Path, text: str) -> None:
    """Write a file that nobody else can read."""
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    path.write_text(text, encoding="utf-8")
