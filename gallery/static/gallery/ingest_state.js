// The dashboard's live part: asks how far ingestion is, only while photos wait.

import { fetchDocument, pause, renew, visible } from "./live_parts.js";
import { Pace } from "./pace.js";
import { gettext, interpolate } from "./translation.js";

const POLL = 2000;
// The collection is dearer to renew than the counts.
const COLLECTION_PERIOD = 6000;

const place = document.querySelector("[data-ingest-state]");
const news = document.querySelector("[data-ingest-news]");
const state = () => place.querySelector(".ingest-state");
const count = (element, name) => Number(element.dataset[name]);

const pace = new Pace();
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
  showPace(fresh.dataset);
  collectionStale ||= before.ready !== fresh.dataset.ready || before.total !== fresh.dataset.total;
  const done = !count(fresh, "waiting");
  const due = performance.now() - collectionRenewed > COLLECTION_PERIOD;
  if (collectionStale && (done || due)) await renewCollection();
}

async function renewCollection() {
  collectionRenewed = performance.now();
  collectionStale = false;
  const fresh = (await fetchDocument(location.href))?.querySelector("#collection");
  if (fresh && renew(document.querySelector("#collection"), fresh)) {
    document.dispatchEvent(new Event("gallery:renewed"));
  }
}

function showPace({ ready, failed, waiting }) {
  if (waiting === "0") pace.forget();
  else pace.note(performance.now(), Number(ready) + Number(failed));
  const place = state().querySelector("[data-pace]");
  if (place) place.textContent = pace.sentence(Number(waiting));
}

// Only what matters is read out, not every count on the way.
function announce(before, after) {
  if (before.waiting !== "0" && after.waiting === "0") {
    news.textContent = interpolate(
      gettext("All photos are looked at; %(count)s can be searched."),
      { count: after.ready },
    );
  } else if (Number(after.failed) > Number(before.failed)) {
    news.textContent = interpolate(gettext("%(count)s failed."), { count: after.failed });
  }
}

if (count(state(), "waiting")) followIngestion();
