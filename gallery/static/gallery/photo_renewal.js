// A photo's page after its objects were changed.

import { fetchDocument, renew } from "./live_parts.js";
import { showToast } from "./toast.js";

/** Brings the page up to date and says why. */
export async function showChanged(words, undo = null) {
  const fresh = await fetchDocument(location.href);
  const [overlay, image] = ["svg.boxes", "img"].map((part) => fresh?.querySelector(`#picture ${part}`));
  if (overlay) {
    // What was lit up is gone with its box.
    for (const lit of document.querySelectorAll(".has-lit")) lit.classList.remove("has-lit");
    document.querySelector("#picture svg.boxes").replaceWith(document.importNode(overlay, true));
    document.querySelector("#picture img").alt = image.alt;
    for (const part of ["#photo-objects", "#find-similar"]) {
      const [old, news] = [document.querySelector(part), fresh.querySelector(part)];
      if (old && news) renew(old, news);
    }
    document.dispatchEvent(new Event("gallery:renewed"));
  }
  showToast(words, { undo });
}

export const tell = (problem) => showToast(problem.message);
