// The kiosk: goes back to its start by itself, types for who has no keyboard, and searches while one types.
import "./page.js";
import { redraw } from "./live.js";

const IDLE_S = 60;
const WARNING_S = 20;
const start = document.querySelector(".k-bar .h-brand").href;
const leave = () => {
  for (const form of document.forms) form.reset();
  location.replace(start);
};

// ── going back ──────────────────────────────────────────────────────────────────────────────────────────────
const closing = document.querySelector("[data-return]");
if (closing) countDown(Number(closing.dataset.return), closing.querySelectorAll("[data-left]"), leave, (n) => `(${n})`);
else if (!document.querySelector("[data-home]")) watchIdle();
else setInterval(() => document.hidden || location.reload(), 30000); // the counts on the first page stay fresh

function countDown(seconds, places, end, text = String) {
  let left = seconds;
  const show = () => places.forEach((place) => (place.textContent = text(left)));
  show();
  const timer = setInterval(() => {
    left -= 1;
    show();
    if (left <= 0) {
      clearInterval(timer);
      end();
    }
  }, 1000);
  return () => clearInterval(timer);
}

function watchIdle() {
  const dialog = document.querySelector("[data-still]");
  let idle, stop;
  const stir = () => {
    clearTimeout(idle);
    stop?.();
    stop = undefined;
    if (dialog.open) dialog.close();
    idle = setTimeout(() => {
      dialog.showModal();
      stop = countDown(WARNING_S, dialog.querySelectorAll("[data-left]"), leave);
    }, IDLE_S * 1000);
  };
  for (const name of ["pointerdown", "keydown", "input"]) document.addEventListener(name, stir);
  stir();
}

// ── the clock ───────────────────────────────────────────────────────────────────────────────────────────────
const clock = document.querySelector("[data-clock]");
setInterval(() => {
  const time = { hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone: "Asia/Shanghai" };
  clock.textContent = new Date().toLocaleTimeString("zh-CN", time);
}, 5000);

// ── the keyboard on the screen ──────────────────────────────────────────────────────────────────────────────
for (const keys of document.querySelectorAll("[data-keys-for]")) {
  const fields = keys.dataset.keysFor.split(" ").map((id) => document.getElementById(id));
  let field = fields[0];
  for (const each of fields) each.addEventListener("focus", () => (field = each));
  keys.hidden = false;
  keys.addEventListener("pointerdown", (event) => event.preventDefault()); // the field keeps the focus
  keys.addEventListener("click", (event) => {
    const key = event.target.closest("[data-key]")?.dataset.key;
    if (!key) return;
    if (key === "back") field.value = field.value.slice(0, -1);
    else if (key === "clear") field.value = "";
    else if (field.maxLength < 0 || field.value.length < field.maxLength) field.value += key;
    field.dispatchEvent(new Event("input", { bubbles: true }));
  });
}

// ── searching ───────────────────────────────────────────────────────────────────────────────────────────────
const search = document.querySelector("[data-search]");
if (search) {
  let soon;
  search.addEventListener("input", () => {
    clearTimeout(soon);
    soon = setTimeout(() => {
      const address = `${search.dataset.search}?q=${encodeURIComponent(search.value)}`;
      redraw(address, document.getElementById("found"));
    }, 200);
  });
}

// ── the papers one has with one ─────────────────────────────────────────────────────────────────────────────
const papers = document.querySelector("[data-papers]");
if (papers) {
  const boxes = papers.querySelectorAll("input");
  const count = papers.querySelector("[data-count]");
  papers.addEventListener("change", () => {
    const ready = [...boxes].filter((box) => box.checked).length;
    count.textContent = count.dataset.text.replace("{n}", ready).replace("{all}", boxes.length);
  });
}
