// Menus of the search bar close where one presses elsewhere, with Escape, and when another opens.

for (const menu of document.querySelectorAll("[data-menu]")) {
  document.addEventListener("pointerdown", (event) => {
    if (menu.open && !menu.contains(event.target)) menu.open = false;
  });

  menu.addEventListener("focusout", (event) => {
    const outside = event.relatedTarget && !menu.contains(event.relatedTarget);
    if (menu.open && outside) menu.open = false;
  });

  menu.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !menu.open) return;
    menu.open = false;
    menu.querySelector("summary").focus();
  });
}
