// A list of options under a field: arrows go through it, the field keeps the focus and the text.
// Enter takes an option only where one is chosen; else the form goes its way with what was typed.

export class Combobox {
  #input;
  #popup;
  #list;
  #onTake;
  #active = null;
  #isStale = false;
  #steps = 0;
  #pressed = null;

  /**
   * `popup` holds `list`, a listbox, and may hold more. `onTake(option, goesOn)` is told which
   * option was taken, and whether one wants to type on.
   */
  constructor(input, popup, list, onTake) {
    this.#input = input;
    this.#popup = popup;
    this.#list = list;
    this.#onTake = onTake;
    // A search field may not be a combobox; without a script it stays a search field.
    input.type = "text";
    for (const [name, value] of Object.entries({
      role: "combobox", "aria-autocomplete": "list", "aria-expanded": "false",
      "aria-controls": list.id, "aria-haspopup": "listbox",
    })) input.setAttribute(name, value);
    input.addEventListener("keydown", (event) => this.#key(event));
    // The field keeps the focus, so that one can type on.
    list.addEventListener("pointerdown", (event) => {
      event.preventDefault();
      this.#pressed = event.target;
    });
    list.addEventListener("click", (event) => this.#click(event));
    list.addEventListener("pointermove", (event) => this.#activate(event.target.closest("[role=option]"), false));
  }

  get isOpen() {
    return !this.#popup.hidden;
  }

  get options() {
    return [...this.#list.querySelectorAll("[role=option]")];
  }

  /** Shows groups of options in place of those that are there; none closes the list. */
  show(groups) {
    this.#list.replaceChildren(...groups);
    this.#activate(null);
    this.#isStale = false;
    const steps = this.#steps;
    this.#steps = 0;
    if (!this.options.length) {
      this.close();
      return;
    }
    this.#setOpen(true);
    if (steps) this.#step(steps);
  }

  /** Says that the options are of what was typed before: no key takes one, and arrows wait for the next. */
  expectOthers() {
    this.#isStale = true;
    this.#steps = 0;
    this.#activate(null);
  }

  close() {
    this.#activate(null);
    this.#setOpen(false);
  }

  #setOpen(open) {
    this.#popup.hidden = !open;
    this.#input.setAttribute("aria-expanded", String(open));
  }

  #activate(option, scroll = true) {
    if (option === this.#active || (option && this.#isStale)) return;
    this.#active?.setAttribute("aria-selected", "false");
    this.#active = option;
    if (!option) {
      this.#input.removeAttribute("aria-activedescendant");
      return;
    }
    option.setAttribute("aria-selected", "true");
    this.#input.setAttribute("aria-activedescendant", option.id);
    if (scroll) option.scrollIntoView({ block: "nearest" });
  }

  #step(by) {
    if (this.#isStale) {
      this.#steps += by;
      return;
    }
    const places = [null, ...this.options];
    const next = (places.indexOf(this.#active) + by + places.length) % places.length;
    this.#activate(places[next]);
  }

  #key(event) {
    if (event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
    const steps = { ArrowDown: 1, ArrowUp: -1 };
    if (!this.isOpen && !(this.#isStale && event.key in steps)) return;
    if (event.key in steps) {
      event.preventDefault();
      this.#step(steps[event.key]);
    } else if (event.key === "Escape") {
      event.preventDefault();
      this.close();
    } else if ((event.key === "Enter" || (event.key === "Tab" && !event.shiftKey)) && this.#active) {
      event.preventDefault();
      this.#onTake(this.#active, event.key === "Tab");
    }
  }

  // A press is for what one sees, also where others are awaited or have come while one pressed.
  #click(event) {
    const target = this.#pressed && !this.#pressed.isConnected ? this.#pressed : event.target;
    this.#pressed = null;
    const option = target.closest("[role=option]");
    if (option) this.#onTake(option, target.closest("[data-go-on]") !== null);
  }
}
