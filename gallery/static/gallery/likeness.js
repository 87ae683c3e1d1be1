// The slider between the same layout and a similar look: it answers once it rests.

const PAUSE = 500;
const MEMORY = "likeness has the focus";

const form = document.querySelector("[data-likeness]");
const slider = form?.elements.weight;
let resting = 0;

slider?.addEventListener("input", () => {
  slider.setAttribute("aria-valuetext", `${Math.round(100 * slider.value)}%`);
});

// Each press of an arrow key is a change.
slider?.addEventListener("change", () => {
  clearTimeout(resting);
  resting = setTimeout(() => {
    if (slider === document.activeElement) sessionStorage.setItem(MEMORY, location.pathname);
    form.requestSubmit();
  }, PAUSE);
});

if (slider && sessionStorage.getItem(MEMORY) === location.pathname) {
  slider.focus({ preventScroll: true });
}
sessionStorage.removeItem(MEMORY);
