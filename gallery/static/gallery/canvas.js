// The canvas: shows a drawing, and lets pointers and keys draw, move and resize what is on it.

import { asRegion } from "./drawing.js";
import { area, boxAfterKey, boxAround, boxBetween, holds, moved, placeInWords, resized, SMALLEST_SIDE } from "./geometry.js";
import { followPointer, handlesOf, rectOf, scaleOf, setAttributes, svg } from "./overlay.js";
import { colourOf } from "./palette.js";
import { shownName } from "./object_names.js";
import { gettext } from "./translation.js";

// Presses of one key that follow each other this fast are undone together.
const KEY_PAUSE = 1000;
const LABEL_HEIGHT = 20;
const LABEL_PADDING = 6;

export class Canvas {
  #drawing;
  #overlay;
  #groups = new Map();
  #draft = svg("polygon", { class: "draft", hidden: "" });
  #callbacks;
  #keyStep = null;
  #keyTime = 0;

  /**
   * `chosenName()` names the object that is drawn next, or is null and says what is missing;
   * `isFreehand()` tells whether areas are drawn; `onOutline()` is called when one is, `onEdit(id)`
   * where the fields of an object are asked for. `looks(item, place)` may give its { colour,
   * label, words, mark }: a class, what is on its label and what is said of it, and a path that is drawn
   * on the label's first 16 pixels, or "".
   */
  constructor(overlay, drawing, callbacks) {
    this.#overlay = overlay;
    this.#drawing = drawing;
    this.#callbacks = callbacks;
    overlay.append(this.#draft);
    for (const name of ["change", "select"]) drawing.addEventListener(name, () => this.#render());
    new ResizeObserver(() => this.#render()).observe(overlay);
    followPointer(overlay, (point, event) => this.#press(point, event));
    overlay.addEventListener("keydown", (event) => this.#key(event));
    overlay.addEventListener("focusin", (event) => {
      const id = idOf(event.target);
      if (id !== null) drawing.select(id);
    });
    overlay.addEventListener("dblclick", (event) => {
      if (drawing.selected && event.target.closest("[data-item]")) callbacks.onEdit(drawing.selectedId);
    });
  }

  /** Gives an object the focus. */
  focus(id) {
    this.#groups.get(id)?.focus({ preventScroll: true });
  }

  #press(point, event) {
    const drawing = this.#drawing;
    if (!this.#callbacks.isFreehand()) {
      const handle = event.target.closest("[data-handle]")?.dataset.handle;
      if (handle) return this.#follow(point, (box, dx, dy) => resized(box, handle, dx, dy));
      const pressed = event.shiftKey ? null : this.#itemAt(point, event);
      if (pressed) {
        drawing.select(pressed.id);
        this.focus(pressed.id);
        return this.#follow(point, moved);
      }
    }
    drawing.select(null);
    return this.#draw(point);
  }

  /** The object under a pointer: the selected one first, then the smallest. */
  #itemAt(point, event) {
    const label = idOf(event.target.closest(".box-label") ?? this.#overlay);
    const under = this.#drawing.items.filter((item) => item.id === label || holds(item.box, point));
    under.sort((one, other) => area(one.box) - area(other.box));
    return under.find((item) => item.id === this.#drawing.selectedId) ?? under[0] ?? null;
  }

  #follow([startX, startY], change) {
    const { id, box } = this.#drawing.selected;
    const step = Symbol("drag");
    return {
      move: ([x, y]) => this.#drawing.change(id, { box: change(box, x - startX, y - startY) }, step),
      end: () => this.focus(id),
    };
  }

  /** Draws a box, or an area, as soon as the pointer has gone far enough to mean one. */
  #draw(start) {
    const isFreehand = this.#callbacks.isFreehand();
    const outline = [start];
    let name;
    return {
      move: (point) => {
        outline.push(point);
        if (name === undefined && distance(start, point) >= SMALLEST_SIDE) name = this.#callbacks.chosenName();
        if (name) this.#showDraft(isFreehand ? outline : cornersOf(boxBetween(start, point)));
      },
      end: (kept) => {
        this.#draft.setAttribute("hidden", "");
        if (!kept || !name) return;
        if (!isFreehand) this.focus(this.#drawing.add(name, boxBetween(start, outline.at(-1))).id);
        else this.#addOutline(name, asRegion(outline));
      },
    };
  }

  #addOutline(name, region) {
    const box = boxAround(region);
    if (region.length < 3 || Math.min(box[2] - box[0], box[3] - box[1]) < SMALLEST_SIDE) return;
    const { id } = this.#drawing.add(name, box, region);
    this.#callbacks.onOutline();
    this.focus(id);
  }

  #showDraft(outline) {
    this.#draft.removeAttribute("hidden");
    this.#draft.setAttribute("points", pointsOf(outline, scaleOf(this.#overlay)));
    this.#overlay.append(this.#draft);
  }

  #key(event) {
    const drawing = this.#drawing;
    if (!drawing.selected || idOf(event.target) !== drawing.selectedId) return;
    const { id, box } = drawing.selected;
    const after = boxAfterKey(box, event);
    const command = event.ctrlKey || event.metaKey;
    if (after) drawing.change(id, { box: after }, this.#stepOfKeys());
    else if (event.key === "Delete" || event.key === "Backspace") {
      drawing.remove(id);
      if (drawing.selected) this.focus(drawing.selectedId);
      else this.#overlay.focus();
    } else if (event.key === "Enter" && !command) this.#callbacks.onEdit(id);
    else if (event.key === "Escape") {
      this.#overlay.focus();
      drawing.select(null);
    } else if (command && event.key.toLowerCase() === "d" && !drawing.isFull) this.focus(drawing.duplicate(id).id);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  #stepOfKeys() {
    const now = performance.now();
    if (now - this.#keyTime > KEY_PAUSE) this.#keyStep = Symbol("keys");
    this.#keyTime = now;
    return this.#keyStep;
  }

  // Groups of objects stay as long as these do, and with them the focus.
  #render() {
    const { items, selected } = this.#drawing;
    const scale = scaleOf(this.#overlay);
    for (const [id, group] of this.#groups) {
      if (items.some((item) => item.id === id)) continue;
      group.remove();
      this.#groups.delete(id);
    }
    items.forEach((item, place) => {
      if (!this.#groups.has(item.id)) this.#groups.set(item.id, groupOf(item));
      const group = this.#groups.get(item.id);
      const chosen = item === selected;
      const looks = (this.#callbacks.looks ?? plainLooks)(item, place);
      setAttributes(group, {
        class: `drawn box ${looks.colour}${chosen ? " is-chosen" : ""}`,
        "aria-label": `${looks.words}${item.region ? `, ${gettext("an area")}` : ""}: ${placeInWords(item.box)}`,
      });
      draw(group, item, looks, scale);
      if (!group.parentNode || group !== this.#overlay.children[place]) insertAt(this.#overlay, group, place);
    });
    this.#overlay.querySelector(".handles")?.remove();
    if (selected) this.#overlay.append(handlesOf(selected.box, scale));
  }
}

/** Moving a focused element would take the focus from it, so the others are moved around it. */
function insertAt(overlay, group, place) {
  const before = overlay.children[place] ?? null;
  if (group.parentNode && group === document.activeElement) return;
  overlay.insertBefore(group, before);
}

function groupOf(item) {
  const shape = (name) => svg(item.region ? "polygon" : "rect", { class: name });
  const label = svg("g", { class: "box-label" }, svg("rect", { height: LABEL_HEIGHT }), svg("path"), svg("text", { x: LABEL_PADDING, y: 14.5 }));
  return svg("g", { "data-item": item.id, tabindex: 0, role: "button" },
    shape("box-casing"), shape("box-line"), label);
}

const plainLooks = (item, place) => ({
  colour: colourOf(place), label: shownName(item.name), words: shownName(item.name), mark: "",
});

function draw(group, { box, region }, looks, scale) {
  const rect = rectOf(box, scale);
  const shape = region ? { points: pointsOf(region, scale) } : rect;
  for (const part of group.querySelectorAll(".box-casing, .box-line")) setAttributes(part, shape);
  const [label, text] = [group.querySelector(".box-label"), group.querySelector("text")];
  if (text.textContent !== looks.label) text.textContent = looks.label;
  label.querySelector("path").setAttribute("d", looks.mark);
  const width = text.getComputedTextLength() + 2 * LABEL_PADDING;
  label.querySelector("rect").setAttribute("width", width);
  const { pixel } = scale;
  const x = Math.max(0, Math.min(rect.x, scale.width - width * pixel));
  const y = Math.min(rect.y, scale.height - LABEL_HEIGHT * pixel);
  label.setAttribute("transform", `translate(${x} ${y}) scale(${pixel})`);
}

const distance = ([x, y], [otherX, otherY]) => Math.hypot(otherX - x, otherY - y);

const cornersOf = ([left, top, right, bottom]) => [[left, top], [right, top], [right, bottom], [left, bottom]];

const pointsOf = (outline, { width, height }) =>
  outline.map(([x, y]) => `${x * width},${y * height}`).join(" ");

function idOf(element) {
  const group = element.closest?.("[data-item]");
  return group ? Number(group.dataset.item) : null;
}
