// Files out of what was dropped, chosen or pasted; of folders, all that could be photos.

import { gettext, interpolate } from "./translation.js";

const PHOTO_NAME = /\.(jpe?g|jfif|mpo|png|webp|gif|bmp|dib|tiff?|hei[cf]|avif)$/i;

const couldBePhoto = (file) => !file.name.startsWith(".") && PHOTO_NAME.test(file.name);

/** {files, skipped}: what was dropped. To be called while the drop is answered, not later. */
export async function droppedFiles(transfer) {
  const items = [...transfer.items].filter((item) => item.kind === "file");
  // All at once: the browser forgets the items as soon as something is waited for.
  const dropped = items.map((item) => ({ entry: item.webkitGetAsEntry?.(), file: item.getAsFile() }));
  const found = { files: [], skipped: 0 };
  for (const { entry, file } of dropped) {
    if (entry?.isDirectory) await addFolder(entry, found);
    else if (file) found.files.push(file);
  }
  return found;
}

async function addFolder(folder, found) {
  const reader = folder.createReader();
  for (;;) {
    // A hundred at a time, as browsers give them.
    const entries = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (!entries.length) return;
    for (const entry of entries) {
      if (entry.isDirectory) await addFolder(entry, found);
      else if (!couldBePhoto(entry)) found.skipped += 1;
      else found.files.push(await new Promise((resolve, reject) => entry.file(resolve, reject)));
    }
  }
}

/** {files, skipped}: what was chosen in a field for files or for a folder. */
export function chosenFiles(input) {
  const all = [...input.files];
  const files = input.webkitdirectory ? all.filter(couldBePhoto) : all;
  return { files, skipped: all.length - files.length };
}

/** {files, skipped}: what was pasted. A picture out of another program gets a name by the time. */
export function pastedFiles(clipboard) {
  const time = new Date().toLocaleString("sv").replaceAll(":", ".");
  const files = [...clipboard.files].map((file, index) => {
    if (file.name !== "image.png") return file;
    const name = interpolate(gettext("Pasted %(time)s"), { time });
    return new File([file], `${name}${index ? ` ${index + 1}` : ""}.png`, { type: file.type });
  });
  return { files, skipped: 0 };
}
