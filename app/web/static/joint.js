// One-thing cases, manifests, agency orders: all ticked at once, what is scanned is ticked.

import "./desk.js";
import "./receiving.js";

// Every required material is here; the optional ones, and those of a later stage, keep what was said of them.
document.querySelector("[data-all]")?.addEventListener("click", () => {
  for (const states of document.querySelectorAll(".c-states:not([data-optional])")) {
    states.querySelector('input[value="received"]').checked = true;
  }
});

// Ticks every box of its own list, or none when all are ticked.
for (const button of document.querySelectorAll("[data-tick-all]")) {
  button.addEventListener("click", () => {
    const boxes = [...button.closest("form").querySelectorAll('input[type="checkbox"][name="case"]')];
    const on = !boxes.every((box) => box.checked);
    for (const box of boxes) box.checked = on;
  });
}

// A scanned case number ticks its line instead of sending the form; from the first scan on, only what was scanned is here.
const scan = document.querySelector("[data-scan-tick]");
scan?.addEventListener("keydown", (event) => {
  if (event.key !== "Enter") return;
  event.preventDefault();
  const number = scan.value.trim().split("/").pop().toUpperCase();
  const box = document.querySelector(`input[type="checkbox"][value="${CSS.escape(number)}"]`);
  const said = document.querySelector("[data-scan-said]");
  if (box && !scan.dataset.begun) {
    for (const other of document.querySelectorAll('input[type="checkbox"][name="case"]')) other.checked = false;
    scan.dataset.begun = "1";
  }
  if (box) {
    box.checked = true;
    box.closest("li")?.scrollIntoView({ block: "nearest" });
  }
  if (said) said.textContent = `${number} ${box ? said.dataset.here : said.dataset.not}`;
  scan.value = "";
});

// A form that was refused begins at what is wrong.
document.querySelector("[aria-invalid=true], .c-guard--missed input")?.focus();
