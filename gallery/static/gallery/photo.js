// A photo's page: arrow keys lead to its neighbours, and the switch for boxes is remembered.

const REMEMBERED = "show-boxes";

function followSwitch() {
  const boxes = document.querySelector("#show-boxes");
  if (boxes) boxes.checked = localStorage.getItem(REMEMBERED) !== "no";
}

document.addEventListener("change", (event) => {
  if (event.target.id !== "show-boxes") return;
  localStorage.setItem(REMEMBERED, event.target.checked ? "yes" : "no");
});

document.addEventListener("keydown", (event) => {
  const busy = event.altKey || event.ctrlKey || event.metaKey || event.shiftKey;
  if (busy || event.defaultPrevented || event.target.matches("input, textarea, select")) return;
  const way = { ArrowLeft: "prev", ArrowRight: "next" }[event.key];
  if (way) document.querySelector(`.stage [rel=${way}]`)?.click();
});

document.addEventListener("gallery:renewed", followSwitch);
followSwitch();
