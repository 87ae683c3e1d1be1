/* The texts of scripts in the visitor's language: Django's catalogue if the page loaded one, else English. */

export const gettext = (text) => (globalThis.gettext ? globalThis.gettext(text) : text);

export const ngettext = (one, many, count) => {
  if (globalThis.ngettext) return globalThis.ngettext(one, many, count);
  return count === 1 ? one : many;
};

/* Fills `%(name)s` from an object. */
export const interpolate = (text, values) =>
  text.replace(/%\((\w+)\)s/g, (whole, name) => (name in values ? String(values[name]) : whole));
