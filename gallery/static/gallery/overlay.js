// What is laid over a picture or an empty frame and worked on: SVG, pointers, handles.

import { clamp, HANDLES } from "./geometry.js";

const SVG = "http://www.w3.org/2000/svg";
const HANDLE_RADIUS = 6;
// A finger needs 44 pixels.
const FINGER_RADIUS = 22;
// Shorter sides have no handle in their middle; where both are short, there is room for one in a corner.
const [ROOM_FOR_MIDDLE, ROOM_FOR_CORNERS] = [4 * FINGER_RADIUS, 2.5 * FINGER_RADIUS];

/** An SVG element with attributes and children. */
export function svg(name, attributes = {}, ...children) {
  const element = document.createElementNS(SVG, name);
  setAttributes(element, attributes);
  element.append(...children);
  return element;
}

export function setAttributes(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
}

/** The size of an overlay in its own units, and how many of them one pixel of the screen has. */
export function scaleOf(overlay) {
  const { width, height } = overlay.viewBox.baseVal;
  return { width, height, pixel: 1 / (overlay.getScreenCTM()?.a || 1) };
}

/** Where on an overlay something points, in 0..1 of its sides. */
export function pointOn(overlay, event) {
  const { width, height } = overlay.viewBox.baseVal;
  const place = new DOMPoint(event.clientX, event.clientY).matrixTransform(overlay.getScreenCTM().inverse());
  return [clamp(place.x / width), clamp(place.y / height)];
}

/** The attributes of a rectangle for a box in 0..1. */
export function rectOf([xmin, ymin, xmax, ymax], { width, height }) {
  return {
    x: xmin * width, y: ymin * height, width: (xmax - xmin) * width, height: (ymax - ymin) * height,
  };
}

/** The handles of a box that there is room for, eight at most, of one size at any zoom. */
export function handlesOf([xmin, ymin, xmax, ymax], { width, height, pixel }) {
  const wide = ((xmax - xmin) * width) / pixel;
  const high = ((ymax - ymin) * height) / pixel;
  const hasRoom = ([name, [x, y]]) => {
    if (x === 0.5) return wide >= ROOM_FOR_MIDDLE;
    if (y === 0.5) return high >= ROOM_FOR_MIDDLE;
    return name === "se" || Math.max(wide, high) >= ROOM_FOR_CORNERS;
  };
  const handles = Object.entries(HANDLES).filter(hasRoom).map(([name, [x, y]]) => {
    const centre = { cx: (xmin + x * (xmax - xmin)) * width, cy: (ymin + y * (ymax - ymin)) * height };
    return svg("g", { class: `handle handle-${name}`, "data-handle": name },
      svg("circle", { ...centre, r: FINGER_RADIUS * pixel, class: "handle-reach" }),
      svg("circle", { ...centre, r: HANDLE_RADIUS * pixel, class: "handle-dot" }));
  });
  return svg("g", { class: "handles", "aria-hidden": "true" }, ...handles);
}

/**
 * Follows a pointer over an overlay, by mouse, pen or finger.
 *
 * `begin(point, event)` answers null or { move(point), end(kept) }; points are in 0..1 of the
 * sides, and `kept` is false where the system took the pointer away.
 */
export function followPointer(overlay, begin) {
  overlay.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || !event.isPrimary) return;
    const drag = begin(pointOn(overlay, event), event);
    if (!drag) return;
    event.preventDefault();
    overlay.setPointerCapture(event.pointerId);
    const ended = new AbortController();
    const listen = (name, listener) => overlay.addEventListener(name, listener, { signal: ended.signal });
    const end = (kept) => {
      ended.abort();
      drag.end(kept);
    };
    listen("pointermove", (move) => drag.move(pointOn(overlay, move)));
    listen("pointerup", () => end(true));
    listen("pointercancel", () => end(false));
  });
}
