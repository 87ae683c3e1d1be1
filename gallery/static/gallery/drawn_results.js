// The photos like a drawing, below it: asked for a moment after each change, an older question dropped.

import { renew } from "./live_parts.js";
import { gettext } from "./translation.js";

const PAUSE = 250;

export class DrawnResults {
  #place;
  #status;
  #timer = 0;
  #question = null;

  constructor(place, status) {
    this.#place = place;
    this.#status = status;
  }

  /** Show what an address answers, or nothing where it is null. */
  ask(address) {
    clearTimeout(this.#timer);
    this.#question?.abort();
    if (address === null) {
      this.#place.replaceChildren();
      this.#place.removeAttribute("aria-busy");
      this.#status.textContent = "";
      return;
    }
    this.#timer = setTimeout(() => this.#answer(address), PAUSE);
  }

  async #answer(address) {
    this.#question = new AbortController();
    this.#place.setAttribute("aria-busy", "true");
    try {
      const response = await fetch(address, { headers: { Accept: "text/html" }, signal: this.#question.signal });
      const page = new DOMParser().parseFromString(await response.text(), "text/html");
      this.#show(page);
    } catch (error) {
      if (error.name === "AbortError") return;
      this.#status.textContent = gettext("The gallery does not answer. The next change asks again.");
    }
    this.#place.removeAttribute("aria-busy");
  }

  #show(page) {
    const results = page.querySelector("#results");
    if (results) renew(this.#place, results);
    else this.#place.replaceChildren();
    this.#status.textContent = (page.querySelector("main [role=alert], main h1")?.textContent ?? "").replace(/\s+/g, " ").trim();
    document.dispatchEvent(new Event("gallery:renewed"));
  }
}
