// The photos of a group: selected as in the grid, tagged, moved to the trash and brought back.

import { startMoving } from "./moving.js";
import { showPreviews } from "./previews.js";
import { Selection } from "./selection.js";
import { startTagging } from "./tagging.js";

showPreviews();
const form = document.querySelector("#selection");
if (form) {
  const selection = new Selection(form);
  startMoving(selection);
  startTagging(selection);
}
