// Charts by keyboard and by touch: one stop of the Tab key, arrows from mark to mark, and the mark
// that is pointed at in words below the chart.

const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const marksOf = (chart) => [...chart.querySelectorAll("svg a")];
const words = (mark) => mark.getAttribute("aria-label") ?? mark.querySelector("title").textContent;

function prepare(chart) {
  const marks = marksOf(chart);
  for (const mark of marks) mark.setAttribute("tabindex", mark === marks[0] ? "0" : "-1");
}

/** The nearest mark in a direction; what lies aside of it counts double. */
function next(marks, from, [right, down]) {
  const middle = (mark) => {
    const box = mark.getBoundingClientRect();
    return [box.x + box.width / 2, box.y + box.height / 2];
  };
  const [x, y] = middle(from);
  let best = null;
  for (const mark of marks) {
    const [toX, toY] = middle(mark);
    const ahead = (toX - x) * right + (toY - y) * down;
    const aside = Math.abs((toX - x) * down) + Math.abs((toY - y) * right);
    const far = ahead + 2 * aside;
    if (ahead > 1 && (!best || far < best.far)) best = { mark, far };
  }
  return best?.mark;
}

function show(target) {
  const mark = target.closest?.("[data-chart] svg a");
  if (!mark) return;
  const readout = mark.closest("[data-chart]").querySelector("[data-readout]");
  readout.dataset.rest ??= readout.textContent;
  readout.textContent = words(mark);
}

function rest(target) {
  const readout = target.closest?.("[data-chart]")?.querySelector("[data-readout]");
  if (readout?.dataset.rest !== undefined) readout.textContent = readout.dataset.rest;
}

document.addEventListener("keydown", (event) => {
  const mark = event.target.closest?.("[data-chart] svg a");
  const step = STEPS[event.key];
  if (!mark || !step || event.ctrlKey || event.metaKey || event.altKey) return;
  const marks = marksOf(mark.closest("[data-chart]"));
  const other = next(marks, mark, step);
  event.preventDefault();
  if (!other) return;
  mark.setAttribute("tabindex", "-1");
  other.setAttribute("tabindex", "0");
  other.focus();
});
document.addEventListener("focusin", (event) => show(event.target));
document.addEventListener("focusout", (event) => rest(event.target));
document.addEventListener("pointerover", (event) => show(event.target));
document.addEventListener("pointerout", (event) => rest(event.target));

const prepareAll = () => document.querySelectorAll("[data-chart]").forEach(prepare);
document.addEventListener("gallery:renewed", prepareAll);
prepareAll();
