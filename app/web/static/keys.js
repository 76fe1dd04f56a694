// Keys that the window's pages share: papers go to the printer one after the other.

export function isAlt(event, code) {
  return event.altKey && !event.ctrlKey && !event.metaKey && event.code === code;
}

// Alt+P opens the next paper that has not been opened yet; the browser prints from there.
export function printNext() {
  const tray = document.querySelector("[data-tray]");
  if (!tray) return;
  const papers = [...tray.querySelectorAll("[data-print]")];
  const next = papers.find((paper) => !paper.dataset.printed) ?? papers[0];
  if (!next) return;
  next.dataset.printed = "1";
  next.click();
}

document.addEventListener("keydown", (event) => {
  if (!isAlt(event, "KeyP")) return;
  event.preventDefault();
  printNext();
});
