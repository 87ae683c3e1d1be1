// What a visitor has chosen about photos' pages: remembered, and there before the page is painted.

const DEFAULTS = { boxes: "shown", panel: "open", keys: "on" };

const memory = (name) => `viewer-${name}`;

export function chosen(name) {
  try {
    return localStorage.getItem(memory(name)) ?? DEFAULTS[name];
  } catch {
    return DEFAULTS[name];
  }
}

/** Shows a choice, and remembers it unless it is only for now. */
export function choose(name, value, { remembered = true } = {}) {
  document.documentElement.dataset[name] = value;
  if (!remembered) return;
  try {
    localStorage.setItem(memory(name), value);
  } catch {
    // A full or forbidden memory only costs the choice.
  }
}

export const shown = (name) => document.documentElement.dataset[name];

for (const name of Object.keys(DEFAULTS)) choose(name, chosen(name), { remembered: false });
