// Files dropped on a part of the page go to that part; elsewhere they do not replace the page.

const carriesFiles = (event) => event.dataTransfer?.types.includes("Files");

/** Calls onFiles with the files dropped on an element, and marks it while they hover over it. */
export function acceptDroppedFiles(element, onFiles) {
  element.addEventListener("dragover", (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = "copy";
    element.classList.add("is-drop-target");
  });
  element.addEventListener("dragleave", (event) => {
    if (!element.contains(event.relatedTarget)) element.classList.remove("is-drop-target");
  });
  element.addEventListener("drop", (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    element.classList.remove("is-drop-target");
    onFiles([...event.dataTransfer.files]);
  });
}

// What becomes of files on the rest of the page.
let elsewhere = null;

/** Calls onDrop with what is dropped on no such element, and onHover(whether it could be) before. */
export function acceptDropsElsewhere(onDrop, onHover = () => {}) {
  elsewhere = { onDrop, onHover };
}

for (const name of ["dragover", "drop"]) {
  document.addEventListener(name, (event) => {
    if (!carriesFiles(event)) return;
    const mine = !event.defaultPrevented;
    elsewhere?.onHover(mine && name === "dragover");
    if (!mine) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = elsewhere ? "copy" : "none";
    if (elsewhere && name === "drop") elsewhere.onDrop(event.dataTransfer);
  });
}

document.addEventListener("dragleave", (event) => {
  // They have left the window.
  if (!event.relatedTarget) elsewhere?.onHover(false);
});

/** Calls onPaste with the clipboard where files are pasted into no field. */
export function acceptPastes(onPaste) {
  document.addEventListener("paste", (event) => {
    const field = event.target.closest?.("input, textarea, [contenteditable]");
    if (field || !event.clipboardData?.files.length) return;
    event.preventDefault();
    onPaste(event.clipboardData);
  });
}
