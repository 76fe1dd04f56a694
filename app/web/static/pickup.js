// The pickup window: the scanner's field is always one key away, and the agent's fields show only when an agent stands there.

import "./sign.js";

const scan = document.querySelector("[data-scan]");

document.addEventListener("keydown", (event) => {
  if (event.key === "F2" && scan) {
    event.preventDefault();
    scan.focus();
    scan.select();
  } else if (event.key === "Enter" && event.ctrlKey) {
    const button = document.querySelector("[data-enter]");
    if (button) {
      event.preventDefault();
      button.click();
    }
  } else if (event.key === "Escape") {
    document.querySelector("[data-back]")?.click();
  }
});

// A scanner types wherever the focus is: coming back to this page puts it into the field again.
addEventListener("focus", () => {
  if (scan && document.activeElement === document.body) scan.focus();
});
document.querySelector("[data-first]")?.focus();

const agent = document.querySelector("[data-agent]");
if (agent) {
  const follow = () => {
    const on = document.querySelector("[name=who][value=agent]").checked;
    agent.hidden = !on;
    const letter = agent.querySelector("[name=agent_letter]");
    letter.required = on;
    letter.labels[0].querySelector(".h-hint").hidden = on; // （选填）
  };
  for (const choice of document.querySelectorAll("[name=who]")) choice.addEventListener("change", follow);
  follow();
}
