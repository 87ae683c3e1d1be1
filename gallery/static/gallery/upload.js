// Photos are dropped or pasted anywhere, or chosen; what is under way goes on on every page.

import { acceptDropsElsewhere, acceptPastes } from "./file_drop.js";
import { chosenFiles, droppedFiles, pastedFiles } from "./photo_files.js";

const place = document.querySelector("[data-upload-tray]");
const hint = document.querySelector("[data-drop-hint]");
// Its value says whether there is anything to show, without opening a database on every page.
const FLAG = `gallery-uploads-${place.dataset.owner}-shown`;

let tray = null;

// Loaded when there is something to upload: most pages need none of it.
function openTray() {
  tray ??= import("./upload_tray.js").then((module) => module.openTray(place, FLAG));
  return tray;
}

async function take({ files, skipped }) {
  if (files.length || skipped) (await openTray()).add(files, skipped);
}

acceptDropsElsewhere(
  // The files are read out of the drop at once, before anything is waited for.
  (transfer) => droppedFiles(transfer).then(take),
  (hovering) => {
    hint.hidden = !hovering;
  },
);

acceptPastes((clipboard) => take(pastedFiles(clipboard)));

for (const input of document.querySelectorAll("[data-upload-files]")) {
  const takeChosen = () => {
    const chosen = chosenFiles(input);
    input.value = "";
    take(chosen);
  };
  input.addEventListener("change", takeChosen);
  // Chosen before this script was there.
  if (input.files.length) takeChosen();
}

for (const button of document.querySelectorAll("[data-choose-files]")) {
  button.addEventListener("click", () => document.getElementById(button.dataset.chooseFiles).click());
}

document.querySelector("[data-upload]")?.addEventListener("submit", (event) => event.preventDefault());

const openIfShown = () => {
  try {
    if (localStorage.getItem(FLAG)) openTray();
  } catch {
    // Without storage nothing is left from other pages.
  }
};
// Another tab has begun.
window.addEventListener("storage", (event) => {
  if (event.key === FLAG) openIfShown();
});
openIfShown();
