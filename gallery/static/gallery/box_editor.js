// Correcting the boxes of a photo on its page: the canvas laid over the picture, and what its tools do.

import { BoxTools } from "./box_tools.js";
import { Canvas } from "./canvas.js";
import { CorrectedBoxes, UNNAMED } from "./corrected_boxes.js";
import { placeInWords } from "./geometry.js";
import { ObjectField } from "./object_field.js";
import { svg } from "./overlay.js";
import { NotDone, PhotoObjects } from "./photo_objects.js";
import { showChanged, tell } from "./photo_renewal.js";
import { showToast } from "./toast.js";
import { shownName } from "./object_names.js";
import { gettext, interpolate } from "./translation.js";

// Where a box comes that is added without a pointer, and how far the next ones lie from it.
const [FIRST_CORNER, SIDE, OFFSET, PLACES] = [0.3, 0.3, 0.05, 5];
// As partials/boxes.html draws it.
const PERSON = "M12 4.4a2.6 2.6 0 1 1 0 5.2 2.6 2.6 0 1 1 0-5.2zM7.4 15.6c.3-3 2.2-4.6 4.6-4.6s4.3 1.6 4.6 4.6z";

let open = null;
// Takes away the offer to go on with what was left out.
let forgetLeftOut = () => {};

class BoxEditor {
  #button;
  #photo;
  #boxes;
  #overlay;
  #canvas;
  #field;
  #tools;
  #count;
  #ended;

  constructor(button, photo) {
    this.#button = button;
    this.#photo = photo;
    this.#tools = new BoxTools((action) => this.#press(action));
    this.#boxes = new CorrectedBoxes(this.#tools.classIds);
    this.#overlay = svg("svg", {
      class: "box-editor-overlay",
      viewBox: `0 0 ${button.dataset.width} ${button.dataset.height}`,
      tabindex: 0,
      role: "application",
      "aria-roledescription": gettext("canvas"),
      "aria-label": gettext("Boxes of this photo"),
      "aria-describedby": "box-editor-keys",
    });
    this.#canvas = new Canvas(this.#overlay, this.#boxes, {
      chosenName: () => this.#nameOfNext(),
      isFreehand: () => false,
      onOutline: () => {},
      onEdit: (id) => this.#editName(id),
      looks: (item) => this.#looks(item),
    });
    this.#field = new ObjectField(
      this.#tools.nameField, this.#boxes,
      () => this.#canvas.focus(this.#boxes.selectedId),
    );
    this.#boxes.addEventListener("change", () => this.#follow());
    this.#boxes.addEventListener("select", () => this.#showChosen());
    this.#overlay.addEventListener("keydown", (event) => this.#key(event));
    this.#show();
    this.#boxes.begin(photo.objects);
    this.#tools.say(this.#tools.facts(this.#boxes));
  }

  #show() {
    open = this;
    const picture = document.querySelector("#picture");
    picture.append(this.#overlay);
    picture.classList.add("is-choosing", "is-correcting");
    (picture.closest(".stage") ?? picture).append(this.#tools.element);
    this.#button.hidden = true;
    this.#tools.offerToRevert(this.#photo.isCorrected);
    this.#ended = new AbortController();
    const { signal } = this.#ended;
    document.addEventListener("keydown", (event) => this.#keyOfPage(event), { signal });
    document.addEventListener("gallery:moved", () => this.#boxes.dispatchEvent(new Event("select")), { signal });
    document.addEventListener("gallery:leaving", (event) => this.#leave(event), { signal });
    window.addEventListener("beforeunload", (event) => this.#boxes.isDirty && event.preventDefault(), { signal });
    this.#overlay.focus({ preventScroll: true });
    picture.scrollIntoView({ block: "nearest" });
  }

  #close() {
    this.#ended.abort();
    this.#overlay.remove();
    this.#tools.remove();
    document.querySelector("#picture")?.classList.remove("is-choosing", "is-correcting");
    this.#button.hidden = false;
    if (document.activeElement === document.body) this.#button.focus({ preventScroll: true });
    open = null;
  }

  #looks(item) {
    const isByPerson = this.#boxes.isByPerson(item);
    const name = item.name === UNNAMED ? gettext("not named yet") : shownName(item.name);
    const isMarked = isByPerson && item.name !== UNNAMED;
    return {
      colour: this.#boxes.colourOf(item),
      label: isMarked ? `\u2003${name}` : name,
      words: isMarked ? interpolate(gettext("%(name)s, by a person"), { name }) : name,
      mark: isMarked ? PERSON : "",
    };
  }

  #nameOfNext() {
    if (!this.#boxes.isFull) return UNNAMED;
    this.#tools.complain(gettext("A photo can have 100 boxes; delete one first."));
    return null;
  }

  #press(action) {
    const actions = {
      add: () => this.#add(),
      remove: () => this.#remove(),
      undo: () => this.#travel("undo"),
      redo: () => this.#travel("redo"),
      save: () => this.#save(),
      cancel: () => this.#cancel(),
      revert: () => this.#revert(),
    };
    actions[action]?.();
  }

  #add() {
    if (this.#nameOfNext() === null) return;
    const corner = FIRST_CORNER + OFFSET * (this.#boxes.items.length % PLACES);
    const { id } = this.#boxes.add(UNNAMED, [corner, corner, corner + SIDE, corner + SIDE]);
    this.#editName(id);
  }

  #remove() {
    if (!this.#boxes.selected) return;
    this.#boxes.remove(this.#boxes.selectedId);
    if (this.#boxes.selected) this.#canvas.focus(this.#boxes.selectedId);
    else this.#overlay.focus();
  }

  #travel(way) {
    this.#boxes[way]();
    if (document.activeElement === document.body || document.activeElement.disabled) this.#overlay.focus();
  }

  #editName(id = this.#boxes.selectedId) {
    this.#boxes.select(id);
    this.#field.edit();
  }

  /** Keys on the picture that the canvas has not taken. */
  #key(event) {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key.toLowerCase() === "n") this.#add();
    else if (event.key === "Escape") this.#cancel();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  #keyOfPage(event) {
    if (!(event.ctrlKey || event.metaKey) || event.altKey) return;
    const key = event.key.toLowerCase();
    const inField = event.target.matches?.("input");
    if (key === "enter") this.#save();
    else if (inField) return;
    else if (key === "z") this.#travel(event.shiftKey ? "redo" : "undo");
    else if (key === "y") this.#travel("redo");
    else return;
    event.preventDefault();
  }

  #follow() {
    const { items, selected } = this.#boxes;
    this.#tools.follow(this.#boxes);
    this.#showChosen();
    const more = items.length - (this.#count ?? items.length);
    this.#count = items.length;
    if (more < 0) this.#tools.say(this.#tools.facts(this.#boxes));
    else if (selected) this.#tools.sayLater(`${this.#looks(selected).words}: ${placeInWords(selected.box)}`);
    const newest = items.at(-1);
    if (more > 0 && newest.name === UNNAMED) {
      // After the canvas has given it the focus.
      setTimeout(() => this.#field.isFocused || this.#editName(newest.id));
    }
  }

  #showChosen() {
    this.#field.show();
    this.#tools.offerToRemove(this.#boxes.selected !== null);
  }

  #leave(event) {
    if (this.#boxes.isDirty) {
      event.preventDefault();
      this.#tools.complain(gettext("Save your changes, or cancel them, before you go on."));
    } else this.#close();
  }

  /** Leaves; what was changed can be saved all the same, or gone on with where a name is missing. */
  #cancel() {
    const { isDirty, objects } = this.#boxes;
    const isNamed = this.#nameless === undefined;
    const [button, photo] = [this.#button, this.#photo];
    this.#close();
    button.focus({ preventScroll: true });
    if (!isDirty) return;
    const words = gettext("Your changes were left out.");
    const saveThem = () => photo.save(objects).then(() => showChanged(gettext("Your changes are saved.")), tell);
    if (isNamed) showToast(words, { undo: saveThem, undoWord: gettext("Save them") });
    else forgetLeftOut = showToast(words, { undo: () => this.#show(), undoWord: gettext("Go on with them") });
  }

  get #nameless() {
    return this.#boxes.items.find((item) => item.name === UNNAMED);
  }

  #save() {
    // What is typed but not yet left is meant as well.
    if (!this.#field.isEmpty && !this.#field.take()) return;
    const nameless = this.#nameless;
    if (nameless) {
      this.#editName(nameless.id);
      this.#tools.complain(gettext("This box has no name yet: say what it shows, or delete it."));
    } else if (this.#boxes.isDirty) {
      this.#ask(() => this.#photo.save(this.#boxes.objects), gettext("Saved. Searches count the boxes as they are now."));
    }
  }

  #revert() {
    this.#ask(() => this.#photo.revert(), gettext("The boxes are again as they were detected."));
  }

  async #ask(change, words) {
    const [photo, before] = [this.#photo, this.#photo.objects];
    this.#tools.isBusy = true;
    try {
      await change();
    } catch (problem) {
      if (!(problem instanceof NotDone)) throw problem;
      this.#tools.complain(problem.message);
      return;
    } finally {
      this.#tools.isBusy = false;
    }
    this.#close();
    this.#button.focus({ preventScroll: true });
    await showChanged(words, () => photo.save(before).then(() => showChanged(gettext("The boxes are as they were before.")), tell));
  }
}

async function begin(button) {
  if (open) return;
  open = button;
  forgetLeftOut();
  const photo = new PhotoObjects(button.dataset.address, button.dataset.token);
  try {
    await photo.load();
    new BoxEditor(button, photo);
  } catch (problem) {
    open = null;
    tell(problem);
  }
}

/** A photo that waits for the detector has nothing to correct yet. */
function showButtons() {
  const waits = document.querySelector("#photo-objects [data-awaited]") !== null;
  for (const button of document.querySelectorAll("[data-edit-boxes]")) button.hidden = waits || open !== null;
}

document.addEventListener("click", (event) => {
  const button = event.target.closest?.("[data-edit-boxes]");
  if (button) begin(button);
});
document.addEventListener("gallery:renewed", showButtons);
document.addEventListener("gallery:turned", () => forgetLeftOut());
showButtons();
