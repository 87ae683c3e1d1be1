// Selected photos go to the trash without a new page, and come back as long as one says so.

import { say } from "./grid_pages.js";
import { post } from "./posting.js";
import { settleAll } from "./rows.js";
import { showToast } from "./toast.js";
import { gettext } from "./translation.js";

/** Takes photos out of the page; returns what puts them back. */
function takeOut(photos) {
  const grid = document.querySelector("#photos");
  const places = photos.map((photo) => ({ photo, list: photo.parentElement, next: photo.nextElementSibling }));
  for (const photo of photos) photo.remove();
  const tidy = () => {
    for (const part of grid.querySelectorAll(".photo-grid, .day, .month")) {
      part.hidden = !part.querySelector(".thumbnail");
    }
    settleAll(grid);
  };
  tidy();
  return () => {
    for (const { photo, list, next } of places.toReversed()) {
      list.insertBefore(photo, next?.parentElement === list ? next : null);
    }
    tidy();
  };
}

export function startMoving(selection) {
  const { form } = selection;
  let last = null;
  let hideToast = null;

  async function trash() {
    const photos = selection.selected.map((box) => box.closest(".thumbnail"));
    if (!photos.length || !form.querySelector("[data-trash]")) return;
    const answer = await post(form, form.dataset.move, { photos: selection.ids.join(",") });
    if (answer.problem) return void showToast(answer.problem);
    const all = [...form.querySelectorAll(".thumbnail")];
    const after = all.slice(all.indexOf(photos.at(-1)) + 1)[0] ?? all[all.indexOf(photos[0]) - 1];
    selection.clear();
    const putBack = takeOut(photos);
    last = answer.moved ? { moment: answer.moment, putBack, photos } : null;
    hideToast = showToast(answer.sentence, { undo: last && undo });
    after?.querySelector("a").focus({ preventScroll: true });
  }

  async function undo() {
    if (!last) return;
    const { moment, putBack, photos } = last;
    const answer = await post(form, form.dataset.restore, { moment });
    if (answer.problem) return void showToast(answer.problem, { undo });
    last = null;
    putBack();
    hideToast?.();
    say(answer.sentence);
    photos[0].querySelector("a").focus();
  }
  undo.isPossible = () => last !== null;

  form.addEventListener("submit", (event) => {
    if (event.submitter?.hasAttribute("data-trash")) {
      event.preventDefault();
      trash();
    } else if (!event.submitter?.hasAttribute("data-tag")) {
      say(gettext("The download begins."));
    }
  });
  return { trash, undo };
}
