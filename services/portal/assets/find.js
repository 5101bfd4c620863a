// The search: short addresses, and the address of what is shown. Without this file the form works as usual.
"use strict";

document.addEventListener("htmx:configRequest", (event) => {
  if (!event.target.closest("form.find")) return;
  const { formData } = event.detail;
  for (const name of new Set(formData.keys())) {
    const values = formData.getAll(name).filter((value) => value !== "");
    formData.delete(name);
    for (const value of values) formData.append(name, value);
  }
});

// What was chosen while the counts were under way stays chosen.
document.addEventListener("htmx:oobBeforeSwap", (event) => {
  const { target, fragment } = event.detail;
  if (target.id !== "facets") return;
  for (const box of fragment.querySelectorAll("input[type=checkbox]")) {
    const present = document.getElementById(box.id);
    if (present) box.checked = present.checked;
  }
});

document.addEventListener("htmx:afterSwap", (event) => {
  if (event.detail.target.id === "results") history.replaceState(null, "", event.detail.pathInfo.finalRequestPath);
});
