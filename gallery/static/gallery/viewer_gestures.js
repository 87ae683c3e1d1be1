// What mouse, pen and fingers do on the stage: pan, pinch, wheel, double click, swipe.

const WHEEL = 0.0016;
// Two fingers on a touchpad come as a wheel with Ctrl, in smaller steps.
const PINCHED_WHEEL = 0.01;
const SWIPE = 60;
const STILL = 8;
const DOUBLE_MS = 320;
const DOUBLE_REACH = 32;

const distance = ([one, other]) => Math.hypot(one.clientX - other.clientX, one.clientY - other.clientY);
const middle = ([one, other]) => ({
  clientX: (one.clientX + other.clientX) / 2,
  clientY: (one.clientY + other.clientY) / 2,
});

/** Has a canvas zoom its picture; `turn(-1 | 1)` is called for a swipe to the photo before or after. */
export function followGestures(canvas, zoom, turn) {
  const touching = new Map();
  let start = null;
  let lastTap = null;

  canvas.addEventListener("wheel", (event) => {
    if (!event.ctrlKey && event.deltaY > 0 && !zoom.isZoomed) return;
    event.preventDefault();
    const speed = event.ctrlKey ? PINCHED_WHEEL : WHEEL;
    zoom.to(zoom.scale * Math.exp(-event.deltaY * speed), event);
  }, { passive: false });

  canvas.addEventListener("pointerdown", (event) => {
    // What is laid over the picture to work on has the pointer for itself.
    if (event.defaultPrevented || event.button !== 0 || event.target.closest("a, button, [role=application]")) return;
    touching.set(event.pointerId, event);
    if (touching.size === 1) start = event;
    else start = null;
    canvas.setPointerCapture(event.pointerId);
  });

  canvas.addEventListener("pointermove", (event) => {
    const before = touching.get(event.pointerId);
    if (!before) return;
    if (touching.size === 2) {
      const earlier = [...touching.values()];
      touching.set(event.pointerId, event);
      const now = [...touching.values()];
      const [from, to] = [middle(earlier), middle(now)];
      zoom.to(zoom.scale * (distance(now) / (distance(earlier) || 1)), from);
      zoom.pan(to.clientX - from.clientX, to.clientY - from.clientY);
      return;
    }
    touching.set(event.pointerId, event);
    if (zoom.isZoomed) zoom.pan(event.clientX - before.clientX, event.clientY - before.clientY);
    else if (start && event.pointerType !== "mouse") zoom.lean(event.clientX - start.clientX);
  });

  const end = (event, kept) => {
    if (!touching.delete(event.pointerId)) return;
    const began = start;
    start = null;
    if (!zoom.isZoomed) zoom.lean(0);
    if (!kept || !began) return;
    const [dx, dy] = [event.clientX - began.clientX, event.clientY - began.clientY];
    if (Math.hypot(dx, dy) < STILL) tap(event);
    else if (!zoom.isZoomed && event.pointerType !== "mouse" && Math.abs(dx) > SWIPE && Math.abs(dx) > 2 * Math.abs(dy)) {
      turn(dx < 0 ? 1 : -1);
    }
  };
  canvas.addEventListener("pointerup", (event) => end(event, true));
  canvas.addEventListener("pointercancel", (event) => end(event, false));

  function tap(event) {
    const isDouble = lastTap && event.timeStamp - lastTap.timeStamp < DOUBLE_MS && distance([event, lastTap]) < DOUBLE_REACH;
    lastTap = isDouble ? null : event;
    if (isDouble) zoom.toggle(event);
  }
}
