// The boxes of a photo while a person corrects them.

import { Drawing } from "./drawing.js";
import { coloursOf } from "./palette.js";

const MOST_OBJECTS = 100;
/** The name of a box until somebody names it. */
export const UNNAMED = "?";

export class CorrectedBoxes extends Drawing {
  #originals = new Map();
  #faint = [];
  #classIds;
  #colours = { items: null, byClass: new Map() };

  /** `classIds` of all object classes, by name. */
  constructor(classIds) {
    super(MOST_OBJECTS);
    this.#classIds = classIds;
  }

  /** Begins with the objects of a photo; those that no page shows are kept, but cannot be seen. */
  begin(objects) {
    const sure = objects.filter((object) => object.sure);
    this.#faint = objects.filter((object) => !object.sure);
    this.load(JSON.stringify(sure.map(({ name, box, score }) => ({ object: name, box, score }))));
    this.items.forEach((item, place) => this.#originals.set(item.id, { item, bySource: sure[place].source }));
    // Only now is it known which of them are a person's.
    this.dispatchEvent(new Event("change"));
  }

  isByPerson(item) {
    const original = this.#originals.get(item.id);
    return !original || original.bySource === "person" || isChanged(item, original.item);
  }

  /** The colour of an item among the others, as the photo's page gives it. */
  colourOf({ name }) {
    const idOf = (one) => this.#classIds.get(one) ?? 0;
    if (this.#colours.items !== this.items) {
      this.#colours = { items: this.items, byClass: coloursOf(this.items.map((item) => idOf(item.name))) };
    }
    return this.#colours.byClass.get(idOf(name));
  }

  get isDirty() {
    return this.#touched().size > 0;
  }

  /** All objects as they are to be saved. */
  get objects() {
    const touched = this.#touched();
    // Who looked at a class knows how many there are; a faint guess would count besides.
    const kept = this.#faint.filter(({ name }) => !touched.has(name));
    return [...this.items, ...kept].map(({ name, box }) => ({ class_id: this.#classIds.get(name), box }));
  }

  /** The names of objects that were added, deleted or changed. */
  #touched() {
    const names = new Set();
    const left = new Map(this.#originals);
    for (const item of this.items) {
      const original = left.get(item.id)?.item;
      left.delete(item.id);
      if (original && !isChanged(item, original)) continue;
      names.add(item.name);
      if (original) names.add(original.name);
    }
    for (const { item } of left.values()) names.add(item.name);
    return names;
  }
}

const isChanged = (item, original) =>
  item.name !== original.name || item.box.some((side, place) => side !== original.box[place]);
