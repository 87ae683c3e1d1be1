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
  const bounds = overlay.getBoundingClientRect();
  const left = (bounds.left - toScreen.e) * scale;
  const top = (bounds.top - toScreen.f) * scale;
  const right = left + bounds.width * scale;
  const bottom = top + bounds.height * scale;
  const placed = [];
  for (const label of overlay.querySelectorAll(".box-label")) {
    const [box, text] = [label.querySelector("rect"), label.querySelector("text")];
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

function watch() {
  for (const overlay of document.querySelectorAll("svg.boxes")) resized.observe(overlay);
}

/** Within its pair or page, lights up the box that something belongs to. */
function light(event) {
  const part = event.target.closest?.("[data-box]");
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

document.addEventListener("pointerover", light);
document.addEventListener("focusin", light);
document.addEventListener("gallery:renewed", watch);
watch();
