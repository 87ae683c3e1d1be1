"""Slows down the guessing of passwords, by name and by address.

A try is counted before its password is looked at, so that tries at once are counted, too, and is
taken back when the password was right. Names are counted whether or not they exist.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import ngettext

from gallery.access.models import SignInTries
from gallery.errors import Refused

# A team behind one address mistypes more often than one person.
FREE_TRIES_BY_NAME = 5
FREE_TRIES_BY_ADDRESS = 20
FIRST_PAUSE_SECONDS = 30
LONGEST_PAUSE_SECONDS = 15 * 60
# Wrong tries are forgotten when none has followed for so long.
FORGET_SECONDS = 60 * 60


class TooManyTries(Refused):
    """Signing in has to wait."""

    status = 429

    def __init__(self, seconds: float) -> None:
        minutes = max(1, round(seconds / 60))
        sentence = ngettext(
            "There were too many tries. Please wait %(minutes)s minute and try again.",
            "There were too many tries. Please wait %(minutes)s minutes and try again.",
            minutes,
        )
        super().__init__(sentence % {"minutes": minutes})
        self.seconds = seconds


@dataclass(frozen=True)
class Attempt:
    """One try to sign in, which is counted as wrong until it is forgiven."""

    by_name: str
    by_address: str

    def forgive(self) -> None:
        """Take it back: the password was right."""
        SignInTries.objects.filter(key=self.by_name).delete()
        SignInTries.objects.filter(key=self.by_address, failures__gt=0).update(
            failures=F("failures") - 1, blocked_until=timezone.now()
        )


def begin_attempt(name: str, address: str) -> Attempt:
    """Count a try. Raises TooManyTries where one has to wait, and does not count that."""
    attempt = Attempt(_key("name", name.casefold()), _key("address", address))
    now = timezone.now()
    oldest = now - timedelta(seconds=FORGET_SECONDS)
    with transaction.atomic():
        SignInTries.objects.filter(last_at__lt=oldest).delete()
        rows = [
            SignInTries.objects.select_for_update().get_or_create(key=key)[0]
            # Always in this order, so that two requests cannot wait for each other.
            for key in (attempt.by_name, attempt.by_address)
        ]
        pauses = [(row.blocked_until - now).total_seconds() for row in rows if row.failures]
        if any(pause > 0 for pause in pauses):
            raise TooManyTries(max(pauses))
        for row, free in zip(rows, (FREE_TRIES_BY_NAME, FREE_TRIES_BY_ADDRESS), strict=True):
            row.failures += 1
            row.last_at = now
            row.blocked_until = now + timedelta(seconds=_pause(row.failures - free))
            row.save()
    return attempt


def address_of(request: HttpRequest) -> str:
    """Whose tries are counted together: an IPv4 address, or the 64-bit network of an IPv6 one.

    Behind a proxy that the settings tell of, it is the last one of X-Forwarded-For, which the
    proxy has put there; those before it are anybody's claims.
    """
    text = request.META.get("REMOTE_ADDR", "")
    if settings.BEHIND_TLS_PROXY:
        text = request.headers.get("X-Forwarded-For", text).rpartition(",")[2].strip()
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return "unknown"
    if address.version == 6:
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)


def _pause(excess: int) -> int:
    """Seconds to wait after a try that is the first (0), second (1)… beyond the free ones."""
    if excess < 0:
        return 0
    # A shift is a power of two; more of them than this change nothing.
    return min(FIRST_PAUSE_SECONDS << min(excess, 10), LONGEST_PAUSE_SECONDS)


def _key(kind: str, text: str) -> str:
    # A name may be a password that was typed into the wrong field.
    return sha256(f"{kind}:{text}".encode()).hexdigest()
