// Months along the edge: a finger or the mouse is drawn along them, arrow keys go from one to the
// next, and the month in the window is marked.

import { topPhoto } from "./grid_pages.js";

const AWAKE = 1500;
const YEAR = 12;

const scrubber = document.querySelector("[data-scrubber]");
const links = [...(scrubber?.querySelectorAll("a") ?? [])];

let marked = null;
let sleep = 0;

function wake() {
  scrubber.classList.add("is-awake");
  clearTimeout(sleep);
  sleep = setTimeout(() => scrubber.classList.remove("is-awake"), AWAKE);
}

function follow() {
  const month = topPhoto()?.closest(".month")?.dataset.month;
  const link = links.find((each) => each.dataset.month === month);
  if (!link || link === marked) return;
  marked?.removeAttribute("aria-current");
  link.setAttribute("aria-current", "true");
  if (!scrubber.contains(document.activeElement)) onlyStop(link);
  marked = link;
}

/** Of all months the tab key stops at one. */
function onlyStop(link) {
  for (const each of links) each.tabIndex = each === link ? 0 : -1;
}

function point(link) {
  for (const each of links) each.classList.toggle("is-pointed", each === link);
}

const nearest = (y) => links.reduce((best, link) => {
  const { top, height } = link.getBoundingClientRect();
  const distance = Math.abs(top + height / 2 - y);
  return !best || distance < best.distance ? { link, distance } : best;
}, null)?.link;

function go(link) {
  const month = document.querySelector(`#photos .month[data-month="${link.dataset.month}"]`);
  const isWhole = month?.previousElementSibling || (month && !document.querySelector("#photos").dataset.newer);
  if (isWhole) month.scrollIntoView();
  else location.assign(link.href);
}

export function startScrubber() {
  if (!scrubber) return;
  onlyStop(links[0]);
  let pending = false;
  addEventListener("scroll", () => {
    if (pending) return;
    pending = true;
    requestAnimationFrame(() => {
      pending = false;
      // On a phone it would cover what a page begins with.
      if (scrollY > 0) wake();
      follow();
    });
  }, { passive: true });
  follow();

  scrubber.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    event.preventDefault();
    scrubber.setPointerCapture(event.pointerId);
    point(nearest(event.clientY));
  });
  scrubber.addEventListener("pointermove", (event) => {
    if (!scrubber.hasPointerCapture(event.pointerId)) return;
    scrubber.classList.add("is-awake");
    clearTimeout(sleep);
    point(nearest(event.clientY));
  });
  scrubber.addEventListener("pointerup", (event) => {
    if (!scrubber.hasPointerCapture(event.pointerId)) return;
    point(null);
    go(nearest(event.clientY));
  });
  scrubber.addEventListener("pointercancel", () => point(null));
  scrubber.addEventListener("click", (event) => {
    const link = event.target.closest("a");
    // A pointer has been followed to its end; this is a key.
    if (link || event.detail) event.preventDefault();
    if (link && event.detail === 0) go(link);
  });
  scrubber.addEventListener("keydown", (event) => {
    const at = links.indexOf(document.activeElement);
    const to = {
      ArrowDown: at + 1, ArrowUp: at - 1, PageDown: at + YEAR, PageUp: at - YEAR,
      Home: 0, End: links.length - 1,
    }[event.key];
    if (at < 0 || to === undefined) return;
    event.preventDefault();
    const link = links[Math.min(Math.max(to, 0), links.length - 1)];
    onlyStop(link);
    link.focus();
  });
}
