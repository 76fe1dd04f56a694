// The kiosk: goes back to its start by itself, types for who has no keyboard, searches while one types, listens to its card
// reader, and holds numbers ready for when the server is away.
import { settle, untold } from "./blocks.js";
import { listen, place } from "./card.js";
import { redraw } from "./live.js";
import "./page.js";
import { countDown, keepTime, printSlip } from "./printing.js";

const IDLE_S = 60;
const WARNING_S = 20;
const PAPER_S = [4, 8, 14]; // when the page looks whether the slip was printed
const start = document.querySelector(".k-bar .h-brand").href;
const device = JSON.parse(document.querySelector(".k-bar").dataset.device ?? "null");
const leave = () => {
  for (const form of document.forms) form.reset();
  location.replace(start);
};

// ── going back ──────────────────────────────────────────────────────────────────────────────────────────────
const closing = document.querySelector("[data-return]");
const first = document.querySelector("[data-home]");
let stay = () => {};
if (closing) returnIn(Number(closing.dataset.return));
else if (!first) watchIdle();
else setInterval(() => document.hidden || location.reload(), 30000); // the counts on the first page stay fresh

function returnIn(seconds) {
  stay();
  stay = countDown(seconds, closing.querySelectorAll("[data-left]"), leave, (n) => `(${n})`);
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

keepTime(document.querySelector("[data-clock]"));

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

// ── what is opened comes into view ──────────────────────────────────────────────────────────────────────────
for (const fold of document.querySelectorAll(".k-more")) {
  fold.addEventListener("toggle", () => fold.open && fold.scrollIntoView({ block: "nearest" }));
}

// ── how many come ───────────────────────────────────────────────────────────────────────────────────────────
for (const stepper of document.querySelectorAll("[data-stepper]")) {
  const count = stepper.querySelector("input");
  stepper.addEventListener("click", (event) => {
    const by = Number(event.target.closest("[data-by]")?.dataset.by ?? 0);
    count.value = Math.min(Math.max((Number(count.value) || 1) + by, count.min), count.max);
  });
}

// ── the slip ────────────────────────────────────────────────────────────────────────────────────────────────
const printing = document.querySelector("[data-print]");
const note = document.querySelector("[data-nopaper]");
if (printing) {
  printing.hidden = false;
  printing.addEventListener("click", () => {
    returnIn(20);
    printSlip();
  });
}
function noPaper() {
  if (!note?.hidden) return;
  note.hidden = false;
  returnIn(60); // it takes longer to write a number down than to take a slip
}
if (note?.dataset.nopaper) {
  const look = async ([after, ...rest]) => {
    await new Promise((resolve) => setTimeout(resolve, after * 1000));
    const answer = await fetch(note.dataset.nopaper).catch(() => null);
    if (answer?.ok && (await answer.json()).printed) return;
    if (rest.length) look(rest.map((later) => later - after));
    else noPaper();
  };
  look(PAPER_S);
}

// ── the reader of cards and codes ───────────────────────────────────────────────────────────────────────────
const box = document.querySelector("[data-card]");
const scan = document.querySelector("[data-scan]");
const field = document.querySelector("[data-card-field]");
const reader = box && place(box, field ?? scan);
function send(code) {
  scan.value = code;
  scan.form.requestSubmit();
}
function read(number) {
  if (field) reader.show(number);
  else if (scan) send(number);
}
if (device) {
  reader?.onSimulated(read);
  listen({
    reader: device.reader,
    onCard: read,
    onCode: (code) => scan && send(code),
    onPrinter: (state) => state === "out" && noPaper(),
    onState: (state) => reader?.state(state),
  });
}

// ── for when the server is away ─────────────────────────────────────────────────────────────────────────────
if (device?.lends && "serviceWorker" in navigator && "indexedDB" in window) keepReady();

async function keepReady() {
  const registered = await navigator.serviceWorker.register("/kiosk/sw.js", { scope: "/kiosk" }).catch(() => null);
  if (!registered || !first) return;
  const version = document.querySelector('script[src*="kiosk.js"]').src;
  if (localStorage.getItem("kiosk-version") !== version) {
    (registered.active ?? registered.waiting ?? registered.installing)?.postMessage("renew");
    localStorage.setItem("kiosk-version", version);
  }
  await settle(device.hall, JSON.parse(first.dataset.queues)).catch(() => null);
  const count = await untold();
  const warning = document.querySelector("[data-untold]");
  warning.hidden = !count;
  const words = warning.querySelector("span");
  words.textContent = words.dataset.text.replace("{n}", count);
}
