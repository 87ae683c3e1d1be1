// Photos that wait for their objects lose their badge once they are ready.

import { startsUpTo } from "./grid_pages.js";
import { fetchDocument, pause, visible } from "./live_parts.js";

const POLL = 2000;

const waiting = () => [...document.querySelectorAll("#photos .thumbnail:has(.badge-received)")];

/** The address of the page that a photo came with. */
function addressOf(photo) {
  return `${location.pathname}?part=1&from=${startsUpTo(photo).at(-1)?.dataset.start}`;
}

let isAwaiting = false;

/** Follows what waits now, or came with more photos. */
export async function awaitReady() {
  if (isAwaiting) return;
  isAwaiting = true;
  while (waiting().length) {
    await pause(POLL);
    await visible();
    const [first] = waiting();
    if (!first) break;
    const page = await fetchDocument(addressOf(first));
    for (const photo of waiting()) {
      const fresh = page?.querySelector(`[data-photo="${CSS.escape(photo.dataset.photo)}"]`);
      if (!fresh || fresh.querySelector(".badge-received")) continue;
      photo.querySelector(".badge-received").replaceWith(...fresh.querySelectorAll(".badge"));
      photo.querySelector("img").alt = fresh.querySelector("img").alt;
    }
  }
  isAwaiting = false;
}
