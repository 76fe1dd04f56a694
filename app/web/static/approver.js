// The inbox by keyboard: J and K move, Enter opens. The keys can be switched off for who reads with a screen reader.

const box = document.getElementById("keys");
const links = [...document.querySelectorAll("[data-open]")];
const KEY = "hall-inbox-keys";

function stored() {
  try {
    return localStorage.getItem(KEY) !== "off";
  } catch {
    return true; // a browser that keeps nothing
  }
}

if (box) {
  box.checked = stored();
  box.addEventListener("change", () => {
    try {
      localStorage.setItem(KEY, box.checked ? "on" : "off");
    } catch {
      // then it holds for this page only
    }
  });
}

document.addEventListener("keydown", (event) => {
  if (!box?.checked || event.ctrlKey || event.altKey || event.metaKey || !links.length) return;
  if (event.target.matches?.("input, select, textarea")) return;
  const step = { j: 1, k: -1 }[event.key.toLowerCase()];
  if (!step) return;
  event.preventDefault();
  const here = links.indexOf(document.activeElement);
  const next = here < 0 ? (step > 0 ? 0 : links.length - 1) : Math.min(Math.max(here + step, 0), links.length - 1);
  links[next].focus();
  links[next].scrollIntoView({ block: "nearest" });
});
