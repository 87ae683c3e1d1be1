// The page of all photos.

import { startKeys } from "./grid_keys.js";
import { hold, startPages, topPhoto } from "./grid_pages.js";
import { awaitReady } from "./grid_waiting.js";
import { startMoving } from "./moving.js";
import { settleAll } from "./rows.js";
import { startScrubber } from "./scrubber.js";
import { Selection } from "./selection.js";
import { startTagging } from "./tagging.js";

const A_YEAR = 365 * 24 * 3600;

const form = document.querySelector("#selection");
const grid = document.querySelector("#photos");

function chooseSize(link) {
  const seen = topPhoto();
  const top = seen?.getBoundingClientRect().top;
  grid.dataset.size = link.dataset.size;
  document.cookie = `grid-size=${link.dataset.size}; max-age=${A_YEAR}; path=/; samesite=lax`;
  for (const each of link.parentElement.children) each.toggleAttribute("aria-current", false);
  link.setAttribute("aria-current", "true");
  settleAll(grid);
  if (seen && scrollY > 0) hold(seen, top);
}

function leaveBoxesToKeys() {
  // The key x does the same, so that the tab key stops once a photo.
  for (const box of form.querySelectorAll(".select input")) box.tabIndex = -1;
}

if (form) {
  const selection = new Selection(form);
  startPages();
  startKeys(selection, startMoving(selection));
  startTagging(selection);
  startScrubber();
  leaveBoxesToKeys();
  document.addEventListener("gallery:photos", leaveBoxesToKeys);
  document.addEventListener("gallery:photos", awaitReady);
  awaitReady();
  for (const link of document.querySelectorAll(".sizes a")) {
    link.addEventListener("click", (event) => {
      event.preventDefault();
      chooseSize(link);
    });
  }
}
