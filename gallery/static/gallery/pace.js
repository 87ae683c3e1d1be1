// How fast photos become ready, and how long the rest takes, from what was seen lately.

import { interpolate, gettext, ngettext } from "./translation.js";

// Long enough to even out batches, short enough to notice another speed.
const SPAN = 30_000;

export class Pace {
  #seen = [];

  /** Note how many are done at a time in milliseconds. */
  note(time, done) {
    this.#seen.push({ time, done });
    while (this.#seen.length > 2 && this.#seen[0].time < time - SPAN) this.#seen.shift();
  }

  forget() {
    this.#seen = [];
  }

  /** Photos a second, or null while too little was seen. */
  get rate() {
    const [first, last] = [this.#seen[0], this.#seen.at(-1)];
    if (!first || last.time - first.time < 1500 || last.done <= first.done) return null;
    return (1000 * (last.done - first.done)) / (last.time - first.time);
  }

  /** In words, "" while nothing can be said. */
  sentence(waiting) {
    const rate = this.rate;
    if (!rate || !waiting) return "";
    const speed = rate >= 10 ? Math.round(rate) : Math.round(rate * 10) / 10;
    return interpolate(gettext("%(speed)s photos a second, %(left)s"), {
      speed: speed.toLocaleString(document.documentElement.lang || undefined),
      left: remaining(waiting / rate),
    });
  }
}

export function remaining(seconds) {
  if (seconds < 50) return gettext("less than a minute left");
  const minutes = Math.round(seconds / 60);
  if (minutes < 90) {
    return interpolate(
      ngettext("about %(count)s minute left", "about %(count)s minutes left", minutes),
      { count: minutes },
    );
  }
  const hours = Math.round(minutes / 60);
  return interpolate(
    ngettext("about %(count)s hour left", "about %(count)s hours left", hours),
    { count: hours },
  );
}
