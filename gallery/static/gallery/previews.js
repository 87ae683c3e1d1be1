// A tiny preview stands in for each picture that has not come yet, which then fades in.

const FADED = 400;

export function showPreviews(root = document) {
  for (const photo of root.querySelectorAll("[data-preview]")) {
    const picture = photo.querySelector("img");
    const preview = photo.dataset.preview;
    photo.removeAttribute("data-preview");
    if (picture.complete && picture.naturalWidth) continue;
    const frame = picture.parentElement;
    frame.style.backgroundImage = `url("data:image/webp;base64,${preview}")`;
    photo.classList.add("is-coming");
    const show = () => {
      photo.classList.remove("is-coming");
      setTimeout(() => {
        frame.style.backgroundImage = "";
      }, FADED);
    };
    picture.addEventListener("load", show, { once: true });
    picture.addEventListener("error", show, { once: true });
  }
}
