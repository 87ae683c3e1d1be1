// The corner that shows what is being uploaded, on every page; on the dashboard, part of its form.

import { gettext, interpolate, ngettext } from "./translation.js";
import { Pace, durationWords, sizeWords } from "./upload_pace.js";
import { UploadList } from "./upload_list.js";
import { UploadQueue, hasEnded } from "./upload_queue.js";

const RENDER_PERIOD = 200;
const NEWS_PERIOD = 20_000;
const OPEN = "gallery-uploads-open";
const WIDE = "(width >= 48rem)";

/** Shows the queue in its place; resolves with what takes further files. */
export async function openTray(place, flag) {
  const token = document.querySelector("[data-upload-token] input")?.value;
  const { owner, uploads } = place.dataset;
  const queue = new UploadQueue({ owner, uploads, token });
  const tray = new Tray(place, queue, flag);
  await queue.open();
  tray.rest();
  return tray;
}

class Tray {
  #skipped = 0;
  // Stored since the page came, so that it does not show them; only the dashboard follows by itself.
  #hasNew = false;
  #due = null;
  #told = { at: 0, pending: 0 };

  constructor(place, queue, flag) {
    Object.assign(this, { place, queue, flag });
    const form = document.querySelector("[data-upload-place]");
    if (form) {
      form.append(place);
      place.classList.add("is-in-page");
    }
    this.find = (name) => place.querySelector(`[data-upload-${name}]`);
    this.list = new UploadList(this.find("list"), queue);
    this.pace = new Pace();
    this.#connectButtons();
    this.#unfold();
    queue.addEventListener("change", () => this.#renderSoon());
    document.addEventListener("gallery:uploaded", () => {
      this.#hasNew = true;
      followIngestion();
    });
  }

  /** What has ended well on a page before covers nothing of this one. */
  rest() {
    const isWell = (item) => item.outcome === "stored" || item.outcome === "duplicate";
    if (!this.#isInPage && [...this.queue.items.values()].every(isWell)) this.#expand(false);
  }

  async add(files, skipped) {
    // What ended before is another story.
    if (!this.queue.pending) {
      this.#unfold();
      this.queue.remove(this.#ended());
      this.#skipped = 0;
    }
    this.#skipped += skipped;
    // Some have ended before the list is shown for the first time.
    this.#told.pending += files.length;
    if (files.length) await this.queue.add(files);
    const words = [];
    if (files.length) {
      const text = ngettext("%(count)s file is to be uploaded.", "%(count)s files are to be uploaded.", files.length);
      words.push(interpolate(text, { count: files.length }));
    }
    if (skipped) words.push(skippedWords(skipped));
    this.#announce(words.join(" "));
    this.#renderSoon();
  }

  #ended() {
    return [...this.queue.items.values()].filter(hasEnded).map((item) => item.id);
  }

  #lost() {
    return [...this.queue.items.values()].filter((item) => item.outcome === "lost" && !item.gone);
  }

  #connectButtons() {
    const on = (name, action) => this.find(name).addEventListener("click", action);
    on("toggle", () => this.#expand(this.find("toggle").getAttribute("aria-expanded") !== "true", true));
    on("pause", () => this.queue.pause(!this.queue.paused));
    on("again", () => this.queue.retry(this.#lost().map((item) => item.id)));
    on("cancel", () => this.queue.remove([...this.queue.items.values()].filter((item) => !hasEnded(item)).map((item) => item.id)));
    on("close", () => {
      this.#skipped = 0;
      this.queue.remove(this.#ended());
      document.querySelector("#main").focus({ preventScroll: true });
    });
  }

  get #isInPage() {
    return this.place.classList.contains("is-in-page");
  }

  #unfold() {
    this.#expand(this.#isInPage || this.#wasOpen());
  }

  #wasOpen() {
    const chosen = stored(OPEN);
    return chosen ? chosen === "yes" : matchMedia(WIDE).matches;
  }

  #expand(open, chosen = false) {
    this.find("toggle").setAttribute("aria-expanded", open);
    this.find("body").hidden = !open;
    if (chosen) store(OPEN, open ? "yes" : "no");
    this.list.shown = open;
    this.#renderSoon();
  }

  #renderSoon() {
    this.#due ??= setTimeout(() => {
      this.#due = null;
      this.#render();
    }, RENDER_PERIOD);
  }

  #render() {
    const items = [...this.queue.items.values()];
    const counts = { stored: 0, duplicate: 0, refused: 0, lost: 0 };
    let [ended, bytes, sent] = [0, 0, 0];
    for (const item of items) {
      const done = hasEnded(item);
      if (done) {
        counts[item.outcome] += 1;
        ended += 1;
      }
      bytes += item.size;
      sent += done ? item.size : Math.min(item.sent ?? 0, item.size);
    }
    const pending = items.length - ended;
    this.place.hidden = !items.length && !this.#skipped;
    store(this.flag, items.length ? "yes" : "");
    this.find("sum").textContent = sumWords(counts, ended, items.length);
    this.find("skipped").textContent = this.#skipped ? skippedWords(this.#skipped) : "";
    const progress = this.find("progress");
    progress.hidden = !pending;
    // An empty file has no bytes and is on its way all the same.
    progress.max = bytes + items.length || 1;
    progress.value = sent + ended;
    this.find("pace").textContent = this.#paceWords(pending, bytes, sent);
    this.find("pause").hidden = !pending;
    this.find("pause-word").textContent = this.queue.paused ? gettext("Go on") : gettext("Pause");
    this.find("cancel").hidden = !pending;
    this.find("again").hidden = !this.#lost().length;
    this.find("close").hidden = pending > 0;
    this.find("shown-at").hidden = pending > 0 || !this.#hasNew || this.#isInPage;
    this.#showTrouble();
    this.list.render(items);
    this.#tellNews(counts, ended, items.length, pending);
    // The remaining time changes though nothing comes in.
    if (pending && !this.queue.paused) setTimeout(() => this.#renderSoon(), 1000);
  }

  #paceWords(pending, bytes, sent) {
    const rate = this.pace.rate(sent);
    if (!pending) return "";
    if (this.queue.paused) return gettext("Paused");
    const words = [interpolate(gettext("%(sent)s of %(all)s"), { sent: sizeWords(sent), all: sizeWords(bytes) })];
    if (rate > 0) {
      words.push(interpolate(gettext("%(size)s a second"), { size: sizeWords(rate) }));
      words.push(durationWords((bytes - sent) / rate));
    }
    return words.join(" · ");
  }

  #showTrouble() {
    const note = this.find("trouble");
    const { trouble } = this.queue;
    note.hidden = !trouble;
    if (!trouble) return;
    const words = note.querySelector("p");
    if (words.textContent !== trouble.sentence) words.textContent = trouble.sentence;
    note.querySelector("a").hidden = !trouble.signIn;
  }

  #tellNews(counts, ended, total, pending) {
    const now = performance.now();
    const finished = this.#told.pending > 0 && !pending && total > 0;
    const due = pending > 0 && pending < this.#told.pending && now - this.#told.at > NEWS_PERIOD;
    if (finished || due) this.#announce(sumWords(counts, ended, total));
    this.#told.pending = due || !this.#told.pending || finished ? pending : Math.max(pending, this.#told.pending);
  }

  #announce(words) {
    this.#told.at = performance.now();
    this.find("news").textContent = words;
  }
}

function sumWords(counts, ended, total) {
  const text = ngettext("%(ended)s of %(total)s file", "%(ended)s of %(total)s files", total);
  const words = total ? [interpolate(text, { ended, total })] : [];
  const parts = {
    stored: gettext("%(count)s stored"),
    duplicate: gettext("%(count)s already there"),
    refused: gettext("%(count)s refused"),
    lost: gettext("%(count)s did not arrive"),
  };
  for (const [outcome, part] of Object.entries(parts)) {
    if (counts[outcome]) words.push(interpolate(part, { count: counts[outcome] }));
  }
  return words.join(", ");
}

function skippedWords(count) {
  const text = ngettext(
    "%(count)s file of the folder is no photo and was left out.",
    "%(count)s files of the folder are no photos and were left out.",
    count,
  );
  return interpolate(text, { count });
}

// Only the dashboard shows how far the photos are that came in.
async function followIngestion() {
  if (!document.querySelector("[data-ingest-state]")) return;
  const module = await import("./ingest_state.js");
  module.followIngestion();
}

function stored(name) {
  try {
    return localStorage.getItem(name);
  } catch {
    return null;
  }
}

function store(name, value) {
  try {
    if (value === (localStorage.getItem(name) ?? "")) return;
    if (value) localStorage.setItem(name, value);
    else localStorage.removeItem(name);
  } catch {
    // Then other pages do not know of it, which loses nothing.
  }
}
