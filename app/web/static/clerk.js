// The console by keyboard and live: function keys press the button that shows them, the hall's changes refresh two columns.

import { isAlt } from "./keys.js";

const live = document.getElementById("c-live");
const form = document.getElementById("c-case");
const recent = document.getElementById("c-recent");
const link = document.getElementById("c-link");
const banners = document.getElementById("h-banners");

let ahead = ""; // a key that came before the last answer did: fast fingers lose nothing
function press(key) {
  if (live.dataset.sent) {
    ahead = key;
    return true;
  }
  const target = document.querySelector(`[data-key="${key}"]:not([disabled])`);
  target?.click();
  if (target?.matches("summary")) target.focus(); // Escape is heard in the question before its first field has the focus
  return Boolean(target);
}

// A question that opens is answered at once: the focus goes to its first field, and Escape takes it back.
live.addEventListener(
  "toggle",
  (event) => {
    const open = event.target;
    if (!open.open || !open.querySelector("form") || open.matches(".h-confirm")) return;
    open.querySelector("input:not([type=hidden]), select, button")?.focus();
    open.scrollIntoView({ block: "nearest" });
  },
  true,
);

// ── the list under the search field ──

function walk(event) {
  const following = document.activeElement?.closest?.("#c-next");
  const rows = [...document.querySelectorAll(following ? "#c-next-found button" : "#c-found button")];
  const search = following ? following.querySelector("[name=q]") : document.querySelector("[data-search]");
  const here = rows.indexOf(document.activeElement);
  if (!rows.length || (document.activeElement !== search && here < 0)) return;
  event.preventDefault();
  const next = event.key === "ArrowDown" ? here + 1 : here - 1;
  (next < 0 ? search : rows[Math.min(next, rows.length - 1)]).focus();
}

document.addEventListener("keydown", (event) => {
  if (/^F[2346789]$/.test(event.key) && !event.ctrlKey && !event.altKey && !event.shiftKey) {
    event.preventDefault();
    if (!event.repeat) press(event.key);
  } else if (/^Key[CGNTV]$/.test(event.code) && isAlt(event, event.code)) {
    if (!event.repeat && press(`Alt+${event.code.slice(3)}`)) event.preventDefault();
  } else if (event.key === "Enter" && event.ctrlKey) {
    event.preventDefault();
    form.querySelector("[data-enter]:not([disabled])")?.click();
  } else if (event.key === "Escape") {
    if (event.target.matches?.("[data-search]") && event.target.value) {
      event.target.value = "";
      document.getElementById("c-found").replaceChildren();
    } else if (event.target.closest?.("details[open]")) {
      const open = event.target.closest("details[open]");
      open.open = false;
      open.querySelector("summary").focus();
    } else form.querySelector("[data-back]")?.click();
  } else if (event.key === "k" && event.ctrlKey) {
    event.preventDefault();
    const search = document.querySelector("[data-search]");
    if (search) search.focus();
    else form.querySelector("[data-back]")?.click();
  } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    walk(event);
  } else if (event.key === "Enter" && event.target.matches?.("[data-search]")) {
    event.preventDefault();
    if (event.target.value.trim()) form.querySelector("[data-scan]").click(); // a scanner's second Enter does nothing
  } else if (event.key === "Enter" && event.target.matches?.(".c-choose select")) {
    event.preventDefault();
    event.target.form.requestSubmit(event.target.form.querySelector("button:not([type=button])"));
  } else if (event.key === "Enter" && event.target.matches?.("#c-case .c-form input")) {
    event.preventDefault();
    form.querySelector("[data-enter]")?.click();
  } else if (isAlt(event, "KeyA")) {
    event.preventDefault();
    form.querySelector("[data-all]")?.click();
  }
});

// ── the form ──

document.addEventListener("click", (event) => {
  if (!event.target.closest("[data-all]")) return;
  for (const states of form.querySelectorAll(".c-states:not([data-optional])")) {
    if (!states.querySelector("input[value=shared]:checked")) states.querySelector("input[value=received]").checked = true;
  }
  form.querySelector("[data-enter]").focus();
});

document.addEventListener("change", (event) => {
  if (event.target.name !== "kind") return;
  const part = form.querySelector("[data-while]");
  if (part) part.hidden = event.target.value !== part.dataset.while;
});

// ── steps of the visit answer with the two live columns, so that a half-filled case stays as it is ──

document.addEventListener(
  "submit",
  (event) => {
    const sent = event.target;
    if (!live.contains(sent) || event.defaultPrevented) return;
    event.preventDefault();
    if (sent.method === "get") return live.querySelector("#c-next-found button")?.focus(); // its answers stand under it
    if (live.dataset.sent) return;
    live.dataset.sent = "1";
    const pressed = event.submitter;
    const values = Object.fromEntries(new FormData(sent, pressed)); // before the pressed button, too, is disabled
    for (const button of live.querySelectorAll("button")) button.disabled = true;
    const words = pressed?.dataset.busy && pressed.querySelector("[data-words]");
    const said = words?.textContent;
    if (words) words.textContent = pressed.dataset.busy; // seen before the answer comes
    htmx.ajax("POST", sent.action, { target: live, swap: "innerHTML", values }).finally(() => {
      delete live.dataset.sent;
      for (const button of live.querySelectorAll("button:disabled:not([title])")) button.disabled = false;
      if (words) words.textContent = said;
      if (pressed?.isConnected) pressed.focus(); // it was refused: the same button stands there still
      const next = ahead;
      ahead = "";
      if (next && !pressed?.isConnected) press(next);
    });
  },
  true,
);

let quiet = false;
let renewing = false;

// A blank form of the new visit knows who took the ticket. It comes too late for whoever has begun to type or scanned.
function renew() {
  renewing = true;
  htmx.ajax("GET", `${form.dataset.form}?new=1`, { source: form, target: form }).finally(() => (renewing = false));
}
document.addEventListener("htmx:beforeRequest", (event) => {
  if (event.detail.requestConfig.verb === "post" && event.detail.target === form) renewing = false;
});
document.addEventListener("htmx:beforeSwap", (event) => {
  if (event.detail.target !== form || !event.detail.requestConfig.path.endsWith("?new=1")) return;
  if (!renewing || form.querySelector("[data-search]")?.value) event.detail.shouldSwap = false;
});

// Where the clerk goes on: with the case when service has begun, else at the next button of the visit.
function after(step) {
  const search = form.querySelector("[data-search]");
  const blank = search && !search.value && !form.querySelector("[name=item]").value && !form.querySelector("[name=known]").value;
  const wished = live.querySelector("[data-open]");
  if (step === "start" && blank) {
    if (wished) wished.click();
    else renew();
  } else if (step === "start" && search) search.focus();
  else if (document.activeElement === document.body || live.contains(document.activeElement)) {
    live.querySelector(".c-visit .btn-primary, .c-side .btn-primary")?.focus();
  }
  if (["finish", "park", "transfer", "abandon"].includes(step) && form.querySelector("[data-done]")) {
    quiet = true; // the case that was just received is done with; the next thing is to call
    form.querySelector("[data-back]")?.click();
    live.querySelector(".c-visit .btn-primary")?.focus();
  }
}

// ── live: while somebody types into the columns a refresh would take the words away; it comes when they are done ──

const visit = () => live.querySelector("[data-visit]")?.dataset.visit ?? "";
const asking = () => [...live.querySelectorAll("details[open]")].some((each) => each.querySelector("form"));

let wanted = false;
function refresh() {
  const busy = live.contains(document.activeElement) && document.activeElement.matches("input, select, textarea");
  wanted = busy || Boolean(live.dataset.sent) || asking();
  if (wanted) return live.dataset.sent || arrived();
  htmx.trigger(live, "hall-changed");
  htmx.trigger(recent, "hall-changed");
}
live.addEventListener("focusout", () => wanted && setTimeout(refresh, 300));
live.addEventListener("toggle", () => wanted && setTimeout(refresh, 300), true);

// Only another visitor at the window is worth more than a half-filled question.
const sameVisit = (text) => {
  const page = new DOMParser().parseFromString(text, "text/html");
  return page.querySelector("[data-visit]")?.dataset.visit === visit();
};
async function arrived() {
  const answer = await fetch(live.getAttribute("hx-get")).catch(() => null);
  if (!answer?.ok || sameVisit(await answer.text()) || live.dataset.sent) return;
  wanted = false;
  htmx.trigger(live, "hall-changed");
}

// A refresh that was on its way when a question was opened, or a step was pressed, comes too late.
document.addEventListener("htmx:beforeSwap", (event) => {
  if (event.detail.target !== live || event.detail.requestConfig.verb !== "get") return;
  if (!live.dataset.sent && !(asking() && sameVisit(event.detail.xhr.responseText))) return;
  event.detail.shouldSwap = false;
  wanted = true;
});

// ── what comes by itself is heard and seen: somebody sent by auto-dispatch, a reminder of who was set aside ──

let sound = null;
function chime() {
  try {
    sound ??= new AudioContext();
    const tone = sound.createOscillator();
    const volume = sound.createGain();
    tone.frequency.value = 880;
    volume.gain.setValueAtTime(0.2, sound.currentTime);
    volume.gain.exponentialRampToValueAtTime(0.001, sound.currentTime + 0.6);
    tone.connect(volume).connect(sound.destination);
    tone.start();
    tone.stop(sound.currentTime + 0.6);
  } catch {
    // a browser without sound still shows it
  }
}

const rung = new Set();
let seen = null;
function notice() {
  const now = visit();
  const sent = live.querySelector("[data-visit]")?.dataset.mode === "dispatch";
  const fresh = [...live.querySelectorAll("[data-rang]")].filter((row) => !rung.has(row.dataset.rang));
  if (seen !== null && ((now && now !== seen && sent) || fresh.length)) {
    chime();
    const shown = now !== seen ? live.querySelector(".h-ticket") : null;
    for (const each of [shown, ...fresh]) each?.classList.add("c-flash");
  }
  seen = now;
  rung.clear();
  for (const row of live.querySelectorAll("[data-rang]")) rung.add(row.dataset.rang);
}

// Who would be passed over by the chosen one.
live.addEventListener("change", (event) => {
  if (event.target.name !== "ticket") return;
  const passed = event.target.form.querySelector("[data-passed]");
  passed.hidden = !event.target.dataset.over;
  passed.textContent = passed.dataset.words + event.target.dataset.over;
});

let timer = null;
function soon() {
  timer ??= setTimeout(() => {
    timer = null;
    refresh();
  }, 400);
}

let polling = null;
function poll(on) {
  link.hidden = !on;
  if (on) polling ??= setInterval(refresh, 15000);
  else {
    clearInterval(polling);
    polling = null;
  }
}

addEventListener("DOMContentLoaded", () => {
  if (!window.io) return poll(true);
  const socket = window.io("/staff", { transports: ["websocket"], reconnectionDelayMax: 5000 });
  socket.on("changed", soon);
  socket.on("connect", () => {
    poll(false);
    soon();
  });
  socket.on("disconnect", () => poll(true));
  socket.on("connect_error", () => poll(true));
  if (form.querySelector("[data-search]") && live.querySelector(".h-ticket")) form.querySelector("[data-search]").focus();
  else live.querySelector(".c-visit .btn-primary, .c-seat")?.focus();
});

// A live refresh keeps the focus on the same button; a new form is begun at its first fault, first field or next button.
let held = null;
let opened = [];
document.addEventListener("htmx:beforeSwap", (event) => {
  const target = event.detail.target;
  if (target === live) {
    held = live.contains(document.activeElement) ? document.activeElement.dataset.key ?? null : null;
    opened = [...live.querySelectorAll("details[open][id]")].filter((each) => !each.querySelector("form")).map((each) => each.id);
  }
  if (event.detail.xhr.status < 400 && (target === live || target === form) && event.detail.requestConfig.verb === "post") {
    banners.replaceChildren(); // what was refused before is settled now
  }
});
document.addEventListener("htmx:afterSwap", (event) => {
  const target = event.detail.target;
  if (target === live) {
    for (const id of opened) document.getElementById(id)?.setAttribute("open", "");
    notice();
  }
  tick();
  if (target === live && held) live.querySelector(`[data-key="${held}"]`)?.focus();
  if (target === banners) banners.scrollIntoView({ block: "nearest" });
  if (target !== form) return;
  if (quiet) {
    quiet = false;
    return;
  }
  const first = begin();
  if (!first || document.activeElement?.closest("#c-live details[open]")) return; // a question is being answered
  first.focus({ preventScroll: true });
  if (first.matches("[aria-invalid=true]")) first.scrollIntoView({ block: "center" });
  else if (form.getBoundingClientRect().top < 0) form.scrollIntoView();
});

// Where a new part is begun: at its fault, at what it is for, or at the first thing that is still open.
function begin() {
  const fault = form.querySelector("[aria-invalid=true]") ?? form.querySelector("[data-land]");
  if (fault) return fault;
  const search = form.querySelector("[data-search]");
  const goal = form.querySelector("[data-goal]")?.dataset.goal;
  const name = form.querySelector("input[name=name]");
  const all = form.querySelector("[data-all], [data-enter]");
  const nameless = name && !name.value;
  if (goal === "name") return name;
  if (goal === "next" && all && !nameless) return all;
  return search ?? form.querySelector("[data-enter]");
}

// Only now does htmx know the new links, so that a click on one of them does not leave the page.
document.addEventListener("htmx:afterSettle", (event) => {
  const target = event.detail.target;
  const sent = event.detail.requestConfig;
  if (target === live && sent?.verb === "post") after(sent.path.split("/").pop());
});

const lasting = (seconds) => [seconds / 60, seconds % 60].map((part) => String(Math.floor(part)).padStart(2, "0")).join(":");

function tick() {
  for (const shown of document.querySelectorAll("[data-since]")) {
    shown.textContent = lasting(Math.max(0, Math.floor((Date.now() - Date.parse(shown.dataset.since)) / 1000)));
  }
  for (const rests of live.querySelectorAll("[data-until]")) {
    const left = Math.ceil((Date.parse(rests.dataset.until) - Date.now()) / 1000);
    if (left > 0) rests.querySelector("[data-left]").textContent = lasting(left);
    else {
      rests.querySelector("[data-words]").textContent = rests.dataset.over;
      rests.querySelector("[data-left]").textContent = "";
    }
  }
}
setInterval(tick, 1000);
tick();
notice();
