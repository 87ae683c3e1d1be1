// Suggestions while one types in the search bar: from the gallery, and what was searched for before.

import { Combobox } from "./combobox.js";
import { RecentSearches } from "./recent_searches.js";
import { gettext, interpolate, ngettext } from "./translation.js";

const PAUSE = 70;
// An older list says nothing about what was typed since.
const STALE = 400;
const MOST_RECENT = 4;
const NAMES = {
  recent: gettext("Searched for before"),
  saved: gettext("Saved searches"),
  object: gettext("In the photos"),
  language: gettext("Go on with"),
};

const bar = document.querySelector("[data-suggest]");
const input = bar.querySelector("[name=q]");
const popup = bar.querySelector(".suggestions");
const list = popup.querySelector("[role=listbox]");
const news = bar.querySelector("[data-suggestions-news]");
const forget = popup.querySelector("[data-forget]");
const recent = new RecentSearches(bar.dataset.visitor);
const combobox = new Combobox(input, popup, list, take);
const answers = new Map();

let question = null;
let timer = 0;

function element(name, attributes, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

const icon = (name) => bar.querySelector(`[data-icon=${name}]`).content.firstElementChild.cloneNode(true);

function take(option, goesOn) {
  const { text, caret, address, complete } = option.dataset;
  if (goesOn && text !== undefined) {
    write(text, Number(caret));
    return;
  }
  if (address) {
    location.assign(address);
    return;
  }
  if (complete === "true") {
    input.value = text.trim();
    combobox.close();
    input.form.requestSubmit();
    return;
  }
  write(text, Number(caret));
}

function write(text, caret) {
  input.value = text;
  input.focus();
  input.setSelectionRange(caret, caret);
  ask(0);
}

// What is typed already is set off from what would be added.
function words(label, typed) {
  const at = typed ? label.toLowerCase().indexOf(typed) : -1;
  const shown = element("span", { class: "suggestion-words" });
  if (at < 0) shown.append(label);
  else shown.append(label.slice(0, at), element("mark", {}, label.slice(at, at + typed.length)), label.slice(at + typed.length));
  return shown;
}

function option(one, place, typed) {
  const made = element("div", { role: "option", id: `suggestion-${place}`, "aria-selected": "false", class: `suggestion is-${one.kind}` });
  made.append(icon(one.kind === "word" ? "object" : one.kind), words(one.label, typed));
  if (one.hint) made.append(element("span", { class: "suggestion-hint" }, one.hint));
  if (one.photos !== undefined && one.photos !== null) {
    const count = interpolate(ngettext("%(count)s photo", "%(count)s photos", one.photos), { count: one.photos.toLocaleString(document.documentElement.lang) });
    made.append(element("span", { class: "suggestion-count" }, one.photos ? count : gettext("no photo")));
  }
  if (one.address) made.dataset.address = one.address;
  if (one.text !== undefined) {
    Object.assign(made.dataset, { text: one.text, caret: one.caret, complete: one.is_complete });
    if (one.is_complete) {
      const goOn = element("span", { class: "suggestion-go-on", "data-go-on": "", "aria-hidden": "true", title: gettext("Put it in and type on") });
      goOn.append(icon("go-on"));
      made.append(goOn);
    }
  }
  return made;
}

function show({ suggestions, saved }) {
  const typed = input.value.slice(0, input.selectionStart).match(/[^\s,;|\/&+!<>"()-]*$/)[0].toLowerCase();
  const before = recent.like(input.value).slice(0, MOST_RECENT)
    .map((text) => ({ kind: "recent", label: text, text, caret: text.length, is_complete: true }));
  const kept = saved.map((one) => ({ ...one, kind: "saved" }));
  // An empty field shows where one left off; else what was typed comes first.
  const all = input.value.trim() ? [...suggestions, ...before.slice(0, 2), ...kept] : [...before, ...kept, ...suggestions];
  let place = 0;
  const groups = new Map();
  for (const one of all) {
    const name = one.kind === "word" ? "object" : one.kind;
    if (!groups.has(name)) groups.set(name, []);
    groups.get(name).push(option(one, place++, ["recent", "saved"].includes(name) ? input.value.trim().toLowerCase() : typed));
  }
  combobox.show([...groups].map(([name, options]) => {
    const title = element("div", { role: "presentation", class: "suggestions-title", id: `suggestions-${name}` }, NAMES[name]);
    return element("div", { role: "group", "aria-labelledby": title.id }, title, ...options);
  }));
  forget.hidden = !before.length;
  const count = interpolate(ngettext("%(count)s suggestion", "%(count)s suggestions", place), { count: place });
  news.textContent = place ? count : "";
}

async function answer() {
  const key = `${input.selectionStart} ${input.value}`;
  question?.abort();
  if (!answers.has(key)) {
    question = new AbortController();
    const stale = setTimeout(() => combobox.close(), STALE);
    try {
      const address = new URL(bar.dataset.suggest, location);
      address.search = new URLSearchParams({ q: input.value, caret: input.selectionStart });
      const response = await fetch(address, { signal: question.signal, headers: { Accept: "application/json" } });
      if (!response.ok) throw new Error(response.status);
      answers.set(key, await response.json());
    } catch (error) {
      if (error.name === "AbortError") return;
      // What this browser remembers needs no gallery.
      show({ suggestions: [], saved: [] });
      return;
    } finally {
      clearTimeout(stale);
    }
  }
  // Whoever has gone elsewhere meanwhile, or has typed on, wants no list for this.
  if (document.activeElement === input && key === `${input.selectionStart} ${input.value}`) show(answers.get(key));
}

function ask(pause = PAUSE) {
  clearTimeout(timer);
  timer = setTimeout(answer, pause);
}

input.addEventListener("input", () => {
  combobox.expectOthers();
  ask();
});
input.addEventListener("click", () => combobox.isOpen || ask(0));
input.addEventListener("keydown", (event) => {
  if (event.key === "ArrowDown" && !combobox.isOpen) {
    event.preventDefault();
    ask(0);
  }
});
// By keyboard an empty field shows where one can start; a full one waits until it is changed.
input.addEventListener("focus", () => input.value.trim() || ask(0));

bar.addEventListener("focusout", (event) => {
  if (!popup.contains(event.relatedTarget) && event.relatedTarget !== input) {
    clearTimeout(timer);
    combobox.close();
  }
});
popup.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  combobox.close();
  input.focus();
});
document.addEventListener("pointerdown", (event) => {
  if (!bar.contains(event.target)) combobox.close();
});
input.form.addEventListener("submit", () => combobox.close());

forget.addEventListener("click", () => {
  recent.clear();
  news.textContent = gettext("What was searched for in this browser is forgotten.");
  input.focus();
  ask(0);
});

const searched = document.querySelector("[data-searched]");
if (searched) recent.add(searched.dataset.searched);
