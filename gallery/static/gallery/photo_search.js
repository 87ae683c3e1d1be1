// Search by photo: chosen, dropped on the search bar or pasted into it, it is sent at once.

import { acceptDroppedFiles } from "./file_drop.js";
import { gettext, interpolate } from "./translation.js";

const bar = document.querySelector("[data-photo-search]");
const menu = bar.querySelector("details");
const form = menu.querySelector("form");
const input = form.elements.photo;
const words = bar.querySelector("[name=q]");
const panel = bar.querySelector("[data-photo-state]");
const preview = panel.querySelector("img");
const news = panel.querySelector("[data-photo-news]");
const progress = panel.querySelector("[data-photo-progress]");
const again = panel.querySelector("[data-photo-again]");
const other = panel.querySelector("[data-photo-other]");
const leave = panel.querySelector("[data-photo-leave]");

let photo = null;
let sending = null;

function search(file) {
  photo = file;
  menu.open = false;
  show(file);
  send(file);
}

function show(file) {
  URL.revokeObjectURL(preview.src);
  preview.hidden = true;
  preview.src = URL.createObjectURL(file);
  panel.hidden = false;
}

// Not every browser can show every photo that the gallery reads.
preview.addEventListener("load", () => { preview.hidden = false; });
preview.addEventListener("error", () => { preview.hidden = true; });

function send(file) {
  sending?.abort();
  state(interpolate(gettext("Sending %(name)s…"), { name: file.name }));
  progress.max = 1;
  progress.value = 0;
  const request = new XMLHttpRequest();
  sending = request;
  request.open("POST", form.action);
  request.setRequestHeader("Accept", "application/json");
  request.setRequestHeader("X-CSRFToken", form.elements.csrfmiddlewaretoken.value);
  request.responseType = "json";
  request.upload.addEventListener("progress", (event) => {
    if (event.lengthComputable) progress.value = event.loaded / event.total;
  });
  request.upload.addEventListener("load", () => {
    state(gettext("Searching for photos like it…"));
    progress.removeAttribute("value");
  });
  request.addEventListener("error", () => fail(gettext("The gallery does not answer. Your photo is still here."), true));
  request.addEventListener("load", () => {
    const { address, detail } = request.response ?? {};
    if (address) location.assign(address);
    // 503: the detector is down, which passes; any other refusal is for good.
    else fail(detail ?? gettext("The gallery could not search with this photo."), request.status >= 500);
  });
  const body = new FormData();
  body.append("photo", file, file.name);
  request.send(body);
}

function state(sentence) {
  news.textContent = sentence;
  panel.classList.add("is-searching");
  panel.classList.remove("has-failed");
  progress.hidden = false;
  again.hidden = true;
  other.hidden = true;
  leave.textContent = gettext("Cancel");
}

function fail(sentence, passes) {
  news.textContent = sentence;
  panel.classList.remove("is-searching");
  panel.classList.add("has-failed");
  progress.hidden = true;
  again.hidden = !passes;
  other.hidden = false;
  leave.textContent = gettext("Close");
  (passes ? again : other).focus();
}

function close() {
  sending?.abort();
  panel.hidden = true;
  input.value = "";
}

input.addEventListener("change", () => {
  if (input.files.length) search(input.files[0]);
});
form.addEventListener("submit", (event) => {
  event.preventDefault();
  if (input.files.length) search(input.files[0]);
});
again.addEventListener("click", () => {
  leave.focus();
  send(photo);
});
other.addEventListener("click", () => {
  close();
  menu.open = true;
  input.click();
});
leave.addEventListener("click", () => {
  close();
  words.focus();
});
panel.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  close();
  words.focus();
});

acceptDroppedFiles(bar, ([file]) => file && search(file));

bar.addEventListener("paste", (event) => {
  const [file] = event.clipboardData.files;
  // Whoever pastes words, even out of a page with pictures, wants the words.
  if (!file?.type.startsWith("image/") || event.clipboardData.getData("text/plain")) return;
  event.preventDefault();
  search(file);
});

// Coming back to this page, as it was left, is a new start.
window.addEventListener("pageshow", close);
