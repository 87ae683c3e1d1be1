"""What docs/design-language.md says of colours is what base.css has."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
STYLE = (ROOT / "gallery/static/gallery/base.css").read_text()
PAGE = (ROOT / "docs/design-language.md").read_text()
ROLES = {
    name: (light, dark)
    for name, light, dark in re.findall(
        r"--([\w-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\)", STYLE
    )
}
LISTED_ROLES = re.findall(r"^\| `([\w-]+)` \| `(#\w{6})` \| `(#\w{6})` \|", PAGE, re.MULTILINE)
LISTED_PAIRS = re.findall(
    r"^\| `([\w-]+)` \| `([\w-]+)` \| ([\d.]+) \| ([\d.]+) \|$", PAGE, re.MULTILINE
)
EDGES = {"line-strong"}


def luminance(colour: str) -> float:
    """Relative luminance of "#rrggbb" by WCAG 2.2."""
    shares = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    red, green, blue = (
        share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4 for share in shares
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Contrast ratio by WCAG 2.2, 1..21."""
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def test_black_on_white_has_the_greatest_contrast() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.005)


def test_every_colour_role_is_on_the_page_as_it_is() -> None:
    assert {name: (light, dark) for name, light, dark in LISTED_ROLES} == ROLES


def test_every_contrast_on_the_page_is_true_and_enough() -> None:
    assert len(LISTED_PAIRS) > 20
    for name, ground, *figures in LISTED_PAIRS:
        for scheme, figure in enumerate(figures):
            true = contrast(ROLES[name][scheme], ROLES[ground][scheme])
            assert f"{true:.1f}" == figure, (name, ground)
            assert true >= (3 if name in EDGES else 4.5), (name, ground)


def test_every_scale_on_the_page_is_that_of_the_style() -> None:
    for name, size in re.findall(r"^\| `(text-\w+)` \| ([\d.]+) rem", PAGE, re.MULTILINE):
        assert f"--{name}: {size}rem;" in STYLE
    steps = dict(re.findall(r"--(space-\d): ([\d.]+)rem", STYLE))
    told = re.findall(r"`(space-\d)`\s+(\d+(?:\.\d+)?)", PAGE)
    assert dict(told) == steps
