"""Windows that every flow is tried in."""

from __future__ import annotations

PHONE: dict[str, object] = {
    "viewport": {"width": 390, "height": 844},
    "has_touch": True,
    "is_mobile": True,
}
DESKTOP: dict[str, object] = {"viewport": {"width": 1440, "height": 900}}
WINDOWS = {"phone": PHONE, "desktop": DESKTOP}
