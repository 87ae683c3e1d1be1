// A reason and what it is about light up together: in the words, in the bar and on the photo.

function tell(event) {
  const part = event.target.closest?.("[data-colour]");
  const hit = part?.closest(".hit");
  for (const told of document.querySelectorAll(".hit.is-telling")) {
    told.classList.remove("is-telling");
    for (const lit of told.querySelectorAll(".is-told")) lit.classList.remove("is-told");
  }
  if (!hit) return;
  hit.classList.add("is-telling");
  for (const partner of hit.querySelectorAll(`[data-colour="${part.dataset.colour}"]`)) {
    partner.classList.add("is-told");
  }
}

document.addEventListener("pointerover", tell);
document.addEventListener("focusin", tell);
// A finger does not hover.
document.addEventListener("click", tell);
