// The pickup window: whatever is scanned goes into the scanner's field.

import "./desk.js";
import "./receiving.js";

const scan = document.querySelector("[data-scan]");

// A scanner types wherever the focus is: coming back to this page puts it into the field again.
addEventListener("focus", () => {
  if (scan && document.activeElement === document.body) scan.focus();
});
document.querySelector("[data-first]")?.focus();
