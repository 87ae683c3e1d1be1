// The files to be uploaded: of all pages and tabs of one person, sent by one tab at a time.

import { openKeptUploads } from "./kept_uploads.js";
import { fetchDocument } from "./live_parts.js";
import { inOneTab } from "./one_tab.js";
import { noLongerKept, sendPatiently } from "./patient_sending.js";
import { gettext } from "./translation.js";
import { forget } from "./tus.js";

const AT_A_TIME = 3;
// Bytes of waiting files that are copied into the browser's own storage.
const KEPT_BYTES = 2 ** 30;
const PROGRESS_PERIOD = 200;
// How long a list of what has ended is shown that nobody has put away.
const SHOWN_FOR = 6 * 3600 * 1000;
// How long other tabs have to say that they still have their files.
const ROLL_CALL = 1500;

const ENDED = new Set(["stored", "duplicate", "refused", "lost"]);

export const hasEnded = (item) => ENDED.has(item.outcome);

/** Dispatches "change" whenever there is something else to show. */
export class UploadQueue extends EventTarget {
  /** id → {id, name, size, outcome, sentence, url, thumbnail, sent, …} in the order of adding. */
  items = new Map();
  paused = false;
  /** What keeps all files waiting, as {sentence, signIn}. */
  trouble = null;

  #tab = Math.random().toString(36).slice(2);
  #files = new Map();
  #running = new Map();
  #wake = () => {};
  #asking = false;
  #keeping = false;
  #progressSaid = 0;
  #renewed = new Set();

  constructor({ owner, uploads, token }) {
    super();
    Object.assign(this, { owner, uploads, token });
    this.channel = new BroadcastChannel(`gallery-uploads-${owner}`);
    this.channel.addEventListener("message", ({ data }) => this.#hear(data));
    window.addEventListener("online", () => this.#wake());
    window.addEventListener("beforeunload", (event) => {
      if (this.#unkept().length) event.preventDefault();
    });
  }

  async open() {
    this.kept = await openKeptUploads(this.owner);
    const old = [];
    for (const item of await this.kept.all()) {
      if (hasEnded(item) && item.at < Date.now() - SHOWN_FOR) old.push(item.id);
      // Else another tab has just said something newer of it.
      else if (!this.items.has(item.id)) this.items.set(item.id, item);
    }
    if (old.length) this.kept.remove(old);
    this.paused = this.#pending().some((item) => item.paused);
    this.#callRoll();
    this.#changed();
    this.#work();
  }

  get pending() {
    return this.#pending().length;
  }

  async add(files) {
    const items = files.map((file) => ({
      name: file.name,
      size: file.size,
      outcome: "queued",
      tab: this.#tab,
      paused: this.paused,
    }));
    await this.kept.add(items);
    items.forEach((item, index) => this.#files.set(item.id, files[index]));
    this.#apply(items);
    this.#say({ kind: "items", items });
    this.#keepFiles();
    this.#work();
  }

  /** Puts files that did not arrive back in the queue. */
  retry(ids) {
    this.trouble = null;
    for (const id of ids) this.#change(id, { outcome: "queued", sentence: "" });
    this.#work();
  }

  /** Takes files off the list; what waits or is on its way is cancelled. */
  remove(ids) {
    for (const id of ids) {
      const item = this.items.get(id);
      if (item?.address && !["stored", "duplicate"].includes(item.outcome)) {
        forget(item.address, this.token);
      }
    }
    this.#drop(ids);
    this.#say({ kind: "removed", ids });
    this.kept.remove(ids);
    this.#keepFiles();
  }

  pause(paused) {
    this.trouble = null;
    this.#setPaused(paused);
    this.#say({ kind: "paused", paused });
    for (const item of this.#pending()) this.kept.change(item);
    if (!paused) this.#work();
  }

  #pending() {
    return [...this.items.values()].filter((item) => !hasEnded(item));
  }

  /** Files of this tab that a reload would lose. */
  #unkept() {
    return this.#pending().filter((item) => !item.kept && this.#files.has(item.id));
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }

  #say(message) {
    this.channel.postMessage(message);
  }

  #hear({ kind, items, ids, id, sent, paused, tab }) {
    // What was said before this tab could listen is in the storage, too.
    if (!this.kept) return;
    if (kind === "items") this.#apply(items);
    else if (kind === "removed") this.#drop(ids);
    else if (kind === "paused") this.#setPaused(paused);
    else if (kind === "progress") this.#progress(id, sent);
    else if (kind === "roll" && this.#unkept().length) this.#say({ kind: "here", tab: this.#tab });
    else if (kind === "here") this.#present?.add(tab);
    if (kind === "items" || kind === "paused") this.#work();
    if (kind === "items") this.#keepFiles();
  }

  #apply(items) {
    for (const item of items) {
      const sent = hasEnded(item) ? item.size : this.items.get(item.id)?.sent;
      this.items.set(item.id, { ...item, sent });
      if (hasEnded(item) && item.outcome !== "lost") this.#files.delete(item.id);
    }
    this.#wake();
    this.#changed();
  }

  #change(id, news, keep = (item) => this.kept.change(item)) {
    const item = this.items.get(id);
    if (!item) return null;
    Object.assign(item, news);
    const kept = keep(item);
    this.#say({ kind: "items", items: [item] });
    this.#wake();
    this.#changed();
    return kept;
  }

  #drop(ids) {
    for (const id of ids) {
      this.items.delete(id);
      this.#files.delete(id);
      this.#running.get(id)?.abort();
    }
    this.#wake();
    this.#changed();
  }

  #setPaused(paused) {
    this.paused = paused;
    for (const item of this.#pending()) item.paused = paused;
    if (paused) for (const running of this.#running.values()) running.abort();
    this.#wake();
    this.#changed();
  }

  #progress(id, sent) {
    const item = this.items.get(id);
    if (item) item.sent = sent;
    this.#changed();
  }

  // Copies files of this tab into the browser's storage, as many of the next ones as there is room.
  async #keepFiles() {
    if (this.#keeping || !this.kept.keepsFiles) return;
    this.#keeping = true;
    try {
      for (;;) {
        const pending = this.#pending();
        const bytes = pending.reduce((sum, item) => sum + (item.kept ? item.size : 0), 0);
        const next = this.#unkept()[0];
        if (!next || bytes + next.size > KEPT_BYTES) return;
        await this.kept.keepFile(next, this.#files.get(next.id));
        const item = this.items.get(next.id);
        if (item && !hasEnded(item)) this.#change(next.id, { kept: true });
        else await this.#forgetFile(next.id);
      }
    } catch {
      // The browser has no more room: this page warns before it is left.
    } finally {
      this.#keeping = false;
    }
  }

  // It ended, or was taken off the list, while it was being copied.
  async #forgetFile(id) {
    await this.kept.remove([id]);
    if (this.items.has(id)) await this.kept.change(this.items.get(id));
  }

  #present = null;

  // Files that only a tab that is gone had in its memory have to be chosen again.
  async #callRoll() {
    const away = () => this.#pending().filter((item) => !item.kept && item.tab !== this.#tab);
    if (!away().length) return;
    this.#present = new Set();
    this.#say({ kind: "roll" });
    await new Promise((resolve) => setTimeout(resolve, ROLL_CALL));
    for (const item of away()) {
      if (this.#present.has(item.tab)) continue;
      const sentence = gettext("Its page was closed before the file was kept. Please choose it again.");
      this.#change(item.id, { outcome: "lost", sentence, gone: true });
    }
    this.#present = null;
  }

  #startable() {
    if (this.paused || this.trouble?.signIn) return [];
    return this.#pending().filter(
      (item) => !this.#running.has(item.id) && (item.kept || this.#files.has(item.id)),
    );
  }

  /** Sends files as soon as no other tab does, until none is left. */
  async #work() {
    if (this.#asking || !this.#startable().length) return;
    this.#asking = true;
    try {
      await inOneTab(`gallery-uploads-${this.owner}`, () => this.#sendAll());
    } finally {
      this.#asking = false;
    }
    // Something may have come while the last one was ending.
    if (this.#startable().length) this.#work();
  }

  async #sendAll() {
    for (;;) {
      const woken = new Promise((resolve) => {
        this.#wake = resolve;
      });
      for (const item of this.#startable().slice(0, AT_A_TIME - this.#running.size)) this.#send(item);
      if (!this.#running.size) return;
      await woken;
    }
  }

  async #send({ id }) {
    const abort = new AbortController();
    this.#running.set(id, abort);
    try {
      const answer = await this.#sendOne(id, abort.signal);
      this.#clearTrouble();
      const { outcome, sentence, url, thumbnail_url: thumbnail } = answer;
      if (!this.items.has(id)) return;
      const sent = this.items.get(id).size;
      const news = { outcome, sentence, url, thumbnail, sent, kept: false, at: Date.now() };
      this.#change(id, news, (item) => this.kept.end(item));
      this.#files.delete(id);
      if (outcome === "stored") document.dispatchEvent(new Event("gallery:uploaded"));
    } catch (error) {
      if (error.name === "AbortError") this.#change(id, { outcome: "queued" });
      else if (error.status === 401) this.#stop(id, error);
      else if (error.status === 403 && (await this.#renewToken(id))) this.#change(id, { outcome: "queued" });
      else this.#change(id, { outcome: "lost", sentence: error.message, gone: error.gone, at: Date.now() });
    } finally {
      this.#running.delete(id);
      this.#keepFiles();
      this.#wake();
    }
  }

  // The session has ended: nothing is lost, and all goes on after signing in.
  #stop(id, error) {
    this.trouble = { sentence: error.message, signIn: true };
    for (const running of this.#running.values()) running.abort();
    this.#change(id, { outcome: "queued" });
  }

  // A login in another tab has ended the validity of this page's token, of which a page has a new one.
  async #renewToken(id) {
    if (this.#renewed.has(id)) return false;
    this.#renewed.add(id);
    const page = await fetchDocument(location.href);
    const owner = page?.querySelector("[data-upload-tray]")?.dataset.owner;
    if (owner !== this.owner) return false;
    this.token = page.querySelector("[data-upload-token] input").value;
    return true;
  }

  async #sendOne(id, signal) {
    const { file, item: word } = this.#files.has(id)
      ? { file: this.#files.get(id) }
      : await this.kept.itemAndFile(id);
    // The page that had sent it is gone, and its last word may still be on its way.
    if (!file && word && hasEnded(word) && word.outcome !== "lost") {
      return { ...word, thumbnail_url: word.thumbnail };
    }
    const item = this.items.get(id);
    if (!file || !item) throw noLongerKept();
    let furthest = 0;
    return sendPatiently(file, {
      uploads: this.uploads,
      token: this.token,
      name: item.name,
      address: item.address,
      signal,
      onTry: () => this.#change(id, { outcome: "sending", sentence: "" }),
      onBegun: (address) => this.#change(id, { address }),
      onProgress: (sent) => {
        this.#tell(id, sent);
        if (sent > furthest) this.#clearTrouble();
        furthest = Math.max(sent, furthest);
      },
      onPause: (sentence, connection) => {
        if (connection) this.trouble = { sentence: gettext("No connection to the gallery. It goes on by itself.") };
        this.#change(id, { outcome: "pausing", sentence });
      },
    });
  }

  #clearTrouble() {
    if (this.trouble && !this.trouble.signIn) this.trouble = null;
  }

  #tell(id, sent) {
    this.#progress(id, sent);
    const now = performance.now();
    if (now - this.#progressSaid < PROGRESS_PERIOD) return;
    this.#progressSaid = now;
    this.#say({ kind: "progress", id, sent });
  }
}
