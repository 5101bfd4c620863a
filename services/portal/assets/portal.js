// Small behaviours that HTML and htmx do not have. Every page works without them. Nothing is stored in the browser.
"use strict";

// A region that htmx replaced and that says `data-focus` gets the focus, so that a screen reader follows.
document.addEventListener("htmx:afterSwap", (event) => {
  // An element that was replaced as a whole is no longer in the page: its successor has its id.
  const region = document.getElementById(event.detail.target.id) ?? event.detail.target;
  const target = region.querySelector("[data-focus]");
  if (target) target.focus();
});

// Errors of the API are pages too: show them where the answer would have gone.
document.addEventListener("htmx:beforeSwap", (event) => {
  if (event.detail.xhr.status >= 400) {
    event.detail.shouldSwap = true;
    event.detail.isError = false;
  }
});

// `data-print`: a button that prints the page. `data-copy`: a button that copies the address of the page.
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-print], [data-copy]");
  if (!button) return;
  if (button.hasAttribute("data-print")) window.print();
  else navigator.clipboard?.writeText(location.href).then(() => { button.textContent = button.dataset.copy; });
});
