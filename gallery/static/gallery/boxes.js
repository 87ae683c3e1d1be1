// Boxes over pictures: labels of one size at any zoom, and boxes that light up with their partners.

const LABEL_PADDING = 6;

const resized = new ResizeObserver((entries) => {
  for (const { target } of entries) fitLabels(target);
});

/** Draws the labels of an overlay in screen pixels, within what can be seen of it, none on another. */
function fitLabels(overlay) {
  const toScreen = overlay.getScreenCTM();
  if (!toScreen?.a) return;
  const scale = 1 / toScreen.a;
  const seen = visiblePart(overlay);
  const [left, right] = [seen.left, seen.right].map((x) => (x - toScreen.e) * scale);
  const [top, bottom] = [seen.top, seen.bottom].map((y) => (y - toScreen.f) * scale);
  const placed = [];
  for (const label of overlay.querySelectorAll(".box-label")) {
    const [box, text] = [label.querySelector("rect"), label.querySelector("text")];
    const isSeen = liesWithin(lineOf(overlay, label), seen);
    label.classList.toggle("is-out-of-sight", !isSeen);
    if (!isSeen) continue;
    const width = text.getComputedTextLength() + 2 * LABEL_PADDING;
    const height = box.height.baseVal.value;
    box.setAttribute("width", width);
    const [w, h] = [width * scale, height * scale];
    const [boxLeft, boxTop] = label.dataset.corner.split(" ").map(Number);
    const x = Math.max(left, Math.min(boxLeft, right - w));
    let y = Math.max(top, Math.min(boxTop, bottom - h));
    const covers = (other) => x < other.x + other.w && other.x < x + w && y < other.y + h && other.y < y + h;
    for (let other; (other = placed.find(covers)) && other.y + 2 * h <= bottom; ) y = other.y + h;
    placed.push({ x, y, w });
    label.setAttribute("transform", `translate(${x} ${y}) scale(${scale})`);
  }
}

const lineOf = (overlay, label) =>
  overlay.querySelector(`[data-box="${label.dataset.box}"] .box-line`)?.getBoundingClientRect();

/** What of an overlay is in sight, in pixels of the window: a zoomed picture is larger than its stage. */
function visiblePart(overlay) {
  const whole = overlay.getBoundingClientRect();
  const stage = overlay.closest("[data-canvas]")?.getBoundingClientRect();
  if (!stage) return whole;
  return {
    left: Math.max(whole.left, stage.left),
    right: Math.min(whole.right, stage.right),
    top: Math.max(whole.top, stage.top),
    bottom: Math.min(whole.bottom, stage.bottom),
  };
}

const liesWithin = (box, seen) =>
  !box || (box.left <= seen.right && box.right >= seen.left && box.top <= seen.bottom && box.bottom >= seen.top);

function watch() {
  resized.disconnect();
  for (const overlay of document.querySelectorAll("svg.boxes")) resized.observe(overlay);
}

/** Within its pair or page, lights up the box that something belongs to. */
function light(event) {
  const part = event.target.closest?.("[data-box]") ?? boxAt(event);
  const scope = event.target.closest?.(".why, main");
  if (!scope) return;
  for (const lit of document.querySelectorAll(".is-lit, .has-lit")) {
    lit.classList.remove("is-lit", "has-lit");
  }
  if (!part) return;
  scope.classList.add("has-lit");
  for (const partner of scope.querySelectorAll(`[data-box="${part.dataset.box}"]`)) {
    partner.classList.add("is-lit");
  }
}

/** The smallest box on a photo's own page that a pointer is within. */
function boxAt({ target, clientX: x, clientY: y }) {
  const picture = target.closest?.("#picture");
  const isHidden = document.documentElement.dataset.boxes === "hidden";
  if (!picture || x === undefined || isHidden || picture.querySelector("[role=application]")) return null;
  let smallest = null;
  for (const line of picture.querySelectorAll(".boxes > [data-box] > .box-line")) {
    const { left, right, top, bottom } = line.getBoundingClientRect();
    if (x < left || x > right || y < top || y > bottom) continue;
    const area = (right - left) * (bottom - top);
    if (!smallest || area < smallest.area) smallest = { area, box: line.parentElement };
  }
  return smallest?.box ?? null;
}

document.addEventListener("pointerover", light);
document.addEventListener("pointermove", (event) => {
  if (event.target.closest?.("#picture") && !event.buttons) light(event);
});
document.addEventListener("focusin", light);
document.addEventListener("gallery:moved", () => {
  for (const overlay of document.querySelectorAll("[data-canvas] svg.boxes")) fitLabels(overlay);
});
document.addEventListener("gallery:renewed", watch);
watch();
