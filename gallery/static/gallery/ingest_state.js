// The dashboard's live part: asks how far ingestion is, only while photos wait.

import { fetchDocument, pause, renew, visible } from "./live_parts.js";

const POLL = 2000;
// The collection is dearer to renew than the counts.
const COLLECTION_PERIOD = 6000;

const place = document.querySelector("[data-ingest-state]");
const news = document.querySelector("[data-ingest-news]");
const state = () => place.querySelector(".ingest-state");
const count = (element, name) => Number(element.dataset[name]);

let polling = false;
let collectionRenewed = -COLLECTION_PERIOD;
let collectionStale = false;

/** Ask now, and go on while photos wait. */
export async function followIngestion() {
  if (polling) return;
  polling = true;
  do {
    await visible();
    await ask();
    if (count(state(), "waiting")) await pause(POLL);
  } while (count(state(), "waiting"));
  polling = false;
}

async function ask() {
  const fresh = (await fetchDocument(place.dataset.ingestState))?.querySelector(".ingest-state");
  if (!fresh) return;
  const shown = state();
  const before = { ...shown.dataset };
  Object.assign(shown.dataset, fresh.dataset);
  for (const part of fresh.querySelectorAll("[data-part]")) {
    renew(shown.querySelector(`[data-part="${part.dataset.part}"]`), part);
  }
  announce(before, fresh.dataset);
  collectionStale ||= before.ready !== fresh.dataset.ready || before.total !== fresh.dataset.total;
  const done = !count(fresh, "waiting");
  const due = performance.now() - collectionRenewed > COLLECTION_PERIOD;
  if (collectionStale && (done || due)) await renewCollection();
}

async function renewCollection() {
  collectionRenewed = performance.now();
  collectionStale = false;
  const fresh = (await fetchDocument(location.href))?.querySelector("#collection");
  if (fresh) renew(document.querySelector("#collection"), fresh);
}

// Only what matters is read out, not every count on the way.
function announce(before, after) {
  if (before.waiting !== "0" && after.waiting === "0") {
    news.textContent = `All photos are looked at; ${after.ready} can be searched.`;
  } else if (Number(after.failed) > Number(before.failed)) {
    news.textContent = `${after.failed} failed.`;
  }
}

if (count(state(), "waiting")) followIngestion();
