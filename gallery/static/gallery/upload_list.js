// The files of the queue, each in a row: as many as one can take in, what needs a person first.

import { gettext, interpolate, ngettext } from "./translation.js";
import { hasEnded } from "./upload_queue.js";

const ROWS = 60;
const RANKS = { refused: 0, lost: 0, sending: 1, pausing: 1, duplicate: 2, queued: 3, stored: 4 };

export class UploadList {
  shown = true;
  #rows = new Map();
  #most = ROWS;

  constructor(place, queue) {
    this.queue = queue;
    this.list = place.querySelector("ol");
    this.more = place.querySelector("[data-upload-more]");
    this.template = place.querySelector("template");
    this.more.addEventListener("click", () => {
      this.#most += ROWS;
      this.render([...queue.items.values()]);
    });
    this.list.addEventListener("click", (event) => this.#press(event.target.closest("button")));
  }

  render(items) {
    if (!this.shown) return;
    const ranked = items.toSorted((one, other) => RANKS[one.outcome] - RANKS[other.outcome] || one.id - other.id);
    const chosen = ranked.slice(0, this.#most);
    const focused = this.list.contains(document.activeElement) ? document.activeElement : null;
    const ids = new Set(chosen.map((item) => item.id));
    for (const [id, row] of this.#rows) {
      if (ids.has(id)) continue;
      row.remove();
      this.#rows.delete(id);
    }
    chosen.forEach((item, index) => {
      const row = this.#row(item);
      if (this.list.children[index] !== row) this.list.insertBefore(row, this.list.children[index] ?? null);
    });
    // A row that is moved loses the focus.
    if (focused?.isConnected && document.activeElement !== focused) focused.focus({ preventScroll: true });
    const rest = ranked.length - chosen.length;
    this.more.hidden = !rest;
    const text = ngettext("Show %(count)s more file", "Show more of %(count)s files", rest);
    this.more.textContent = interpolate(text, { count: rest });
  }

  #row(item) {
    let row = this.#rows.get(item.id);
    if (!row) {
      row = this.template.content.cloneNode(true).querySelector("li");
      row.dataset.id = item.id;
      row.querySelector(".answer-name").textContent = item.name;
      for (const button of row.querySelectorAll("button")) button.title = button.textContent.trim();
      this.#rows.set(item.id, row);
    }
    const progress = row.querySelector("progress");
    progress.hidden = item.outcome !== "sending";
    progress.value = item.size ? (item.sent ?? 0) / item.size : 0;
    const sentence = sentenceOf(item);
    // Most files change nothing most of the time.
    if (row.dataset.outcome === item.outcome && row.dataset.sentence === sentence) return row;
    row.dataset.outcome = item.outcome;
    row.dataset.sentence = sentence;
    progress.setAttribute("aria-label", item.name);
    row.querySelector(".answer-sentence").textContent = sentence;
    row.querySelector("[data-again]").hidden = item.outcome !== "lost" || Boolean(item.gone);
    const remove = row.querySelector("[data-remove]");
    const words = interpolate(hasEnded(item) ? gettext("Take %(name)s off the list") : gettext("Cancel %(name)s"), item);
    remove.title = words;
    remove.querySelector(".visually-hidden").textContent = words;
    if (item.url) showPhoto(row, item);
    return row;
  }

  #press(button) {
    const row = button?.closest("li");
    if (!row) return;
    const id = Number(row.dataset.id);
    if (button.matches("[data-again]")) this.queue.retry([id]);
    if (!button.matches("[data-remove]")) return;
    const neighbour = row.nextElementSibling ?? row.previousElementSibling;
    (neighbour?.querySelector("[data-remove]") ?? this.list).focus();
    this.queue.remove([id]);
  }
}

function sentenceOf({ outcome, sentence, sent, size }) {
  if (outcome === "queued") return gettext("Waits for its turn.");
  if (outcome === "sending") return sent >= size && size ? gettext("Being looked at…") : gettext("On its way…");
  if (outcome === "pausing") return interpolate(gettext("%(reason)s Another try follows."), { reason: sentence });
  return sentence ?? "";
}

// A stored photo, or the one that a duplicate equals.
function showPhoto(row, { name, url, thumbnail }) {
  const link = document.createElement("a");
  link.href = url;
  link.textContent = name;
  row.querySelector(".answer-name").replaceChildren(link);
  const picture = row.querySelector("img");
  picture.addEventListener("error", () => {
    picture.hidden = true;
  });
  picture.hidden = false;
  picture.src = thumbnail;
}
