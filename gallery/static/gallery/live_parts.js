// Renews parts of the page in place: only where their words changed, so that nothing flickers.

/** The document at an address, or null where the gallery does not answer. */
export async function fetchDocument(url) {
  try {
    const response = await fetch(url, { headers: { Accept: "text/html" } });
    if (!response.ok) return null;
    return new DOMParser().parseFromString(await response.text(), "text/html");
  } catch {
    return null;
  }
}

/** Puts the content of `fresh` into `shown`; pictures that stay are kept, and so is the focus. */
export function renew(shown, fresh) {
  if (shown.innerHTML === fresh.innerHTML || sameWords(shown, fresh)) return false;
  const focused = shown.contains(document.activeElement) ? document.activeElement : null;
  const pictures = new Map([...shown.querySelectorAll("img")].map((img) => [img.src, img]));
  const content = [...fresh.childNodes].map((node) => document.importNode(node, true));
  shown.replaceChildren(...content);
  for (const img of shown.querySelectorAll("img")) {
    const kept = pictures.get(img.src);
    if (!kept) continue;
    kept.alt = img.alt;
    img.replaceWith(kept);
  }
  if (focused?.href) {
    [...shown.querySelectorAll("a")].find((link) => link.href === focused.href)?.focus();
  }
  return true;
}

// Forms get another token each time, so the markup as such says nothing.
function sameWords(shown, fresh) {
  const words = (element) => [
    element.textContent.replace(/\s+/g, " "),
    ...[...element.querySelectorAll("a, img")].map((link) => link.getAttribute("href") ?? link.alt),
  ].join("\n");
  return words(shown) === words(fresh);
}

export const pause = (milliseconds) =>
  new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Resolves when the page can be seen. */
export function visible() {
  if (!document.hidden) return Promise.resolve();
  return new Promise((resolve) => {
    document.addEventListener("visibilitychange", resolve, { once: true });
  });
}
