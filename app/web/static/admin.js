// The matrix: a row that was changed says so on its button, and a number without its tick sets the tick.

const rows = new Map();
for (const button of document.querySelectorAll("[data-save]")) {
  const row = button.closest("tr");
  rows.set(row, button);
  row.addEventListener("input", (event) => {
    button.classList.add("btn-primary");
    const cell = event.target.closest(".s-serve");
    const tick = cell?.querySelector("[type=checkbox]");
    if (event.target.type === "number" && Number(event.target.value) > 0 && !tick.checked) tick.checked = true;
  });
}
addEventListener("beforeunload", (event) => {
  const open = [...rows.values()].filter((button) => button.classList.contains("btn-primary"));
  if (open.length && ![...rows.keys()].some((row) => row.querySelector("form")?.dataset.sent)) event.preventDefault();
});
