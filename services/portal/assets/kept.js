// Keeps what was typed: inside `data-kept` (the id of a notice) an answer that does not hold the element that it would
// replace is an error of something in between. The form stays, and the notice says so.
"use strict";

const SESSION_ENDED = [401, 403];

// The token of the session that was begun in another tab.
function tokenIn(text) {
  return new DOMParser().parseFromString(text, "text/html").querySelector('input[name="csrf"]')?.value;
}

function keep(event) {
  const target = event.detail.target;
  const area = target?.closest("[data-kept]");
  if (!area) return;
  const xhr = event.detail.xhr;
  const isAnswer = event.type === "htmx:beforeSwap" && xhr.responseText.includes(`id="${target.id}"`);
  if (!isAnswer && event.type === "htmx:beforeSwap") event.detail.shouldSwap = false;
  const notice = document.getElementById(area.dataset.kept);
  const token = xhr?.status === 403 ? tokenIn(xhr.responseText) : "";
  for (const field of token ? document.querySelectorAll('input[name="csrf"]') : []) field.value = token;
  const hasEnded = SESSION_ENDED.includes(xhr?.status);
  notice.querySelector("[data-renewed]").hidden = !token;
  notice.querySelector("[data-session]").hidden = !hasEnded || Boolean(token);
  notice.querySelector("[data-later]").hidden = hasEnded;
  notice.hidden = isAnswer;
  if (!isAnswer) notice.scrollIntoView();
}
for (const kind of ["htmx:beforeSwap", "htmx:sendError", "htmx:timeout"]) document.addEventListener(kind, keep);
