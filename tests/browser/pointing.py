"""Pointing at pictures and canvases: places are (x, y) in 0..1 of the sides."""

from __future__ import annotations

from collections.abc import Sequence

from playwright.sync_api import Locator

Place = tuple[float, float]


def drag(target: Locator, *places: Place) -> None:
    """Press the mouse at the first place, let it go at the last."""
    mouse = target.page.mouse
    (x, y), *others = [_on_screen(target, place) for place in places]
    mouse.move(x, y)
    mouse.down()
    for x, y in others:
        mouse.move(x, y, steps=4)
    mouse.up()


def drag_by_finger(target: Locator, *places: Place) -> None:
    """The same on a touchscreen."""
    session = target.page.context.new_cdp_session(target.page)
    points = [{"x": x, "y": y} for x, y in (_on_screen(target, place) for place in places)]

    def touch(kind: str, touched: Sequence[dict[str, float]]) -> None:
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": list(touched)})

    touch("touchStart", points[:1])
    for point in points[1:]:
        touch("touchMove", [point])
    touch("touchEnd", [])
    session.detach()


def _on_screen(target: Locator, place: Place) -> Place:
    box = target.bounding_box()
    assert box is not None, "there is nothing to point at"
    return box["x"] + place[0] * box["width"], box["y"] + place[1] * box["height"]
