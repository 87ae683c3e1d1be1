// The tools beside the boxes of a photo that are corrected: buttons, and what is said of the boxes.

import { gettext, interpolate, ngettext } from "./translation.js";

const SPEAKING_PAUSE = 500;

export class BoxTools {
  #speaking = 0;

  /** `onPress(action)` is called with the data-do of a button. */
  constructor(onPress) {
    this.element = document.querySelector("#box-editor").content.cloneNode(true).querySelector(".box-editor");
    this.element.addEventListener("click", (event) => onPress(event.target.closest("[data-do]")?.dataset.do));
  }

  #find(selector) {
    return this.element.querySelector(selector);
  }

  /** The ids of all object classes, by name. */
  get classIds() {
    return new Map([...this.element.querySelectorAll("option")].map(({ dataset }) => [dataset.object, Number(dataset.class)]));
  }

  get nameField() {
    return this.#find("[data-name]");
  }

  set isBusy(isBusy) {
    this.element.ariaBusy = isBusy ? "true" : null;
  }

  remove() {
    clearTimeout(this.#speaking);
    this.element.remove();
  }

  offerToRevert(isOffered) {
    this.#find("[data-do=revert]").hidden = !isOffered;
  }

  offerToRemove(isOffered) {
    this.#find("[data-do=remove]").disabled = !isOffered;
  }

  /** Shows what can be done with boxes as they are now. */
  follow(boxes) {
    this.#find("[data-do=undo]").disabled = !boxes.canUndo;
    this.#find("[data-do=redo]").disabled = !boxes.canRedo;
    this.#find("[data-do=save]").disabled = !boxes.isDirty;
    this.#find("[data-facts]").textContent = this.facts(boxes);
    this.#find("[data-problem]").hidden = true;
  }

  /** How many boxes there are, and how many of them by a person. */
  facts(boxes) {
    const count = boxes.items.length;
    const words = interpolate(ngettext("%(count)s box", "%(count)s boxes", count), { count });
    const changed = boxes.items.filter((item) => boxes.isByPerson(item)).length;
    return changed ? interpolate(gettext("%(boxes)s, %(changed)s by a person"), { boxes: words, changed }) : words;
  }

  say(words) {
    this.#find("[data-said]").textContent = words;
  }

  /** Says something once nothing has changed for a while. */
  sayLater(words) {
    clearTimeout(this.#speaking);
    this.#speaking = setTimeout(() => this.say(words), SPEAKING_PAUSE);
  }

  complain(words) {
    const problem = this.#find("[data-problem]");
    problem.textContent = words;
    problem.hidden = false;
  }
}
