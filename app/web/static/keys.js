// Keys that the staff's pages share: what a step issued goes to the printer by one key.

export function isAlt(event, code) {
  return event.altKey && !event.ctrlKey && !event.metaKey && event.code === code;
}

// Alt+P opens the papers of the last step as one file; the browser prints from there.
document.addEventListener("keydown", (event) => {
  if (!isAlt(event, "KeyP")) return;
  event.preventDefault();
  document.querySelector("[data-tray] [data-print]")?.click();
});
