// Pages of the workspace: reads a chosen file into its text field. Without JavaScript the text is pasted.
"use strict";

const MOST = 4 * 1024 * 1024;

document.addEventListener("DOMContentLoaded", () => {
  for (const field of document.querySelectorAll("[data-file]")) field.hidden = false;
});
document.addEventListener("change", async (event) => {
  const file = event.target.matches("[data-file-of]") && event.target.files[0];
  if (file && file.size <= MOST) document.getElementById(event.target.dataset.fileOf).value = await file.text();
});
