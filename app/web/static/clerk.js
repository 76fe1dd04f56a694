// The console by keyboard and live: function keys press the button that shows them, the hall's changes refresh two columns.

import { isAlt } from "./keys.js";

const live = document.getElementById("c-live");
const form = document.getElementById("c-case");
const recent = document.getElementById("c-recent");
const link = document.getElementById("c-link");
const banners = document.getElementById("h-banners");

function press(key) {
  const target = document.querySelector(`[data-key="${key}"]:not([disabled])`);
  if (!target) return;
  target.click();
  const pause = document.getElementById("c-reason");
  if (key === "F7" && pause) requestAnimationFrame(() => pause.offsetParent && pause.focus());
}

// ── the list under the search field ──

function walk(event) {
  const rows = [...document.querySelectorAll("#c-found button")];
  const search = document.querySelector("[data-search]");
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
    if (live.dataset.sent) return;
    live.dataset.sent = "1";
    for (const button of live.querySelectorAll("button")) button.disabled = true;
    const pressed = event.submitter;
    const values = Object.fromEntries(new FormData(sent, pressed));
    htmx.ajax("POST", sent.action, { target: live, swap: "innerHTML", values }).finally(() => {
      delete live.dataset.sent;
      for (const button of live.querySelectorAll("button:disabled:not([title])")) button.disabled = false;
      if (pressed?.isConnected) pressed.focus(); // it was refused: the same button stands there still
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

let wanted = false;
function refresh() {
  const busy = live.contains(document.activeElement) && document.activeElement.matches("input, select, textarea");
  if (busy || live.dataset.sent || live.querySelector("details[open]")) {
    wanted = true;
    return;
  }
  wanted = false;
  htmx.trigger(live, "hall-changed");
  htmx.trigger(recent, "hall-changed");
}
live.addEventListener("focusout", () => wanted && setTimeout(refresh, 300));
live.addEventListener("toggle", () => wanted && setTimeout(refresh, 300), true);

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
document.addEventListener("htmx:beforeSwap", (event) => {
  const target = event.detail.target;
  if (target === live) held = live.contains(document.activeElement) ? document.activeElement.dataset.key ?? null : null;
  if (event.detail.xhr.status < 400 && (target === live || target === form) && event.detail.requestConfig.verb === "post") {
    banners.replaceChildren(); // what was refused before is settled now
  }
});
document.addEventListener("htmx:afterSwap", (event) => {
  const target = event.detail.target;
  tick();
  if (target === live && held) live.querySelector(`[data-key="${held}"]`)?.focus();
  if (target === banners) banners.scrollIntoView({ block: "nearest" });
  if (target !== form) return;
  if (quiet) {
    quiet = false;
    return;
  }
  const first = begin();
  if (!first) return;
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

function tick() {
  for (const shown of document.querySelectorAll("[data-since]")) {
    const seconds = Math.max(0, Math.floor((Date.now() - Date.parse(shown.dataset.since)) / 1000));
    const rest = String(seconds % 60).padStart(2, "0");
    shown.textContent = `${String(Math.floor(seconds / 60)).padStart(2, "0")}:${rest}`;
  }
}
setInterval(tick, 1000);
tick();
