// The next hits come as one scrolls; going back shows as many again, at the same place.

import { fetchDocument } from "./live_parts.js";
import { gettext, interpolate, ngettext } from "./translation.js";

// So early that somebody who scrolls hardly ever waits.
const AHEAD = "1500px 0px";

const nextLink = () => document.querySelector("[data-next-hits]");
const hits = () => document.querySelector(".hits");
const news = document.querySelector("[data-hits-news]");
const memory = () => `hits ${location.pathname}${location.search}`;

let loading = null;
let returning = false;

const seen = new IntersectionObserver((entries) => {
  if (!returning && entries.some((entry) => entry.isIntersecting)) loadNext();
}, { rootMargin: AHEAD });

/** Puts the next page of hits behind those that are there; whether that went well. */
function loadNext() {
  loading ??= append().finally(() => {
    loading = null;
  });
  return loading;
}

async function append() {
  const link = nextLink();
  const list = hits();
  if (!link || !list) return false;
  seen.unobserve(link);
  const page = await fetchDocument(link.href);
  // The list may have been renewed meanwhile.
  if (list !== hits()) return false;
  const fresh = [...(page?.querySelectorAll(".hits > .hit") ?? [])];
  if (!fresh.length) {
    say(gettext("The next photos did not come; the link “Next” asks again."));
    return false;
  }
  const known = new Set([...list.children].map((hit) => hit.dataset.photo));
  // A photo that came meanwhile moves the others by a place.
  const added = fresh.filter((hit) => !known.has(hit.dataset.photo));
  list.append(...added.map((hit) => document.importNode(hit, true)));
  showRange(list);
  follow(link, page.querySelector("[data-next-hits]"));
  say(interpolate(ngettext("%(count)s more photo loaded.", "%(count)s more photos loaded.", added.length), { count: added.length }));
  document.dispatchEvent(new Event("gallery:renewed"));
  return true;
}

// The link itself stays, and so does the focus where it has it.
function follow(link, next) {
  if (next) {
    link.href = next.href;
    seen.observe(link);
    return;
  }
  const hadFocus = link === document.activeElement;
  const end = document.querySelector("[data-hits-end]");
  link.remove();
  end.hidden = false;
  if (hadFocus) end.focus();
}

function showRange(list) {
  for (const last of document.querySelectorAll("[data-last-place]")) {
    last.textContent = list.start + list.children.length - 1;
  }
}

function say(words) {
  if (news) news.textContent = words;
}

function watch() {
  seen.disconnect();
  const link = nextLink();
  if (link) seen.observe(link);
}

function remember() {
  if (!hits()) return;
  const place = { shown: hits().children.length, y: scrollY };
  try {
    sessionStorage.setItem(memory(), JSON.stringify(place));
  } catch {
    // A full or forbidden memory only costs the place.
  }
}

/** Where this page was left before, if it is come back to. */
function remembered() {
  const [arrival] = performance.getEntriesByType("navigation");
  if (!["back_forward", "reload"].includes(arrival?.type)) return null;
  return JSON.parse(sessionStorage.getItem(memory()) ?? "null");
}

async function comeBack({ shown, y }) {
  if (!hits()) return;
  returning = true;
  history.scrollRestoration = "manual";
  while (hits().children.length < shown && (await loadNext()));
  scrollTo({ top: y, behavior: "instant" });
  history.scrollRestoration = "auto";
  returning = false;
  watch();
}

window.addEventListener("pagehide", remember);
document.addEventListener("gallery:renewed", watch);
watch();

const place = remembered();
// The canvas has its hits only when they were asked for.
if (place && !hits()) document.addEventListener("gallery:renewed", () => comeBack(place), { once: true });
else if (place?.shown > hits()?.children.length) comeBack(place);
