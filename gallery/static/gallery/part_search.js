// Searching with a part of a picture: a rectangle chosen on it by mouse, finger or keys.

import { boxAfterKey, boxBetween, holds, moved, placeInWords, resized } from "./geometry.js";
import { followPointer, handlesOf, rectOf, scaleOf, setAttributes, svg } from "./overlay.js";
import { gettext, interpolate } from "./translation.js";

// Where no object is sure.
const MIDDLE = [0.25, 0.25, 0.75, 0.75];
// As much of an object must lie within the part, as the gallery counts it.
const PART_OF_OBJECT = 0.5;
const SPEAKING_PAUSE = 400;

/** A part that is being chosen, over the picture that a button names. */
class PartChoice {
  #button;
  #picture;
  #objects;
  #box = MIDDLE;
  #shade = svg("path", { class: "part-shade", "fill-rule": "evenodd" });
  #frame = svg("rect", { class: "part-frame" });
  #overlay;
  #tools;
  #speaking = 0;

  constructor(button) {
    const { part, objects, width, height, picture } = button.dataset;
    this.#button = button;
    this.#picture = document.querySelector(picture);
    this.#objects = JSON.parse(objects);
    if (part) this.#box = part.split(",").map(Number);
    else if (this.#objects.length) this.#box = this.#objects[0].box;
    this.#overlay = svg("svg", {
      class: "part-overlay",
      viewBox: `0 0 ${width} ${height}`,
      tabindex: 0,
      role: "application",
      "aria-roledescription": gettext("selection"),
      "aria-describedby": "part-help",
    }, this.#shade, this.#frame);
    const template = document.querySelector("#part-tools");
    this.#tools = template.content.cloneNode(true).querySelector(".part-tools");
    template.after(this.#tools);
    this.#open();
  }

  #open() {
    this.#picture.append(this.#overlay);
    this.#picture.classList.add("is-choosing");
    this.#button.hidden = true;
    this.#tools.querySelector("[data-part-go]").addEventListener("click", () => this.#search());
    this.#tools.querySelector("[data-part-leave]").addEventListener("click", () => this.#leave());
    followPointer(this.#overlay, (point, event) => this.#press(point, event));
    this.#overlay.addEventListener("keydown", (event) => this.#key(event));
    // A picture may itself be a link.
    this.#overlay.addEventListener("click", (event) => event.preventDefault());
    new ResizeObserver(() => this.#render()).observe(this.#overlay);
    this.#overlay.focus({ preventScroll: true });
    this.#picture.scrollIntoView({ block: "nearest" });
    this.#describe();
  }

  #leave() {
    this.#overlay.remove();
    this.#tools.remove();
    this.#picture.classList.remove("is-choosing");
    this.#button.hidden = false;
    this.#button.focus();
  }

  #search() {
    const address = new URL(this.#button.dataset.address, location.href);
    address.searchParams.set("part", this.#box.map((side) => side.toFixed(3)).join(","));
    location.assign(address.href.replaceAll("%2C", ","));
  }

  #press([startX, startY], event) {
    const box = this.#box;
    const handle = event.target.closest("[data-handle]")?.dataset.handle;
    let change = ([x, y]) => boxBetween([startX, startY], [x, y]);
    if (handle) change = ([x, y]) => resized(box, handle, x - startX, y - startY);
    else if (holds(box, [startX, startY])) change = ([x, y]) => moved(box, x - startX, y - startY);
    this.#overlay.focus();
    return {
      move: (point) => {
        this.#box = change(point);
        this.#render();
      },
      end: () => this.#describe(),
    };
  }

  #key(event) {
    const box = boxAfterKey(this.#box, event);
    if (box) {
      this.#box = box;
      this.#render();
      clearTimeout(this.#speaking);
      this.#speaking = setTimeout(() => this.#describe(), SPEAKING_PAUSE);
    } else if (event.key === "Enter") this.#search();
    else if (event.key === "Escape") this.#leave();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  #render() {
    const scale = scaleOf(this.#overlay);
    const { x, y, width, height } = rectOf(this.#box, scale);
    setAttributes(this.#frame, { x, y, width, height });
    this.#shade.setAttribute("d", `M0 0H${scale.width}V${scale.height}H0Z M${x} ${y}h${width}v${height}h${-width}Z`);
    this.#overlay.querySelector(".handles")?.remove();
    this.#overlay.append(handlesOf(this.#box, scale));
    this.#tools.querySelector("[data-part-objects]").textContent = this.#objectsInWords();
  }

  #describe() {
    this.#overlay.setAttribute("aria-label", interpolate(gettext("Part of the picture: %(place)s"), { place: placeInWords(this.#box) }));
    this.#tools.querySelector("[role=status]").textContent = `${placeInWords(this.#box)}. ${this.#objectsInWords()}`;
  }

  #objectsInWords() {
    const counts = new Map();
    for (const { name, box } of this.#objects) {
      if (shareWithin(box, this.#box) >= PART_OF_OBJECT) counts.set(name, (counts.get(name) ?? 0) + 1);
    }
    if (!counts.size) return gettext("No sure object is in it.");
    const objects = [...counts].map(([name, count]) => (count > 1 ? `${name} × ${count}` : name)).join(", ");
    return interpolate(gettext("In it: %(objects)s"), { objects });
  }
}

/** How much of a box lies within a part, 0..1. */
function shareWithin([xmin, ymin, xmax, ymax], [left, top, right, bottom]) {
  const width = Math.max(0, Math.min(xmax, right) - Math.max(xmin, left));
  const height = Math.max(0, Math.min(ymax, bottom) - Math.max(ymin, top));
  return (width * height) / ((xmax - xmin) * (ymax - ymin));
}

const show = () => {
  for (const button of document.querySelectorAll("[data-part-search]")) button.hidden = false;
};

document.addEventListener("click", (event) => {
  const button = event.target.closest?.("[data-part-search]");
  if (button) new PartChoice(button);
});
document.addEventListener("gallery:renewed", show);
show();
