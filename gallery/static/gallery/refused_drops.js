// For those who may not upload: photos that they drop or paste on a page are refused with a sentence.

import { acceptDropsElsewhere, acceptPastes } from "./file_drop.js";
import { showToast } from "./toast.js";
import { gettext } from "./translation.js";

let forgetLast = () => {};

function refuse() {
  forgetLast();
  forgetLast = showToast(
    gettext("Only editors may upload; an owner can make you one. Dropped on the search bar, a photo finds others like it."),
  );
}

acceptDropsElsewhere(refuse);
acceptPastes(refuse);
