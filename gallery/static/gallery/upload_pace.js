// How fast bytes go out, and how long the rest takes, in words.

import { gettext, interpolate, ngettext } from "./translation.js";

const WINDOW = 8000;
const LEAST = 1000;

export class Pace {
  #samples = [];

  /** Bytes a second of the last seconds, 0 where that is not known yet. */
  rate(sent) {
    const now = performance.now();
    // Less than before: the list is another one.
    if (sent < (this.#samples.at(-1)?.sent ?? 0)) this.#samples = [];
    this.#samples.push({ at: now, sent });
    this.#samples = this.#samples.filter(({ at }) => now - at <= WINDOW);
    const [first] = this.#samples;
    const took = now - first.at;
    return took < LEAST ? 0 : ((sent - first.sent) * 1000) / took;
  }
}

/** Bytes in words, such as "3.4 MB". */
export function sizeWords(bytes) {
  const language = document.documentElement.lang || "en";
  const format = (value, digits) => new Intl.NumberFormat(language, { maximumFractionDigits: digits }).format(value);
  const megabytes = bytes / 2 ** 20;
  if (megabytes >= 1000) return interpolate(gettext("%(size)s GB"), { size: format(megabytes / 1024, 1) });
  if (megabytes >= 1) return interpolate(gettext("%(size)s MB"), { size: format(megabytes, megabytes < 10 ? 1 : 0) });
  return interpolate(gettext("%(size)s kB"), { size: format(bytes / 1024, 0) });
}

export function durationWords(seconds) {
  if (seconds < 60) {
    const count = Math.max(1, Math.ceil(seconds / 5) * 5);
    return interpolate(ngettext("about %(count)s second left", "about %(count)s seconds left", count), { count });
  }
  const minutes = Math.ceil(seconds / 60);
  if (minutes < 90) {
    return interpolate(ngettext("about %(count)s minute left", "about %(count)s minutes left", minutes), { count: minutes });
  }
  const count = Math.round(minutes / 60);
  return interpolate(ngettext("about %(count)s hour left", "about %(count)s hours left", count), { count });
}
