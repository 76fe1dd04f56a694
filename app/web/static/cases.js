// The case page: what was revealed hides again by itself, and a change made elsewhere is told, never forced upon the reader.

document.addEventListener("htmx:afterSwap", (event) => {
  const value = event.detail.target.querySelector("[data-hide]");
  if (!value) return;
  const place = event.detail.target;
  const folded = place.parentElement.querySelector("details.c-reveal");
  const count = place.querySelector("[data-count]");
  const words = count.textContent;
  const masked = place.querySelector("template").content.textContent;
  let left = Number(value.dataset.hide);
  const hide = () => {
    clearInterval(timer);
    place.textContent = masked;
    if (folded) folded.hidden = false;
  };
  const timer = setInterval(() => {
    left -= 1;
    if (left <= 0) hide();
    else count.textContent = words.replace(/\d+/, String(left));
  }, 1000);
  addEventListener("pagehide", hide, { once: true });
  if (folded) {
    folded.open = false;
    folded.hidden = true;
    folded.querySelector("form").reset();
  }
  place.tabIndex = -1;
  place.focus();
});

const changed = document.getElementById("c-changed");
addEventListener("DOMContentLoaded", () => {
  if (!window.io) return;
  const line = window.io("/staff", { transports: ["websocket"], reconnectionDelayMax: 10000 });
  line.on("changed", (change) => {
    const mine = change.what === "case" && change.id === changed.dataset.case;
    if (!mine || change.seq <= Number(changed.dataset.seq)) return;
    changed.hidden = false;
    if (document.activeElement === document.body) changed.querySelector("a").focus({ preventScroll: true });
  });
});
