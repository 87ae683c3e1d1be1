// Object classes by the names that the reader has for them, as the options of a page's list give both.

const lists = "option[data-object]";
const plainly = (text) =>
  text.trim().toLowerCase().replaceAll("œ", "oe").normalize("NFKD").replace(/\p{M}/gu, "");

/** All options, those in templates included. */
function options() {
  const templates = [...document.querySelectorAll("template")];
  return [document, ...templates.map((template) => template.content)].flatMap((place) => [...place.querySelectorAll(lists)]);
}

let names = null;
/** { shown: class → name, classes: plain name → class } */
function both() {
  if (names) return names;
  const found = options().map(({ value, dataset }) => [dataset.object, value]);
  names = {
    shown: new Map(found),
    classes: new Map([...found.map(([name]) => [name, name]), ...found.map(([name, shown]) => [plainly(shown), name])]),
  };
  return names;
}

/** The object class that a text names, in the reader's language or in English, or null. */
export const nameOf = (text) => both().classes.get(plainly(text)) ?? null;

/** A class as the reader calls it. */
export const shownName = (name) => both().shown.get(name) ?? name;
