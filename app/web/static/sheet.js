// The acceptance sheet by keyboard: Alt and a digit open a part, Ctrl+Enter does it, Esc goes back.

import { isAlt } from "./keys.js";

const sheet = document.querySelector(".c-sheet");
const ways = [...document.querySelectorAll("details.c-way")];

function open(way) {
  for (const other of ways) other.open = other === way;
  (way.querySelector("textarea") ?? way.querySelector("input:not([type=hidden]), select, .btn-primary"))?.focus();
}

for (const way of ways) {
  way.addEventListener("toggle", () => {
    if (way.open) for (const other of ways) if (other !== way) other.open = false;
  });
}

// Whoever says what is wrong with a paper wants it on the notice.
sheet?.addEventListener("input", (event) => {
  const row = event.target.closest(".c-row__ask");
  if (row && event.target.value && !event.target.matches("[data-ask]")) row.querySelector("[data-ask]").checked = true;
});

document.addEventListener("keydown", (event) => {
  const digit = /^Digit([1-9])$/.exec(event.code)?.[1];
  if (digit && isAlt(event, event.code) && ways[digit - 1]) {
    event.preventDefault();
    open(ways[digit - 1]);
  } else if (event.key === "Enter" && event.ctrlKey) {
    event.preventDefault();
    document.querySelector("details.c-way[open] [data-do]")?.click();
  } else if (event.key === "Enter" && sheet && event.target.matches?.(".c-sheet input")) {
    event.preventDefault(); // Enter in a field sends nothing by chance
  } else if (event.key === "Escape") document.querySelector("[data-back]")?.click();
});

const fault = document.querySelector("[aria-invalid=true], .invalid-feedback");
const first = document.querySelector("details.c-way[open] .btn-primary");
if (fault) (fault.matches("input, textarea") ? fault : fault.closest("section, details")?.querySelector("input"))?.focus();
else if (sheet) first?.focus({ preventScroll: true });
