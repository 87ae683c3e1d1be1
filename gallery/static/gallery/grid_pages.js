// The next photos come as one scrolls, older ones below and newer ones above; the address says
// where one is, so that coming back leads there.

import { fetchDocument } from "./live_parts.js";
import { showPreviews } from "./previews.js";
import { measures, settle, settleAll } from "./rows.js";
import { gettext, interpolate, ngettext } from "./translation.js";

// So early that somebody who scrolls hardly ever waits.
const AHEAD = 2000;
const CALM = 200;

const grid = document.querySelector("#photos");
const older = document.querySelector("[data-older-page]");
const newer = document.querySelector("[data-newer-page]");
const news = document.querySelector("[data-grid-news]");

/** Says something to those who do not see the page. */
export const say = (words) => {
  news.textContent = words;
};

/** All photos that are loaded, newest first. */
export const photos = () => [...grid.querySelectorAll(".thumbnail")];

/** The photo at the top of the window. */
export function topPhoto() {
  const lists = [...grid.querySelectorAll(".photo-grid")];
  const list = lists.find((each) => each.getBoundingClientRect().bottom > 0);
  return [...(list?.children ?? [])].find((photo) => photo.getBoundingClientRect().bottom > 0);
}

/** The first photos of loaded pages up to a photo; the last of them begins the page that it came with. */
export function startsUpTo(photo) {
  return [...grid.querySelectorAll("[data-start]")].filter(
    (start) => start === photo || start.compareDocumentPosition(photo) & Node.DOCUMENT_POSITION_FOLLOWING,
  );
}

function mark(page) {
  const first = page.querySelector(".thumbnail");
  if (first) first.dataset.start = page.dataset.start;
}

async function fetchPage(query) {
  const page = (await fetchDocument(`${location.pathname}?part=1&${query}`))?.querySelector("#photos");
  if (!page) {
    say(gettext("More photos did not come; scroll on to ask again."));
    return null;
  }
  const fresh = document.importNode(page, true);
  const known = new Set(photos().map((photo) => photo.dataset.photo));
  // One that came, went or was brought back meanwhile may be there already.
  for (const photo of fresh.querySelectorAll(".thumbnail")) {
    if (known.has(photo.dataset.photo)) photo.remove();
  }
  mark(fresh);
  showPreviews(fresh);
  return fresh;
}

/** Puts the months of a page before or behind those that are there; what belongs together joins. */
function join(fresh, isBelow) {
  const end = isBelow ? grid.lastElementChild : grid.firstElementChild;
  const months = [...fresh.children];
  const meeting = isBelow ? months[0] : months.at(-1);
  const touched = [...fresh.querySelectorAll(".day")];
  if (end && meeting?.dataset.month === end.dataset.month) {
    joinMonths(end, meeting, isBelow, touched);
    months.splice(months.indexOf(meeting), 1);
  }
  if (isBelow) grid.append(...months);
  else grid.prepend(...months);
  const list = grid.querySelector(".photo-grid");
  const numbers = list && measures(list);
  for (const day of touched) if (day.isConnected) settle(day, numbers);
}

function joinMonths(month, fresh, isBelow, touched) {
  const days = [...fresh.querySelectorAll(".day")];
  const shown = [...month.querySelectorAll(".day")];
  const end = isBelow ? shown.at(-1) : shown[0];
  const meeting = isBelow ? days[0] : days.at(-1);
  // Several days under one heading are not told apart.
  if (meeting?.dataset.day === end?.dataset.day && !end.dataset.day.includes(" ")) {
    const lists = meeting.querySelectorAll(".photo-grid");
    if (isBelow) end.append(...lists);
    else end.querySelector(".day-title").after(...lists);
    days.splice(days.indexOf(meeting), 1);
    touched.push(end);
  }
  if (isBelow) month.append(...days);
  else month.querySelector(".month-title").after(...days);
}

let loading = null;

function load(work) {
  loading ??= work().finally(() => {
    loading = null;
  });
  return loading;
}

const loadOlder = () => load(async () => {
  const place = grid.dataset.older;
  const fresh = place && (await fetchPage(`from=${place}`));
  if (!fresh) return;
  const count = fresh.querySelectorAll(".thumbnail").length;
  grid.dataset.older = fresh.dataset.older;
  join(fresh, true);
  if (!grid.dataset.older) {
    older?.remove();
    document.querySelector("[data-grid-end]").hidden = false;
  }
  sayLoaded(count);
});

const loadNewer = () => load(async () => {
  const place = grid.dataset.newer;
  const fresh = place && (await fetchPage(`until=${place}`));
  if (!fresh) return;
  const count = fresh.querySelectorAll(".thumbnail").length;
  const seen = topPhoto();
  const before = seen?.getBoundingClientRect().top;
  grid.dataset.newer = fresh.dataset.newer;
  join(fresh, false);
  if (!grid.dataset.newer) newer?.remove();
  // What one looks at stays where it is.
  if (seen) scrollBy({ top: seen.getBoundingClientRect().top - before, behavior: "instant" });
  sayLoaded(count);
});

function sayLoaded(count) {
  say(interpolate(ngettext("%(count)s more photo", "%(count)s more photos", count), { count }));
  document.dispatchEvent(new Event("gallery:photos"));
}

const isNearEnd = () => document.documentElement.scrollHeight - innerHeight - scrollY < AHEAD;

async function fill() {
  while (grid.dataset.older && isNearEnd()) {
    const place = grid.dataset.older;
    await loadOlder();
    if (grid.dataset.older === place) return;
  }
}

let lastY = scrollY;
let calm = 0;

function scrolled() {
  const up = scrollY < lastY;
  lastY = scrollY;
  if (isNearEnd()) fill();
  if (up && scrollY < AHEAD && grid.dataset.newer) loadNewer();
  clearTimeout(calm);
  calm = setTimeout(remember, CALM);
}

/** Has the address of this page lead to what is in the window now. */
export function remember() {
  const photo = topPhoto();
  if (!photo) return;
  const starts = startsUpTo(photo);
  const start = starts.at(-1);
  const isNewest = !start || (starts.length === 1 && !grid.dataset.newer);
  const address = isNewest ? location.pathname : `${location.pathname}?from=${start.dataset.start}`;
  const state = { photo: photo.dataset.photo, top: photo.getBoundingClientRect().top };
  history.replaceState(scrollY > 0 ? state : null, "", address);
}

/** Puts a photo back to where it was in the window. */
export function hold(photo, top) {
  scrollBy({ top: photo.getBoundingClientRect().top - top, behavior: "instant" });
}

async function comeBack() {
  const place = history.state;
  const photo = place?.photo && grid.querySelector(`[data-photo="${CSS.escape(place.photo)}"]`);
  if (!photo) return;
  hold(photo, place.top);
  // The page may end too soon to be scrolled so far.
  const isShort = () => photo.getBoundingClientRect().top - place.top > 1;
  if (isShort() && grid.dataset.older) {
    await loadOlder();
    if (isShort()) hold(photo, place.top);
  }
}

export function startPages() {
  history.scrollRestoration = "manual";
  mark(grid);
  showPreviews();
  settleAll(grid);
  // Still there for the keyboard; it would be seen to jump with each page.
  older?.classList.add("is-automatic");
  comeBack().then(() => {
    lastY = scrollY;
    addEventListener("scroll", scrolled, { passive: true });
    fill();
  });
  addEventListener("wheel", (event) => {
    if (event.deltaY < 0 && scrollY === 0 && grid.dataset.newer) loadNewer();
  }, { passive: true });
  addEventListener("pagehide", remember);
  newer?.querySelector("[rel=prev]").addEventListener("click", (event) => {
    event.preventDefault();
    loadNewer();
  });
  older?.querySelector("a").addEventListener("click", (event) => {
    event.preventDefault();
    loadOlder();
  });
  let width = innerWidth;
  addEventListener("resize", () => {
    if (innerWidth === width) return;
    width = innerWidth;
    settleAll(grid);
  });
}
