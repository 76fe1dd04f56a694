// The kiosk while the server is away: numbers from the lent blocks, a slip from this machine, and back as soon as it can.
import { drawCode, left, take, tell } from "./blocks.js";
import { countDown, fillSlip, keepTime, printSlip } from "./printing.js";

const PULSE_S = 5;
const IDLE_S = 60;
const STAY_S = 20;
const english = document.documentElement.lang === "en";
const icons = document.querySelector("use").href.baseVal.split("#")[0];
const parts = [...document.querySelectorAll("[data-part]")];
const show = (name) => {
  for (const part of parts) part.hidden = part.dataset.part !== name;
  document.querySelector(".k-main").scrollTop = 0;
};
let queue = null;
let stop = () => {};
let idle;
let busy = false;

keepTime(document.querySelector("[data-clock]"));

// ── how the next citizen likes the page: kept on the page, forgotten with it ──────────────────────────────────
const root = document.documentElement.classList;
document.querySelector(".k-bar").addEventListener("click", (event) => {
  const wish = event.target.closest("a")?.search ?? "";
  const style = ["large", "low"].find((name) => wish.includes(`${name}=`));
  if (!style || event.target.closest(".h-brand")) return;
  event.preventDefault();
  root.toggle(style === "large" ? "h-large" : "k-low");
});

// ── giving numbers ──────────────────────────────────────────────────────────────────────────────────────────
async function home() {
  stop();
  queue = null;
  document.querySelector("[data-facts]").reset();
  for (const place of document.querySelectorAll("[data-slip-code]")) place.replaceChildren();
  const blocks = await left().catch(() => []);
  const tiles = document.querySelector("[data-tiles]");
  tiles.replaceChildren(...blocks.toSorted((a, b) => a.queue.localeCompare(b.queue)).map(tile));
  tiles.classList.toggle("k-tiles--few", blocks.length < 3);
  document.querySelector("[data-none]").hidden = blocks.length > 0;
  for (const words of document.querySelectorAll("[data-giving]")) words.hidden = !blocks.length;
  show("queues");
}

function tile(block) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "k-tile";
  button.dataset.queue = block.queue;
  const sign = document.createElement("span");
  sign.className = "k-tile__icon";
  sign.innerHTML = `<svg class="h-icon" aria-hidden="true"><use></use></svg>`;
  sign.querySelector("use").setAttribute("href", `${icons}#${block.icon}`);
  const name = document.createElement("span");
  name.className = "k-tile__name";
  name.textContent = named(block);
  button.append(sign, name);
  button.addEventListener("click", () => {
    queue = block.queue;
    document.querySelector("[data-queue-name]").textContent = named(block);
    show("confirm");
  });
  return button;
}

const named = (block) => (english && block.name_en) || block.name;

document.querySelector("[data-back]").addEventListener("click", home);
document.querySelector("[data-done]").addEventListener("click", home);
document.querySelector("[data-take]").addEventListener("click", async () => {
  if (busy || !queue) return;
  busy = true;
  try {
    const ground = new FormData(document.querySelector("[data-facts]")).get("ground") || null;
    const given = await take(queue, { lane: ground ? "priority" : "normal", ground });
    if (!given) return void (await home());
    const at = new Date(given.taken_at).toLocaleString("zh-CN", { timeZone: "Asia/Shanghai", hourCycle: "h23" });
    fillSlip(given, named(given), at, () => drawCode(given, given.number));
    show("number");
    stop = countDown(STAY_S, document.querySelectorAll("[data-done] [data-left]"), home, (n) => `(${n})`);
    printSlip();
  } finally {
    busy = false;
  }
});

const stir = () => {
  clearTimeout(idle);
  idle = setTimeout(home, IDLE_S * 1000);
};
for (const name of ["pointerdown", "keydown"]) document.addEventListener(name, stir);

// ── back, as soon as the house answers and nobody is in the middle of it ───────────────────────────────────────
async function pulse() {
  const answer = await fetch("/kiosk/pulse", { cache: "no-store", signal: AbortSignal.timeout(4000) }).catch(() => null);
  const waiting = document.querySelector("[data-part=queues]").hidden;
  if (answer?.ok && !waiting) {
    await (navigator.locks ? navigator.locks.request("kiosk-blocks", tell) : tell());
    location.replace(document.querySelector(".k-bar .h-brand").href);
  } else setTimeout(pulse, PULSE_S * 1000);
}
setTimeout(pulse, PULSE_S * 1000);
home();
stir();
