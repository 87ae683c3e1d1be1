"""Typed reading of environment variables that fails loudly; only `gallery.settings` uses it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from zoneinfo import ZoneInfo

from django.core.exceptions import ImproperlyConfigured


def env_text(name: str, default: str) -> str:
    """The variable's text, or the default where it is unset or empty."""
    return os.environ.get(name, "").strip() or default


def env_bool(name: str, default: bool) -> bool:
    """True for 1, true, yes, on; False for 0, false, no, off; else ImproperlyConfigured."""
    text = env_text(name, str(default)).lower()
    if text in {"1", "true", "yes", "on"}:
        return True
    if text in {"0", "false", "no", "off"}:
        return False
    raise ImproperlyConfigured(f"{name} should be yes or no, is {text!r}.")


def env_int(name: str, default: int) -> int:
    """A whole number of at least 1, else ImproperlyConfigured."""
    text = env_text(name, str(default))
    if not text.isdecimal() or int(text) < 1:
        raise ImproperlyConfigured(f"{name} should be a whole number above 0, is {text!r}.")
    return int(text)


def env_choice(name: str, default: str, *, choices: Sequence[str]) -> str:
    """One of the choices, however its letters are written, else ImproperlyConfigured."""
    text = env_text(name, default)
    for choice in choices:
        if choice.lower() == text.lower():
            return choice
    named = f"{', '.join(choices[:-1])} or {choices[-1]}"
    raise ImproperlyConfigured(f"{name} should be {named}, is {text!r}.")


def env_model(name: str, default: str, *, choices: Sequence[str]) -> str:
    """One of the choices or grpc://host:port[,host:port], else ImproperlyConfigured."""
    text = env_text(name, default)
    if text.startswith("grpc://") and text != "grpc://":
        return text
    return env_choice(name, default, choices=(*choices, "grpc://host:port"))


def env_time_zone(name: str, default: str) -> str:
    """A zone of the tz database, else ImproperlyConfigured."""
    text = env_text(name, default)
    try:
        ZoneInfo(text)
    except (KeyError, ValueError, OSError):
        raise ImproperlyConfigured(
            f"{name} should be a time zone such as Europe/Paris, is {text!r}."
        ) from None
    return text


def env_list(name: str, default: str) -> list[str]:
    """Comma-separated entries without the blanks around them."""
    return [part.strip() for part in env_text(name, default).split(",") if part.strip()]


def env_path(name: str, default: Path) -> Path:
    """An absolute path; a relative one counts from the working folder."""
    return Path(env_text(name, str(default))).expanduser().absolute()
