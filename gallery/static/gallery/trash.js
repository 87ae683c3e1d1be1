// The trash: what is selected is counted, and pictures come over their previews.

import { showPreviews } from "./previews.js";
import { Selection } from "./selection.js";

showPreviews();
const form = document.querySelector("form.selection");
if (form) new Selection(form);
