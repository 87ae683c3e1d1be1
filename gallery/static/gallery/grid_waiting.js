// Photos that wait for their objects lose their badge once they are ready.

import { fetchDocument, pause, visible } from "./live_parts.js";

const POLL = 2000;

const waiting = () => [...document.querySelectorAll("#photos .thumbnail:has(.badge-received)")];

/** The address of the page that a photo came with. */
function addressOf(photo) {
  const starts = [...document.querySelectorAll("#photos [data-start]")].filter(
    (start) => start === photo || start.compareDocumentPosition(photo) & Node.DOCUMENT_POSITION_FOLLOWING,
  );
  return `${location.pathname}?part=1&from=${starts.at(-1)?.dataset.start}`;
}

export async function awaitReady() {
  while (waiting().length) {
    await pause(POLL);
    await visible();
    const [first] = waiting();
    if (!first) return;
    const page = await fetchDocument(addressOf(first));
    for (const photo of waiting()) {
      const fresh = page?.querySelector(`[data-photo="${CSS.escape(photo.dataset.photo)}"]`);
      if (!fresh || fresh.querySelector(".badge-received")) continue;
      photo.querySelector(".badge-received").replaceWith(...fresh.querySelectorAll(".badge"));
      photo.querySelector("img").alt = fresh.querySelector("img").alt;
    }
  }
}
