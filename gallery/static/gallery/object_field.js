// The field with the name of the box that is chosen.

import { UNNAMED } from "./corrected_boxes.js";
import { nameOf, shownName } from "./object_names.js";
import { gettext } from "./translation.js";

export class ObjectField {
  #input;
  #boxes;

  /** `leave()` gives the box the focus. */
  constructor(input, boxes, leave) {
    this.#input = input;
    this.#boxes = boxes;
    input.addEventListener("change", () => this.take());
    input.addEventListener("keydown", (event) => this.#key(event, leave));
  }

  get isFocused() {
    return document.activeElement === this.#input;
  }

  get isEmpty() {
    return !this.#input.value.trim();
  }

  edit() {
    this.#input.focus();
    this.#input.select();
  }

  /** Names the chosen box as the field says; false, and says why, where there is no such object. */
  take() {
    const { selected } = this.#boxes;
    if (!selected) return true;
    const name = nameOf(this.#input.value);
    this.#input.setCustomValidity(name ? "" : gettext("There is no such object; choose one of the list."));
    if (!this.#input.reportValidity()) return false;
    if (name !== selected.name) this.#boxes.change(selected.id, { name });
    return true;
  }

  /** Shows the name of the chosen box; what is just typed for it stays. */
  show() {
    const { selected } = this.#boxes;
    const shown = selected ? `${selected.id} ${selected.name}` : "";
    this.#input.disabled = !selected;
    this.#input.setCustomValidity("");
    if (!selected || this.#input.dataset.of !== shown) {
      this.#input.value = selected && selected.name !== UNNAMED ? shownName(selected.name) : "";
    }
    this.#input.dataset.of = shown;
  }

  #key(event, leave) {
    if (event.key === "Enter" && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      if (this.take()) leave();
    } else if (event.key === "Escape") {
      event.stopPropagation();
      this.#input.dataset.of = "";
      this.show();
      leave();
    } else this.#input.setCustomValidity("");
  }
}
