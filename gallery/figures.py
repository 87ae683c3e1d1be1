"""Numbers as the reader writes them: "1,234" and "97%", or "1 234" and "97 %"."""

from __future__ import annotations

from django.utils.formats import number_format
from django.utils.translation import gettext


def grouped(number: float, decimals: int = 0) -> str:
    """A number with its thousands set apart."""
    rounded = round(number, decimals) if decimals else round(number)
    return str(number_format(rounded, decimal_pos=decimals, force_grouping=True))


def percentage(share: float) -> str:
    """0..1 as per cent without decimals."""
    # Translators: a share, such as 97%, with the blank that comes before the sign.
    return gettext("%(number)s%%") % {"number": f"{100 * share:.0f}"}
