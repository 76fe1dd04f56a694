// The console by keyboard and live: function keys press the button that shows them, the hall's changes refresh two columns.

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

let opening = false; // Enter came before the answer: the first item opens as soon as it is there

function walk(event) {
  const rows = [...document.querySelectorAll("#c-found a")];
  const search = document.querySelector("[data-search]");
  const here = rows.indexOf(document.activeElement);
  if (!rows.length || (document.activeElement !== search && here < 0)) return;
  event.preventDefault();
  const next = event.key === "ArrowDown" ? here + 1 : here - 1;
  (next < 0 ? search : rows[Math.min(next, rows.length - 1)]).focus();
}

document.addEventListener("input", (event) => {
  if (!event.target.matches("[data-search]")) return;
  opening = false;
  event.target.dataset.stale = "1";
});

document.addEventListener("keydown", (event) => {
  if (/^F[2346789]$/.test(event.key) && !event.ctrlKey && !event.altKey && !event.shiftKey) {
    event.preventDefault();
    if (!event.repeat) press(event.key);
  } else if (event.key === "Enter" && event.ctrlKey) {
    event.preventDefault();
    form.querySelector("[data-enter]:not([disabled])")?.click();
  } else if (event.key === "Escape") {
    if (event.target.closest?.("details[open]")) {
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
    if (event.target.dataset.stale) opening = true;
    else document.querySelector("#c-found a")?.click();
  }
});

// ── the form ──

document.addEventListener("click", (event) => {
  if (!event.target.closest("[data-all]")) return;
  for (const radio of form.querySelectorAll(".c-states input[value=received]")) {
    if (!radio.closest("[data-optional]")) radio.checked = true;
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
    stepped = sent.action.split("/").pop();
    htmx.ajax("POST", sent.action, { target: live, swap: "innerHTML", values }).finally(() => {
      delete live.dataset.sent;
      for (const button of live.querySelectorAll("button:disabled:not([title])")) button.disabled = false;
      if (pressed?.isConnected) pressed.focus(); // it was refused: the same button stands there still
    });
  },
  true,
);

let quiet = false;
let stepped = "";

// Where the clerk goes on: with the case when service has begun, else at the next button of the visit.
function after(step) {
  const search = form.querySelector("[data-search]");
  const blank = search && !search.value;
  const wished = live.querySelector("[data-open]");
  if (step === "start" && blank && wished) wished.click();
  else if (step === "start" && search) search.focus();
  else if (document.activeElement === document.body || live.contains(document.activeElement)) {
    live.querySelector(".c-visit .btn-primary, .c-side .btn-primary")?.focus();
  }
  if (["finish", "park", "transfer", "abandon"].includes(step) && form.querySelector("[data-land]")) {
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
  if (target.id === "c-found") {
    const search = document.querySelector("[data-search]");
    if (search) delete search.dataset.stale;
  }
  if (target !== form) return;
  if (quiet) {
    quiet = false;
    return;
  }
  for (const wish of ["[aria-invalid=true]", "[data-land]", "[autofocus]", "[data-search]", "[data-first]", "[data-enter]"]) {
    const first = form.querySelector(wish);
    if (first) {
      first.focus({ preventScroll: true });
      if (wish === "[aria-invalid=true]") first.scrollIntoView({ block: "center" });
      else if (form.getBoundingClientRect().top < 0) form.scrollIntoView();
      break;
    }
  }
});

// Only now does htmx know the new links, so that a click on one of them does not leave the page.
document.addEventListener("htmx:afterSettle", (event) => {
  const target = event.detail.target;
  if (target.id === "c-found" && opening) {
    opening = false;
    target.querySelector("a")?.click();
  } else if (target === live && stepped) {
    const step = stepped;
    stepped = "";
    after(step);
  } else if (target === banners) stepped = "";
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
