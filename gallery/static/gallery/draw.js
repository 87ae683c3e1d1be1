// The page of the canvas: chooses objects, keeps the address and the results up to date.

import { BoxList } from "./box_list.js";
import { Canvas } from "./canvas.js";
import { Drawing, MOST_ITEMS } from "./drawing.js";
import { DrawnResults } from "./drawn_results.js";
import { nameOf, shownName } from "./object_names.js";
import { gettext, interpolate } from "./translation.js";

// Where "Place it" puts a box, and how far the next ones lie from it.
const [FIRST_CORNER, SIDE, OFFSET, PLACES] = [0.2, 0.35, 0.06, 5];

const page = document.querySelector("[data-draw]");
const find = (selector) => page.querySelector(selector);
const overlay = find(".drawing");
const object = find("#object");
const mirror = find("#mirror");
const shape = find("#shape");
const news = find("[data-news]");

const drawing = new Drawing();
const list = new BoxList(find("[data-box-list]"), find("#box-row"), drawing, nameOf);
const canvas = new Canvas(overlay, drawing, {
  chosenName,
  isFreehand: () => find("[name=tool][value=area]").checked,
  onOutline: () => {
    find("[name=tool][value=box]").checked = true;
  },
  onEdit: (id) => list.edit(id),
});
const results = new DrawnResults(find("#drawn-results"), find("[data-results-news]"));

/** The chosen object; says what is missing where there is none. */
function chosenName() {
  const name = nameOf(object.value);
  if (drawing.isFull) say(interpolate(gettext("A drawing can have %(most)s objects; delete one first."), { most: MOST_ITEMS }));
  else if (!name) {
    const typed = object.value.trim();
    const unknown = gettext("The gallery knows no object “%(name)s”; choose one of the list.");
    say(typed ? interpolate(unknown, { name: typed }) : gettext("Choose an object first."));
    object.focus();
  }
  return drawing.isFull ? null : name;
}

function say(words) {
  news.textContent = words;
}

function choose(text) {
  const name = nameOf(text);
  object.value = name ? shownName(name) : text;
  press(name);
}

function press(name) {
  for (const button of page.querySelectorAll("[data-choose]")) {
    button.setAttribute("aria-pressed", String(button.dataset.choose === name));
  }
}

function place() {
  const name = chosenName();
  if (!name) return;
  const corner = FIRST_CORNER + OFFSET * (drawing.items.length % PLACES);
  const { id } = drawing.add(name, [corner, corner, corner + SIDE, corner + SIDE]);
  canvas.focus(id);
}

/** The layout as part of an address: as short as browsers let it be, for servers cut long ones. */
function query() {
  const layout = encodeURIComponent(drawing.layout).replace(/%(?:2C|3A|5B|5D)/g, decodeURIComponent);
  return `?layout=${layout}${mirror.checked ? "&mirror=1" : ""}`;
}

function follow() {
  const drawn = drawing.items.length > 0;
  const frame = shape.value === shape.options[0].value ? "" : `shape=${shape.value}`;
  const own = drawn ? `${query()}${frame && `&${frame}`}` : frame && `?${frame}`;
  history.replaceState(history.state, "", `${location.pathname}${own}`);
  results.ask(drawn ? `${page.dataset.results}${query()}` : null);
  find("[data-action=undo]").disabled = !drawing.canUndo;
  find("[data-action=redo]").disabled = !drawing.canRedo;
  find("[data-action=clear]").disabled = !drawn;
  find("[data-empty]").hidden = drawn;
  say("");
}

function reshape() {
  const [width, height] = shape.value.split(":").map(Number);
  overlay.setAttribute("viewBox", `0 0 ${100 * width} ${100 * height}`);
  find(".easel").className = `easel frame-${width}-${height}`;
}

/** What had the focus may be gone after a step; the canvas has it then. */
function travel(way) {
  drawing[way]();
  const focused = document.activeElement;
  if (focused === document.body || focused.disabled) overlay.focus();
}

const ACTIONS = {
  place,
  undo: () => travel("undo"),
  redo: () => travel("redo"),
  clear: () => drawing.clear(),
};

page.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (button?.dataset.choose) choose(button.dataset.choose);
  ACTIONS[button?.dataset.action]?.();
});

object.addEventListener("input", () => press(nameOf(object.value)));
object.addEventListener("keydown", (event) => {
  if (event.key !== "Enter") return;
  event.preventDefault();
  place();
});

document.addEventListener("keydown", (event) => {
  const command = (event.ctrlKey || event.metaKey) && !event.altKey;
  if (!command || event.target.matches("input:not([type=checkbox], [type=radio])")) return;
  const key = event.key.toLowerCase();
  const action = { z: event.shiftKey ? "redo" : "undo", y: "redo" }[key];
  if (!action) return;
  event.preventDefault();
  ACTIONS[action]();
});

drawing.addEventListener("change", follow);
mirror.addEventListener("change", follow);
shape.addEventListener("change", () => {
  reshape();
  follow();
});

reshape();
drawing.load(page.dataset.layout);
