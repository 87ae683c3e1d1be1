// From a photo to its neighbour without leaving the page: full screen, panel and boxes stay as they are.

import { fetchDocument } from "./live_parts.js";

const viewer = () => document.querySelector("#viewer");
const calm = matchMedia("(prefers-reduced-motion: reduce)");

let latest = 0;
// The entry of the history that is shown.
let here = null;

/**
 * Shows the photo of an address in place of this one.
 *
 * It fades in only for keys: while a page is in transition, Chromium gives pointers nothing to press.
 * What works on the picture may hold this up by refusing the event "gallery:leaving". Where the
 * address has no photo to show, the browser goes there as usual.
 */
export async function turnTo(address, { keep = "push", fading = false } = {}) {
  if (!mayLeave()) return false;
  latest += 1;
  const turn = latest;
  viewer().setAttribute("aria-busy", "true");
  const page = await fetchDocument(address);
  if (turn !== latest) return false;
  const fresh = page?.querySelector("#viewer");
  if (!fresh) {
    location.assign(address);
    return false;
  }
  if (keep === "push") history.pushState({ ...history.state, depth: (history.state?.depth ?? 0) + 1 }, "", address);
  if (keep === "replace") history.replaceState(history.state, "", address);
  if (fading) await inTransition(() => show(page, fresh));
  else show(page, fresh);
  return true;
}

const mayLeave = () => document.dispatchEvent(new CustomEvent("gallery:leaving", { cancelable: true }));

async function inTransition(change) {
  if (!document.startViewTransition || calm.matches || document.hidden) return change();
  const transition = document.startViewTransition(change);
  // One that is overtaken by the next is no mishap.
  transition.ready.catch(() => {});
  transition.finished.catch(() => {});
  return transition.updateCallbackDone;
}

function show(page, fresh) {
  const focused = viewer().contains(document.activeElement) ? nameOf(document.activeElement) : null;
  for (const note of document.querySelectorAll("main > .note")) note.remove();
  viewer().replaceWith(document.importNode(fresh, true));
  document.title = page.title;
  here = { state: history.state, address: location.href };
  scrollTo({ top: 0, behavior: "instant" });
  if (focused !== null) (findNamed(focused) ?? document.querySelector("main")).focus({ preventScroll: true });
  document.dispatchEvent(new Event("gallery:renewed"));
  document.dispatchEvent(new Event("gallery:turned"));
}

// The same control of another photo has the same key.
const nameOf = (element) => element.getAttribute("aria-keyshortcuts") ?? "";
const findNamed = (name) => name && viewer().querySelector(`[aria-keyshortcuts="${CSS.escape(name)}"]`);

/** Has the pictures of the neighbours come, once this one is there. */
export function preloadNeighbours(image) {
  const preload = () => {
    for (const link of viewer().querySelectorAll("[data-view]")) {
      const picture = new Image();
      picture.fetchPriority = "low";
      picture.src = link.dataset.view;
    }
  };
  if (image.complete) preload();
  else image.addEventListener("load", preload, { once: true });
}

/** Turns to where the browser's own buttons lead; where something holds this up, the address stays too. */
export function followHistory() {
  here = { state: history.state, address: location.href };
  window.addEventListener("popstate", () => {
    if (mayLeave()) turnTo(location.href, { keep: "as it is" });
    else history.pushState(here.state, "", here.address);
  });
}

/** Remembers how far back in the history the page is that this photo was opened from. */
export function rememberArrival() {
  if (history.state?.depth !== undefined) return;
  const [arrival] = performance.getEntriesByType("navigation");
  const from = document.referrer ? new URL(document.referrer) : null;
  const cameFromList = arrival?.type === "navigate" && history.length > 1
    && from?.origin === location.origin && !/^\/photos\/\d+\/(?:delete)?$/.test(from.pathname);
  history.replaceState({ depth: 0, cameFromList }, "");
}

/** Goes back to the page that the first of these photos was opened from; whether there is one. */
export function goBack() {
  const { depth, cameFromList } = history.state ?? {};
  if (!cameFromList) return false;
  history.go(-depth - 1);
  return true;
}
