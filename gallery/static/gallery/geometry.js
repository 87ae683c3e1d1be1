// Boxes [xmin, ymin, xmax, ymax] and outlines [[x, y], …] in 0..1 of a frame's sides, y pointing down.

import { gettext, interpolate } from "./translation.js";

export const SMALLEST_SIDE = 0.02;

/** The places of the eight handles of a box, in 0..1 of its sides, by the sides that they move. */
export const HANDLES = {
  nw: [0, 0], n: [0.5, 0], ne: [1, 0], e: [1, 0.5], se: [1, 1], s: [0.5, 1], sw: [0, 1], w: [0, 0.5],
};

const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const STEP = 0.01;

export const clamp = (value, low = 0, high = 1) => Math.min(Math.max(value, low), high);

export const area = ([xmin, ymin, xmax, ymax]) => (xmax - xmin) * (ymax - ymin);

export const holds = ([xmin, ymin, xmax, ymax], [x, y]) =>
  xmin <= x && x <= xmax && ymin <= y && y <= ymax;

/** The box with these two corners, wide and high enough to be grasped. */
export function boxBetween([x, y], [otherX, otherY]) {
  const [left, top] = [Math.min(x, otherX), Math.min(y, otherY)].map((side) => Math.min(side, 1 - SMALLEST_SIDE));
  const right = Math.max(x, otherX, left + SMALLEST_SIDE);
  const bottom = Math.max(y, otherY, top + SMALLEST_SIDE);
  return [left, top, right, bottom];
}

/** The box moved as far as the frame lets it. */
export function moved([xmin, ymin, xmax, ymax], dx, dy) {
  const [x, y] = [clamp(dx, -xmin, 1 - xmax), clamp(dy, -ymin, 1 - ymax)];
  return [xmin + x, ymin + y, xmax + x, ymax + y];
}

/** The box with the sides of a handle moved as far as frame and smallest size let them. */
export function resized([xmin, ymin, xmax, ymax], handle, dx, dy) {
  return [
    handle.includes("w") ? clamp(xmin + dx, 0, xmax - SMALLEST_SIDE) : xmin,
    handle.includes("n") ? clamp(ymin + dy, 0, ymax - SMALLEST_SIDE) : ymin,
    handle.includes("e") ? clamp(xmax + dx, xmin + SMALLEST_SIDE, 1) : xmax,
    handle.includes("s") ? clamp(ymax + dy, ymin + SMALLEST_SIDE, 1) : ymax,
  ];
}

/** The box after an arrow key: moved, or with Shift resized; null for any other key. */
export function boxAfterKey(box, event) {
  const step = STEPS[event.key];
  if (!step || event.altKey || event.ctrlKey || event.metaKey) return null;
  const [dx, dy] = step.map((side) => side * STEP);
  return event.shiftKey ? resized(box, "se", dx, dy) : moved(box, dx, dy);
}

/** The smallest box around an outline. */
export function boxAround(outline) {
  const [xs, ys] = [outline.map(([x]) => x), outline.map(([, y]) => y)];
  return [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)];
}

/** The outline moved and stretched as the box around it was changed into another. */
export function fitted(outline, before, after) {
  const along = (value, axis) =>
    after[axis] + ((value - before[axis]) * (after[axis + 2] - after[axis])) / (before[axis + 2] - before[axis]);
  return outline.map(([x, y]) => [along(x, 0), along(y, 1)]);
}

/** The outline with at most so many points, those that shape it least left out (Douglas–Peucker). */
export function simplified(outline, most) {
  let points = outline;
  for (let tolerance = 0.003; points === outline || points.length > most; tolerance *= 1.4) {
    points = withoutStraight(outline, tolerance);
  }
  return points;
}

function withoutStraight(points, tolerance) {
  if (points.length < 3) return points;
  const [first, last] = [points[0], points.at(-1)];
  let [furthest, distance] = [0, -1];
  for (let i = 1; i < points.length - 1; i += 1) {
    const away = distanceTo(points[i], first, last);
    if (away > distance) [furthest, distance] = [i, away];
  }
  if (distance <= tolerance) return [first, last];
  return [
    ...withoutStraight(points.slice(0, furthest + 1), tolerance),
    ...withoutStraight(points.slice(furthest), tolerance).slice(1),
  ];
}

/** From a point to the line between two others, or to the first where both are one. */
function distanceTo([x, y], [startX, startY], [endX, endY]) {
  const [dx, dy] = [endX - startX, endY - startY];
  const length = Math.hypot(dx, dy);
  if (length === 0) return Math.hypot(x - startX, y - startY);
  return Math.abs(dx * (startY - y) - dy * (startX - x)) / length;
}

/** A box in words: "left 10%, top 20%, 40% wide, 30% high". */
export function placeInWords([xmin, ymin, xmax, ymax]) {
  const [left, top, width, height] = [xmin, ymin, xmax - xmin, ymax - ymin].map(percent);
  const words = gettext("left %(left)s%, top %(top)s%, %(width)s% wide, %(height)s% high");
  return interpolate(words, { left, top, width, height });
}

export const percent = (share) => Math.round(100 * share);
