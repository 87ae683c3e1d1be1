// The colours of boxes: the same as the server gives the objects of a query by their places.

const COLOURS = 8;

export const colourOf = (place) => `box-${place % COLOURS}`;
