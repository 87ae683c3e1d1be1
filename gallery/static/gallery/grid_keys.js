// The grid by keyboard; partials/grid_key_list.html lists the keys.

import { photos, topPhoto } from "./grid_pages.js";

const focused = () => document.activeElement?.closest?.("#photos .thumbnail");

function focus(photo) {
  photo?.querySelector("a").focus();
  photo?.scrollIntoView({ block: "nearest" });
}

/** The photo above or below, whose middle is nearest. */
function neighbour(photo, way) {
  const here = photo.getBoundingClientRect();
  const middle = here.left + here.width / 2;
  const all = photos();
  const rest = way > 0 ? all.slice(all.indexOf(photo) + 1) : all.slice(0, all.indexOf(photo)).reverse();
  let best = null;
  let row = null;
  for (const other of rest) {
    const box = other.getBoundingClientRect();
    if (Math.abs(box.top - here.top) < 2) continue;
    row ??= box.top;
    if (Math.abs(box.top - row) > 2) break;
    const distance = Math.abs(box.left + box.width / 2 - middle);
    if (!best || distance < best.distance) best = { other, distance };
  }
  return best?.other;
}

function target(key, photo) {
  const all = photos();
  if (key === "Home") return all[0];
  if (key === "End") return all.at(-1);
  if (key === "ArrowUp") return neighbour(photo, -1);
  if (key === "ArrowDown") return neighbour(photo, 1);
  const towardsEnd = (key === "ArrowRight") === (getComputedStyle(photo).direction === "ltr");
  return all[all.indexOf(photo) + (towardsEnd ? 1 : -1)];
}

export function startKeys(selection, { trash, undo }) {
  document.addEventListener("keydown", (event) => {
    const elsewhere = event.target.closest("[data-scrubber], .menu, [role=toolbar]");
    const typing = event.target.matches("input:not([type=checkbox]), textarea, select");
    if (event.defaultPrevented || event.altKey || typing) return;
    const photo = focused();
    const command = event.ctrlKey || event.metaKey;
    const act = (work) => {
      event.preventDefault();
      work();
    };
    if (event.key === "Escape" && !selection.isEmpty) return act(() => selection.clear());
    if (command && event.key === "z") return undo.isPossible() && act(undo);
    if (elsewhere) return;
    if (command && event.key === "a" && (photo || !selection.isEmpty)) return act(() => selection.selectAll());
    if (command) return;
    if (event.key === "Delete" && !selection.isEmpty) return act(trash);
    if (event.key === "x" && photo) return act(() => selection.toggle(photo));
    if (!["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Home", "End"].includes(event.key)) return;
    if (!photo) {
      const sideways = event.key === "ArrowLeft" || event.key === "ArrowRight";
      if (sideways && document.activeElement === document.body) act(() => focus(topPhoto()));
      return;
    }
    act(() => {
      const next = target(event.key, photo);
      if (!next) return;
      if (event.shiftKey) {
        if (!selection.anchor) selection.toggle(photo, true);
        selection.extendTo(next);
      }
      focus(next);
    });
  });
}
