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

document.addEventListener("htmx:afterSwap", (event) => {
  if (event.detail.target.id === "results") history.replaceState(null, "", event.detail.pathInfo.finalRequestPath);
});
