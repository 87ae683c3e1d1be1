// The objects of a photo as the gallery's API gives and takes them.

import { gettext } from "./translation.js";

/** Something that the gallery refused, or that did not come through; its message is a sentence. */
export class NotDone extends Error {}

export class PhotoObjects {
  #address;
  #token;
  #version = "";
  /** [{ class_id, name, score, box, source, sure }], by falling score. */
  objects = [];
  /** Whether a person corrected them. */
  isCorrected = false;

  /** `address` of the API; `token` against forged requests. */
  constructor(address, token) {
    this.#address = address;
    this.#token = token;
  }

  load() {
    return this.#ask("GET");
  }

  /** Replaces all objects by [{ class_id, box }]. */
  save(objects) {
    return this.#ask("PUT", JSON.stringify({ objects: objects.map(({ class_id, box }) => ({ class_id, box })) }));
  }

  /** Returns to what was detected. */
  revert() {
    return this.#ask("DELETE");
  }

  async #ask(method, body) {
    const headers = { Accept: "application/json" };
    if (method !== "GET") Object.assign(headers, { "X-CSRFToken": this.#token, "If-Match": `"${this.#version}"` });
    if (body) headers["Content-Type"] = "application/json";
    let response;
    let answer;
    try {
      response = await fetch(this.#address, { method, headers, body, cache: "no-store" });
      answer = await response.json();
    } catch {
      throw new NotDone(gettext("The gallery does not answer. Nothing was changed; please try again."));
    }
    if (!response.ok) throw new NotDone(answer.detail);
    this.#version = answer.version;
    this.objects = answer.objects;
    this.isCorrected = answer.corrected;
  }
}
