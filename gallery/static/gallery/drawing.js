// A drawn layout: named boxes, at most one of them an area drawn by hand; with undo and redo.

import { boxAround, fitted, moved, simplified } from "./geometry.js";

export const MOST_ITEMS = 20;
// Enough for any outline by hand, and few enough for an address.
export const MOST_POINTS = 100;
const MOST_UNDONE = 200;
const OFFSET_OF_COPY = 0.04;

/**
 * Items are { id, name, box, region, score } and are never changed in place. It dispatches
 * "change" when an item was, and "select" when another is selected.
 */
export class Drawing extends EventTarget {
  items = [];
  selectedId = null;
  #past = [];
  #future = [];
  #step = null;
  #nextId = 0;
  #most;

  /** `most`: how many objects it can have. */
  constructor(most = MOST_ITEMS) {
    super();
    this.#most = most;
  }

  get selected() {
    return this.items.find((item) => item.id === this.selectedId) ?? null;
  }

  get isFull() {
    return this.items.length >= this.#most;
  }

  get canUndo() {
    return this.#past.length > 0;
  }

  get canRedo() {
    return this.#future.length > 0;
  }

  /** Adds an object and selects it; a second area makes a box of the first. */
  add(name, box, region = null, score = 1) {
    const item = { id: this.#nextId++, name, box, region, score };
    const kept = region ? this.items.map((other) => ({ ...other, region: null })) : this.items;
    this.#replace([...kept, item]);
    this.select(item.id);
    return item;
  }

  /**
   * Changes the name or the box of an object. Changes of one `step`, such as all of a drag, are
   * undone together.
   */
  change(id, facts, step = null) {
    const items = this.items.map((item) => {
      if (item.id !== id) return item;
      const after = { ...item, ...facts };
      if (item.region && facts.box) after.region = fitted(item.region, item.box, facts.box);
      // What somebody places is meant as it is placed.
      if (facts.box) after.score = 1;
      return after;
    });
    this.#replace(items, step);
  }

  remove(id) {
    const place = this.items.findIndex((item) => item.id === id);
    this.#replace(this.items.filter((item) => item.id !== id));
    this.select((this.items[place] ?? this.items.at(-1))?.id ?? null);
  }

  /** Adds a copy beside an object; the copy of an area is a box. */
  duplicate(id) {
    const { name, box } = this.items.find((item) => item.id === id);
    return this.add(name, moved(box, OFFSET_OF_COPY, OFFSET_OF_COPY));
  }

  clear() {
    this.#replace([]);
    this.select(null);
  }

  select(id) {
    if (this.selectedId === id) return;
    this.selectedId = id;
    this.dispatchEvent(new Event("select"));
  }

  undo() {
    this.#travel(this.#past, this.#future);
  }

  redo() {
    this.#travel(this.#future, this.#past);
  }

  /** What the gallery's `layout` reads; "" where nothing is drawn. */
  get layout() {
    if (!this.items.length) return "";
    return JSON.stringify(this.items.map(({ name, box, region, score }) => ({
      object: name,
      ...(region ? { region: region.map((point) => point.map(rounded)) } : { box: box.map(rounded) }),
      ...(score < 1 ? { score } : {}),
    })));
  }

  /** Draws what a layout's JSON says; it is where undoing ends. */
  load(layout) {
    this.items = (layout ? JSON.parse(layout) : []).map(({ object, box, region, score }) => ({
      id: this.#nextId++,
      name: object,
      box: region ? boxAround(region) : box,
      region: region ?? null,
      score: score ?? 1,
    }));
    this.dispatchEvent(new Event("change"));
  }

  #replace(items, step = null) {
    if (step === null || step !== this.#step) {
      this.#past = [...this.#past, this.items].slice(-MOST_UNDONE);
    }
    this.#step = step;
    this.#future = [];
    this.items = items;
    this.dispatchEvent(new Event("change"));
  }

  #travel(from, to) {
    if (!from.length) return;
    to.push(this.items);
    this.items = from.pop();
    this.#step = null;
    if (!this.selected) this.selectedId = null;
    this.dispatchEvent(new Event("change"));
    this.dispatchEvent(new Event("select"));
  }
}

/** An outline as an area can have it. */
export const asRegion = (outline) => simplified(outline, MOST_POINTS);

const rounded = (share) => Math.round(1000 * share) / 1000;
