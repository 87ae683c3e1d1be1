// A photo's page: its keys, its buttons, its picture.

import { showToast } from "./toast.js";
import { gettext, interpolate } from "./translation.js";
import { choose, chosen, shown } from "./viewer_choices.js";
import { followGestures } from "./viewer_gestures.js";
import { followHistory, goBack, preloadNeighbours, rememberArrival, turnTo } from "./viewer_turning.js";
import { Zoom } from "./viewer_zoom.js";

// Keys that assistive technology knows by a name.
const NAMES = { "+": "Plus", "=": "Plus", "-": "Minus" };
// Shown so much larger than its large picture, a photo that has more pixels is wanted itself.
const COARSE = 1.1;

const find = (selector) => document.querySelector(selector);
const help = find("#viewer-help");

let zoom = null;

/** Makes a fresh picture work, on arrival and after each turn. */
function mount() {
  const canvas = find("[data-canvas]");
  const picture = find("#picture");
  const image = picture.querySelector("img");
  picture.style.setProperty("--ratio", image.getAttribute("width") / image.getAttribute("height"));
  blurUp(image);
  preloadNeighbours(image);
  zoom = new Zoom(canvas, zoomed);
  followGestures(canvas, zoom, (way) => {
    const link = find(`.stage [rel=${way > 0 ? "next" : "prev"}]`);
    if (link) turnTo(link.href);
  });
  showState();
}

/** The small picture, which is most often there already, until the large one is. */
function blurUp(image) {
  if (image.complete) return;
  image.style.backgroundImage = `url("${image.dataset.small}")`;
  image.classList.add("is-loading");
  const sharpen = () => {
    image.classList.remove("is-loading");
    image.style.backgroundImage = "";
  };
  image.addEventListener("load", sharpen, { once: true });
  image.addEventListener("error", sharpen, { once: true });
}

function zoomed() {
  const image = find("#picture img");
  const wanted = Math.min(image.clientWidth * devicePixelRatio, image.getAttribute("width"));
  if (image.dataset.original && image.complete && wanted > COARSE * image.naturalWidth) {
    const original = new Image();
    const { original: address } = image.dataset;
    delete image.dataset.original;
    original.src = address;
    // Where it does not come, the large picture stays.
    original.decode().then(() => { image.src = address; }, () => {});
  }
  for (const button of document.querySelectorAll("[data-command=zoom-out]")) button.disabled = !zoom?.isZoomed;
  document.dispatchEvent(new Event("gallery:moved"));
}

function showState() {
  const set = (command, attribute, value) => find(`.stage [data-command=${command}]`)?.setAttribute(attribute, value);
  set("boxes", "aria-pressed", shown("boxes") === "shown");
  set("full", "aria-pressed", shown("full") === "on");
  set("info", "aria-expanded", shown("panel") === "open");
}

function fill(isFull) {
  if (isFull === (shown("full") === "on")) return;
  choose("full", isFull ? "on" : "off", { remembered: false });
  choose("panel", isFull ? "closed" : chosen("panel"), { remembered: false });
  showState();
  // Where a browser has no full screen, as on some phones, the page fills the window.
  if (isFull) document.documentElement.requestFullscreen?.().catch(() => {});
  else if (document.fullscreenElement) document.exitFullscreen();
}

const commands = {
  "zoom-in": () => zoom.step(1),
  "zoom-out": () => zoom.step(-1),
  boxes: () => choose("boxes", shown("boxes") === "shown" ? "hidden" : "shown"),
  full: () => fill(shown("full") !== "on"),
  info: () => choose("panel", shown("panel") === "open" ? "closed" : "open", { remembered: shown("full") !== "on" }),
  help: () => help.showModal(),
};

/** Moves the photo to the trash and turns to the next; the toast brings it back. */
async function moveToTrash(form) {
  const address = location.href;
  const token = form.elements.csrfmiddlewaretoken.value;
  const moved = await post(form.action, new FormData(form));
  if (!moved) return form.submit();
  const next = find(".stage [rel=next]") ?? find(".stage [rel=prev]");
  if (!next) return location.assign(find("[data-back]").href);
  if (!(await turnTo(next.href, { keep: "replace" }))) return;
  const undo = async () => {
    const facts = new FormData();
    facts.set("csrfmiddlewaretoken", token);
    facts.set("moment", moved.moment);
    const restored = await post(form.dataset.restore, facts);
    if (!restored) return showToast(gettext("The photo could not be brought back; it is in the trash."));
    if (await turnTo(address)) showToast(restored.sentence);
  };
  showToast(moved.sentence, { undo: moved.moved ? undo : null });
}

/** What the gallery answers a form that is sent without leaving the page; null where it refuses. */
async function post(address, body) {
  try {
    const response = await fetch(address, { method: "POST", headers: { Accept: "application/json" }, body });
    return response.ok ? await response.json() : null;
  } catch {
    return null;
  }
}

document.addEventListener("click", (event) => {
  // A part is chosen, and boxes are corrected, on the whole picture.
  if (event.target.closest?.("[data-part-search], #edit-boxes")) zoom.to(1);
  if (event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
  const control = event.target.closest?.(".stage [data-command], .stage [rel], [data-back], [data-trash]");
  if (!control) return;
  if (control.dataset.command) {
    commands[control.dataset.command]();
    showState();
  } else if (control.dataset.trash) {
    event.preventDefault();
    moveToTrash(find(control.dataset.trash));
  } else if (control.rel) {
    event.preventDefault();
    // A key's click has no count.
    turnTo(control.href, { fading: event.detail === 0 });
  } else if (goBack()) event.preventDefault();
});

/** Whether a key is for the page: not while somebody types, works on the picture or reads the help. */
function isForPage(event) {
  if (event.defaultPrevented || event.altKey || event.ctrlKey || event.metaKey || event.isComposing) return false;
  if (help.open || find("#picture [role=application]")) return false;
  const { target } = event;
  if (target.matches("input:not([type=checkbox]), textarea, select, [contenteditable]")) return false;
  return target === document.body || target.closest("main") !== null;
}

document.addEventListener("keydown", (event) => {
  if (!isForPage(event)) return;
  const { key } = event;
  if (event.shiftKey && key.startsWith("Arrow")) {
    if (!zoom.isZoomed) return;
    zoom.panStep((key === "ArrowRight") - (key === "ArrowLeft"), (key === "ArrowDown") - (key === "ArrowUp"));
    event.preventDefault();
    return;
  }
  if (key === "Escape" && shown("full") === "on") return fill(false);
  if (key.length === 1 && chosen("keys") === "off") return;
  if (key === "0") return zoom.to(1);
  const name = NAMES[key] ?? key;
  const control = find(`main [aria-keyshortcuts~="${CSS.escape(name)}" i]:not([disabled])`);
  if (!control) return;
  event.preventDefault();
  if (!event.repeat || key.startsWith("Arrow") || key === "+" || key === "-") control.click();
});

document.addEventListener("fullscreenchange", () => {
  if (!document.fullscreenElement) fill(false);
});

document.addEventListener("gallery:turned", () => {
  mount();
  const words = { name: find("h1").textContent, description: find("#picture img").alt };
  find("[data-viewer-news]").textContent = interpolate(gettext("%(name)s: %(description)s"), words);
});
document.addEventListener("gallery:renewed", showState);

const keys = help.querySelector("[data-keys]");
keys.checked = chosen("keys") === "on";
keys.addEventListener("change", () => choose("keys", keys.checked ? "on" : "off"));

rememberArrival();
followHistory();
mount();
