// Reads the page again while a photo on it waits, and shows the news without a reload.

import { fetchDocument, pause, renew, visible } from "./live_parts.js";

const POLL = 2000;
const PARTS = ["#photos", "#picture", "#photo-objects", "#find-similar"];
const waits = () => document.querySelector("[data-awaited], .badge-received") !== null;

let waiting = false;

async function wait() {
  if (waiting) return;
  waiting = true;
  while (waits()) {
    await pause(POLL);
    await visible();
    const address = location.href;
    const fresh = await fetchDocument(address);
    // Another photo may have been turned to meanwhile.
    if (address !== location.href) continue;
    for (const part of PARTS) {
      const shown = document.querySelector(part);
      const news = fresh?.querySelector(part);
      if (shown && news && renew(shown, news)) {
        document.dispatchEvent(new Event("gallery:renewed"));
      }
    }
  }
  waiting = false;
}

document.addEventListener("gallery:turned", wait);
wait();
