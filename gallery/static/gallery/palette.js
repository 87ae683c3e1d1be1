// The colours of boxes, as the server gives them.

const COLOURS = 8;

/** Of the objects of a query, by their places. */
export const colourOf = (place) => `box-${place % COLOURS}`;

/** Of the classes of one photo, by their ids in the order in which it shows them: drawing.py says why. */
export function coloursOf(classIds) {
  const colours = new Map();
  for (const id of classIds) {
    if (colours.has(id)) continue;
    const taken = [...colours.values()];
    const places = Array.from({ length: COLOURS }, (_, step) => colourOf(id + step));
    colours.set(id, places.find((colour) => !taken.includes(colour)) ?? colourOf(id));
  }
  return colours;
}
