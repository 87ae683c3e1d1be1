// Links to an address to share: a press copies it, where the browser lets a page do that.

import { gettext } from "./translation.js";

const LONG_ENOUGH = 2000;

document.addEventListener("click", async (event) => {
  const link = event.target.closest("[data-copy-address]");
  if (!link || !navigator.clipboard || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  try {
    await navigator.clipboard.writeText(link.href);
  } catch {
    // Then the link leads there, and the browser's own bar has the address.
    location.assign(link.href);
    return;
  }
  tell(link, gettext("Address copied"));
});

function tell(link, sentence) {
  if (link.querySelector("[role=status]")) return;
  const said = document.createElement("span");
  said.className = "copied";
  said.setAttribute("role", "status");
  link.append(said);
  said.textContent = sentence;
  setTimeout(() => said.remove(), LONG_ENOUGH);
}
