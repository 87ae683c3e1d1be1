// Short news at the foot of the window, with a way to take back what was done.

import { gettext } from "./translation.js";

const SHOWN = 8000;

/**
 * Shows a sentence for a while: longer while the pointer or the focus is on it.
 * `undo` is called, once, where the visitor takes back what was done. Returns a function that
 * takes the toast away.
 */
export function showToast(sentence, { undo = null, undoWord = gettext("Undo") } = {}) {
  const toast = document.createElement("div");
  toast.className = "toast";
  const words = document.createElement("p");
  words.textContent = sentence;
  toast.append(words);

  let timer = null;
  const remove = () => {
    clearTimeout(timer);
    toast.remove();
  };
  const wait = () => {
    clearTimeout(timer);
    timer = setTimeout(remove, SHOWN);
  };
  if (undo) {
    toast.append(
      button(undoWord, "toast-undo", () => {
        remove();
        undo();
      }),
    );
  }
  toast.append(button(gettext("Close"), "toast-close", remove));

  for (const event of ["pointerenter", "focusin"]) {
    toast.addEventListener(event, () => clearTimeout(timer));
  }
  for (const event of ["pointerleave", "focusout"]) toast.addEventListener(event, wait);
  toast.addEventListener("keydown", (event) => {
    if (event.key === "Escape") remove();
  });
  document.querySelector("[data-toasts]").append(toast);
  wait();
  return remove;
}

function button(word, name, press) {
  const made = document.createElement("button");
  made.type = "button";
  made.className = name;
  made.textContent = word;
  made.addEventListener("click", press);
  return made;
}
