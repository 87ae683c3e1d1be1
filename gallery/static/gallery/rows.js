// The rows that grid.css makes of photos, worked out: so what is not drawn has its height all the
// same, and a list that another continues ends with a full row.

// A row that is filled so far is stretched; photos of an emptier one go to the next list.
const FULL = 0.75;

const shapeOf = (photo) => Number(photo.className.match(/\bshape-(\d+)/)?.[1] ?? 100) / 100;

/** Numbers of the stylesheet in pixels: of a list's width, a row's height, its growth at most and the gap. */
export function measures(list) {
  const style = getComputedStyle(list);
  const rem = Number.parseFloat(getComputedStyle(document.documentElement).fontSize);
  return {
    width: list.parentElement.clientWidth,
    row: Number.parseFloat(style.getPropertyValue("--row")) * rem,
    growth: Number.parseFloat(style.getPropertyValue("--growth")),
    gap: Number.parseFloat(style.columnGap),
  };
}

/** Rows of ratios, each with the width it takes before it is stretched. */
function rowsOf(ratios, { width, row, gap }) {
  const rows = [];
  let current = null;
  for (const ratio of ratios) {
    const basis = Math.min(ratio * row, width);
    if (current && current.filled + gap + basis <= width) {
      current.ratios.push(ratio);
      current.filled += gap + basis;
    } else {
      current = { ratios: [ratio], filled: basis };
      rows.push(current);
    }
  }
  return rows;
}

function heightOf(rows, { width, row, growth, gap }, isLast) {
  const heights = rows.map(({ ratios }, at) => {
    const sum = ratios.reduce((one, other) => one + other, 0);
    const stretched = (width - gap * (ratios.length - 1)) / sum;
    const most = isLast && at === rows.length - 1 ? 1 : growth;
    return Math.min(stretched, row * most);
  });
  return heights.reduce((one, other) => one + other, 0) + gap * (rows.length - 1);
}

/** Makes the lists of a day follow each other without a gap, and tells the browser their heights. */
export function settle(day, numbers) {
  const lists = [...day.querySelectorAll(".photo-grid")];
  lists.forEach((list, at) => {
    const next = lists[at + 1];
    let photos = [...list.children];
    let rows = rowsOf(photos.map(shapeOf), numbers);
    const last = rows.at(-1);
    if (next && rows.length > 1 && last.filled < FULL * numbers.width) {
      next.prepend(...photos.slice(-last.ratios.length));
      rows = rows.slice(0, -1);
      photos = [...list.children];
    }
    const height = rows.length ? heightOf(rows, numbers, !next) : 0;
    list.style.containIntrinsicSize = `none ${height.toFixed(1)}px`;
    list.classList.add("is-measured");
  });
}

export function settleAll(grid) {
  const list = grid.querySelector(".photo-grid");
  if (!list) return;
  const numbers = measures(list);
  for (const day of grid.querySelectorAll(".day")) settle(day, numbers);
}
