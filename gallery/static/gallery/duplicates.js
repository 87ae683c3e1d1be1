// Sets of photos that are alike: what is decided goes out of the page, and comes back by Undo.

import { post } from "./posting.js";
import { showToast } from "./toast.js";
import { gettext, interpolate, ngettext } from "./translation.js";

const list = document.querySelector("[data-alike-sets]");
const nothing = document.querySelector("[data-no-sets]");

const setsShown = () => [...list.querySelectorAll("[data-alike-set]:not([hidden])")];
const keepBoxes = (form) => [...form.querySelectorAll("[name=keep]")];

/** Has the button say what it will do. */
function describe(form) {
  const boxes = keepBoxes(form);
  const kept = boxes.filter((box) => box.checked).length;
  const count = boxes.length - kept;
  const words = form.querySelector("[data-tidy-words]");
  const isBest = kept === 1 && boxes[0].checked;
  if (kept === 0) words.textContent = gettext("Choose at least one to keep");
  else if (count === 0) words.textContent = gettext("Keep all");
  else if (isBest) {
    const sentence = ngettext(
      "Keep the best, move %(count)s other to the trash",
      "Keep the best, move %(count)s others to the trash",
      count,
    );
    words.textContent = interpolate(sentence, { count });
  } else {
    const sentence = ngettext(
      "Keep what is chosen, move %(count)s other to the trash",
      "Keep what is chosen, move %(count)s others to the trash",
      count,
    );
    words.textContent = interpolate(sentence, { count });
  }
  form.querySelector("[data-keep-all]").hidden = count === 0;
}

function hide(form) {
  const sets = setsShown();
  const next = sets[sets.indexOf(form) + 1] ?? sets[sets.indexOf(form) - 1];
  form.hidden = true;
  nothing.hidden = setsShown().length > 0;
  const target = next?.querySelector("[data-tidy]") ?? nothing.querySelector("a");
  target?.focus({ preventScroll: !next });
}

function bringBack(form) {
  form.hidden = false;
  nothing.hidden = true;
  form.querySelector("[data-tidy]").focus();
}

async function decide(form, submitter) {
  const facts = new FormData(form);
  const keepsAll = submitter.hasAttribute("data-keep-all") || keepBoxes(form).every((box) => box.checked);
  if (!keepsAll && !facts.has("keep")) {
    showToast(gettext("Choose one photo or several to keep; none was moved."));
    return;
  }
  submitter.setAttribute("aria-busy", "true");
  const answer = await post(form, keepsAll ? list.dataset.keep : form.action, facts);
  submitter.removeAttribute("aria-busy");
  if (answer.problem) {
    showToast(answer.problem);
    return;
  }
  const undo = async () => {
    let undone;
    if (keepsAll) {
      facts.set("undo", "1");
      undone = await post(form, list.dataset.keep, facts);
    } else undone = await post(form, list.dataset.restore, { moment: answer.moment });
    if (undone.problem) showToast(undone.problem, { undo });
    else bringBack(form);
  };
  showToast(answer.sentence, { undo });
  hide(form);
}

for (const form of list.querySelectorAll("[data-alike-set]")) {
  describe(form);
  form.addEventListener("change", () => describe(form));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    decide(form, event.submitter);
  });
}
