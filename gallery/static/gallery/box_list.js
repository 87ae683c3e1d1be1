// The drawing as a list: each object with its name and its place in fields, so that all can be typed.

import { clamp, percent, resized, SMALLEST_SIDE } from "./geometry.js";
import { colourOf } from "./palette.js";
import { shownName } from "./object_names.js";
import { gettext } from "./translation.js";

export class BoxList {
  #drawing;
  #list;
  #template;
  #nameOf;
  #rows = new Map();

  /** `nameOf(text)` is the object class that a text names, or null. */
  constructor(list, template, drawing, nameOf) {
    this.#drawing = drawing;
    this.#list = list;
    this.#template = template;
    this.#nameOf = nameOf;
    for (const name of ["change", "select"]) drawing.addEventListener(name, () => this.#render());
    list.addEventListener("change", (event) => this.#changed(event));
    list.addEventListener("click", (event) => this.#clicked(event));
    list.addEventListener("focusin", (event) => drawing.select(idOf(event.target)));
  }

  /** Gives the name of an object the focus. */
  edit(id) {
    const name = this.#rows.get(id)?.querySelector("[data-field=name]");
    name?.focus();
    name?.select();
  }

  #changed(event) {
    const id = idOf(event.target);
    const { field } = event.target.dataset;
    if (field === "name") {
      const name = this.#nameOf(event.target.value);
      event.target.setCustomValidity(name ? "" : gettext("There is no such object; choose one of the list."));
      if (event.target.reportValidity()) this.#drawing.change(id, { name });
      return;
    }
    const { box } = this.#drawing.items.find((item) => item.id === id);
    this.#drawing.change(id, { box: boxWith(box, field, event.target.valueAsNumber / 100) });
  }

  #clicked(event) {
    const action = event.target.closest("[data-action]")?.dataset.action;
    if (!action) return;
    const id = idOf(event.target);
    if (action === "duplicate") this.edit(this.#drawing.duplicate(id).id);
    if (action === "delete") {
      this.#drawing.remove(id);
      if (this.#drawing.selected) this.edit(this.#drawing.selectedId);
      else document.querySelector("#object").focus();
    }
  }

  #render() {
    const { items, selectedId, isFull } = this.#drawing;
    for (const [id, row] of this.#rows) {
      if (items.some((item) => item.id === id)) continue;
      row.remove();
      this.#rows.delete(id);
    }
    items.forEach((item, place) => {
      if (!this.#rows.has(item.id)) this.#rows.set(item.id, this.#rowOf(item));
      const row = this.#rows.get(item.id);
      if (row !== this.#list.children[place] && !row.contains(document.activeElement)) {
        this.#list.insertBefore(row, this.#list.children[place] ?? null);
      }
      row.classList.toggle("is-selected", item.id === selectedId);
      fill(row, item, place);
      row.querySelector("[data-action=duplicate]").disabled = isFull;
    });
  }

  #rowOf(item) {
    const row = this.#template.content.cloneNode(true).querySelector("li");
    row.dataset.item = item.id;
    return row;
  }
}

function fill(row, { name, box, region }, place) {
  const shown = shownName(name);
  row.querySelector(".swatch").setAttribute("class", `swatch ${colourOf(place)}`);
  row.querySelector("fieldset").setAttribute("aria-label", `${place + 1}: ${shown}${region ? `, ${gettext("an area")}` : ""}`);
  for (const words of row.querySelectorAll("[data-words=name]")) words.textContent = shown;
  const [left, top, right, bottom] = box;
  const values = { name: shown, left, top, width: right - left, height: bottom - top };
  for (const [field, value] of Object.entries(values)) {
    const input = row.querySelector(`[data-field=${field}]`);
    const text = field === "name" ? value : String(percent(value));
    // What is just typed is not taken out of somebody's hands.
    if (input !== document.activeElement || document.activeElement.validity.valid) input.value = text;
  }
}

/** The box with one of its facts changed and cut off at the frame; as it is for no number. */
function boxWith(box, field, share) {
  const [left, top, right, bottom] = box;
  if (Number.isNaN(share)) return box;
  const corner = clamp(share, 0, 1 - SMALLEST_SIDE);
  if (field === "left") return [corner, top, Math.min(corner + right - left, 1), bottom];
  if (field === "top") return [left, corner, right, Math.min(corner + bottom - top, 1)];
  if (field === "width") return resized(box, "e", share - (right - left), 0);
  return resized(box, "s", 0, share - (bottom - top));
}

function idOf(element) {
  return Number(element.closest("[data-item]").dataset.item);
}
