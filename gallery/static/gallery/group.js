// The photos of a group: selected as in the grid, moved to the trash and brought back.

import { startMoving } from "./moving.js";
import { showPreviews } from "./previews.js";
import { Selection } from "./selection.js";

showPreviews();
const form = document.querySelector("#selection");
if (form) startMoving(new Selection(form));
