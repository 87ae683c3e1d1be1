// What was searched for in this browser before, kept in it alone and by whoever is signed in.

const MOST = 20;

export class RecentSearches {
  #key;

  constructor(visitor) {
    this.#key = `gallery recent searches ${visitor}`;
  }

  all() {
    try {
      const kept = JSON.parse(localStorage.getItem(this.#key) ?? "[]");
      return Array.isArray(kept) ? kept.filter((text) => typeof text === "string") : [];
    } catch {
      return [];
    }
  }

  /** Those that a text is part of, the last first. */
  like(text) {
    const part = text.trim().toLowerCase();
    return this.all().filter((kept) => kept.toLowerCase().includes(part) && kept !== text.trim());
  }

  add(text) {
    this.#keep([text, ...this.all().filter((kept) => kept !== text)].slice(0, MOST));
  }

  clear() {
    this.#keep([]);
  }

  #keep(texts) {
    try {
      if (texts.length) localStorage.setItem(this.#key, JSON.stringify(texts));
      else localStorage.removeItem(this.#key);
    } catch {
      // A full or forbidden memory only costs the convenience.
    }
  }
}
