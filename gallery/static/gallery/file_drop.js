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

for (const name of ["dragover", "drop"]) {
  document.addEventListener(name, (event) => {
    if (carriesFiles(event) && !event.defaultPrevented) {
      event.preventDefault();
      event.dataTransfer.dropEffect = "none";
    }
  });
}
