// Selecting photos: by checkbox, by a range with Shift, by holding a finger on one, by key.

import { gettext, interpolate, ngettext } from "./translation.js";

const HOLD = 450;
// A finger that moves further scrolls.
const TREMBLE = 10;

/** The photos of a form that can be selected, with those that are. */
export class Selection {
  constructor(form) {
    this.form = form;
    this.anchor = null;
    this.count = form.querySelector("[data-selection-count]");
    this.bar = form.querySelector(".selection-bar");
    this.count.setAttribute("role", "status");
    form.addEventListener("click", (event) => this.#clicked(event));
    form.addEventListener("change", () => this.changed());
    form.addEventListener("reset", () => setTimeout(() => this.changed()));
    // However many there are, they go as one field, since a form may have only so many.
    form.addEventListener("formdata", ({ formData }) => {
      if (!formData.has("photo")) return;
      formData.delete("photo");
      formData.set("photos", this.ids.join(","));
    });
    this.#followFinger();
    // A browser that comes back may have kept the checks.
    this.changed();
  }

  get boxes() {
    return [...this.form.querySelectorAll("input[name=photo]")];
  }

  get selected() {
    return [...this.form.querySelectorAll("input[name=photo]:checked")];
  }

  get ids() {
    return this.selected.map((box) => box.value);
  }

  get isEmpty() {
    return this.form.querySelector("input[name=photo]:checked") === null;
  }

  changed() {
    const count = this.selected.length;
    this.count.textContent = count
      ? interpolate(ngettext("%(count)s selected", "%(count)s selected", count), { count })
      : gettext("None selected");
    if (!count) this.anchor = null;
  }

  toggle(photo, checked) {
    const box = photo.querySelector("input[name=photo]");
    box.checked = checked ?? !box.checked;
    this.anchor = box;
    this.changed();
  }

  /** Selects all from the last one that was touched to this. */
  extendTo(photo, checked = true) {
    const boxes = this.boxes;
    const [from, to] = [boxes.indexOf(this.anchor), boxes.indexOf(photo.querySelector("input"))];
    if (from < 0) return this.toggle(photo, checked);
    for (const box of boxes.slice(Math.min(from, to), Math.max(from, to) + 1)) box.checked = checked;
    this.changed();
  }

  selectAll() {
    for (const box of this.boxes) box.checked = true;
    this.changed();
  }

  clear() {
    for (const box of this.selected) box.checked = false;
    this.changed();
  }

  #clicked(event) {
    const photo = event.target.closest(".thumbnail");
    if (!photo) return;
    if (event.target.matches("input[name=photo]")) {
      if (event.shiftKey && this.anchor) this.extendTo(photo, event.target.checked);
      this.anchor = event.target;
      return;
    }
    const opens = event.target.closest("a");
    if (!opens || event.ctrlKey || event.metaKey || event.altKey) return;
    // Enter opens a photo at any time; what is pressed while some are selected is selected as well.
    const byKey = event.detail === 0;
    if (this.held || event.shiftKey || (!this.isEmpty && !byKey)) {
      event.preventDefault();
      if (this.held) this.held = false;
      else if (event.shiftKey) this.extendTo(photo);
      else this.toggle(photo);
    }
  }

  #followFinger() {
    let timer = 0;
    let start = null;
    const stop = () => clearTimeout(timer);
    this.form.addEventListener("pointerdown", (event) => {
      this.held = false;
      const photo = event.target.closest(".thumbnail");
      if (event.pointerType === "mouse" || !photo || !event.isPrimary) return;
      start = event;
      timer = setTimeout(() => {
        this.held = true;
        this.toggle(photo);
        navigator.vibrate?.(15);
      }, HOLD);
    });
    this.form.addEventListener("pointermove", (event) => {
      if (start && Math.hypot(event.clientX - start.clientX, event.clientY - start.clientY) > TREMBLE) stop();
    });
    for (const name of ["pointerup", "pointercancel", "scroll"]) this.form.addEventListener(name, stop);
    this.form.addEventListener("contextmenu", (event) => {
      // Else the system's own menu comes with the selection.
      if (start && event.pointerType !== "mouse" && event.target.closest(".thumbnail")) event.preventDefault();
    });
  }
}
