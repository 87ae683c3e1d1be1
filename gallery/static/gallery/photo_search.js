// Search by photo: a choice is sent at once, and a photo can be dropped on the search bar.

import { acceptDroppedFiles } from "./file_drop.js";

const bar = document.querySelector("[data-photo-search]");
const menu = bar.querySelector("details");
const form = menu.querySelector("form");
const input = form.elements.photo;
const state = bar.querySelector("[role=status]");

input.addEventListener("change", () => {
  if (input.files.length) form.requestSubmit();
});

form.addEventListener("submit", () => {
  state.textContent = "Looking at the photo…";
  menu.open = false;
});

acceptDroppedFiles(bar, (files) => {
  const transfer = new DataTransfer();
  transfer.items.add(files[0]);
  input.files = transfer.files;
  form.requestSubmit();
});

// Coming back to this page, as it was left, is a new start.
window.addEventListener("pageshow", () => {
  state.textContent = "";
  input.value = "";
});
