// The keys of every desk: F2 for the scanner's field, Ctrl+Enter does what the page is for, Esc goes back.

document.addEventListener("keydown", (event) => {
  if (event.key === "F2") {
    const scan = document.querySelector("[data-scan]");
    if (scan) {
      event.preventDefault();
      scan.focus();
      scan.select();
    }
  } else if (event.key === "Enter" && event.ctrlKey) {
    const button = document.querySelector("[data-enter]");
    if (button) {
      event.preventDefault();
      button.click();
    }
  } else if (event.key === "Escape" && !event.target.closest?.("details[open]")) {
    document.querySelector("[data-back]")?.click();
  }
});
