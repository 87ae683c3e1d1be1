"""Why a photo is not searchable, as workers write it down in English and pages say it."""

from __future__ import annotations

import re

from django.utils.translation import gettext, gettext_noop

#: Sentences with facts in them, as `detector.errors` words them. All others are translated whole.
_WITH_FACTS = (
    gettext_noop("The detector failed: the detector at %(address)s is unavailable."),
    gettext_noop(
        "The detector failed: the detector at %(address)s is still loading the model %(name)s."
    ),
    gettext_noop(
        "The detector failed: the detector at %(address)s does not have the model %(name)s."
    ),
)


def _pattern(sentence: str) -> re.Pattern[str]:
    """What finds a sentence's facts again."""
    return re.compile(re.sub(r"%\\\((\w+)\\\)s", r"(?P<\1>\\S+)", re.escape(sentence)))


_PATTERNS = [(sentence, _pattern(sentence)) for sentence in _WITH_FACTS]


def shown_failure(reason: str) -> str:
    """A reason in the reader's language, where it is translated; "" where there is none."""
    for sentence, pattern in _PATTERNS:
        if found := pattern.fullmatch(reason):
            return gettext(sentence) % found.groupdict()
    return gettext(reason) if reason else ""
