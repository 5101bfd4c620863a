// The match workbench: reads a file into the form. Nothing is stored, and nothing of the record is in an address.
"use strict";

const LARGEST = 4 * 1024 * 1024;

async function readInto(textarea, file) {
  if (!file) return;
  document.querySelector("[data-too-large]").hidden = file.size <= LARGEST;
  if (file.size > LARGEST) return;
  textarea.value = await file.text();
  textarea.focus();
}

function prepare() {
  for (const input of document.querySelectorAll("[data-file-of]")) {
    input.hidden = false;
    document.querySelector("[data-file]").hidden = false;
  }
}

document.addEventListener("DOMContentLoaded", prepare);
document.addEventListener("htmx:afterSwap", prepare);
document.addEventListener("change", (event) => {
  if (event.target.matches("[data-file-of]")) readInto(document.getElementById(event.target.dataset.fileOf), event.target.files[0]);
});
for (const kind of ["dragover", "dragleave", "drop"]) {
  document.addEventListener(kind, (event) => {
    const zone = event.target.closest?.("#drop");
    if (!zone) return;
    event.preventDefault();
    zone.classList.toggle("dropping", kind === "dragover");
    if (kind === "drop") readInto(zone.querySelector("textarea"), event.dataTransfer.files[0]);
  });
}

// A page that the browser kept in memory must not show the record again.
window.addEventListener("pageshow", (event) => {
  if (event.persisted) location.replace(location.href);
});
