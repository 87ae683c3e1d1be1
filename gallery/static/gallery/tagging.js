// Tags for the photos that are selected: typed with suggestions, given without a new page, and taken back.

import { Combobox } from "./combobox.js";
import { say } from "./grid_pages.js";
import { post } from "./posting.js";
import { showToast } from "./toast.js";
import { gettext, interpolate, ngettext } from "./translation.js";

const PAUSE = 120;
const MOST = 8;

export function startTagging(selection) {
  const { form } = selection;
  const menu = form.querySelector("[data-tagging]");
  if (!menu) return;
  const summary = menu.querySelector("summary");
  const input = menu.querySelector("input");
  const list = menu.querySelector("[role=listbox]");
  const combobox = new Combobox(input, list, list, take);
  let timer = 0;
  let question = null;

  /** What is typed of a tag, and all before it. */
  function parts() {
    const start = input.value.lastIndexOf(",") + 1;
    return { before: input.value.slice(0, start), typed: input.value.slice(start).trim().toLowerCase() };
  }

  function take(option) {
    clearTimeout(timer);
    const { before } = parts();
    input.value = `${before}${before && " "}${option.dataset.name}`;
    combobox.close();
    input.focus();
  }

  function option({ name, photos }, place) {
    const made = document.createElement("div");
    const count = document.createElement("span");
    Object.assign(made, { id: `tag-option-${place}`, className: "tagging-option", textContent: name });
    made.setAttribute("role", "option");
    made.setAttribute("aria-selected", "false");
    made.dataset.name = name;
    count.className = "hint";
    const shown = photos.toLocaleString(document.documentElement.lang);
    count.textContent = interpolate(ngettext("%(count)s photo", "%(count)s photos", photos), { count: shown });
    made.append(" ", count);
    return made;
  }

  async function suggest() {
    question?.abort();
    question = new AbortController();
    const asked = input.value;
    const { before, typed } = parts();
    const given = before.split(",").map((name) => name.trim().toLowerCase());
    const address = new URL(menu.dataset.tags, location);
    address.search = new URLSearchParams({ beginning: typed });
    try {
      const response = await fetch(address, { signal: question.signal });
      if (!response.ok) throw new Error(response.status);
      const tags = (await response.json()).filter(({ name }) => name !== typed && !given.includes(name));
      // Whoever has typed on meanwhile wants no list for this.
      if (menu.open && input.value === asked) combobox.show(tags.slice(0, MOST).map(option));
    } catch (error) {
      // Without suggestions one types the whole tag.
      if (error.name !== "AbortError") combobox.close();
    }
  }

  async function give() {
    combobox.close();
    const answer = await post(form, menu.dataset.tagging, { photos: selection.ids.join(","), tags: input.value });
    if (answer.problem) {
      showToast(answer.problem);
      input.focus();
      return;
    }
    input.value = "";
    menu.open = false;
    summary.focus();
    const undo = async () => {
      const undone = await post(form, menu.dataset.tagging, { undo: answer.undo });
      if (undone.problem) showToast(undone.problem, { undo });
      else say(undone.sentence);
    };
    showToast(answer.sentence, { undo: answer.undo && undo });
  }

  input.addEventListener("input", () => {
    combobox.expectOthers();
    clearTimeout(timer);
    timer = setTimeout(suggest, PAUSE);
  });
  menu.addEventListener("toggle", () => {
    if (menu.open) {
      input.focus();
      suggest();
    } else combobox.close();
  });
  menu.addEventListener("keydown", (event) => {
    // It closes the menu; the photos stay selected.
    if (event.key === "Escape") event.preventDefault();
  });
  form.addEventListener("submit", (event) => {
    if (!event.submitter?.hasAttribute("data-tag")) return;
    event.preventDefault();
    give();
  });
}
