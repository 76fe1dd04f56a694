// The line to the hall: whole frames over Socket.IO, the board over HTTP when something may have been missed,
// the server's clock, and the truth about how fresh all of it is.

const LATE_MS = 10_000; // no word for so long: say that the line is down
const STALE_MS = 60_000; // no data for so long: do not let old figures pass for new ones
const HANG_MS = 15_000; // a line that is open and silent for so long is taken for dead
const POLL_MS = 10_000; // how often the board is asked for while the line is down
const FRESH_MS = 30_000; // an older call is shown, and neither spoken nor flashed
const DAY_MS = 86_400_000;

/**
 * Watch one hall, with a token or, when that is empty, by the cookies of the page. `draw(frame, {calm})` gets every newer frame; calm ones show what happened while nobody watched.
 * `call(message)` gets each call once. `status(name, since)` is online, connecting, late or stale, once a second,
 * `since` being the server's time of the last data. Returns the server's clock.
 */
export function watch({ hall, token, frame, draw, call, status }) {
  const began = performance.now();
  let seq = -1;
  let heard = -Infinity; // on the socket
  let fed = began; // by any way; the page itself came with a frame
  let calm = true; // until the first frame after each connect
  let fetching = null;
  let lastCall = 0;
  let clock = null; // {server, here}: the same instant on both clocks
  let lastPoll = began;

  const serverNow = () => (clock ? clock.server + performance.now() - clock.here : Date.now());
  const isFresh = (at) => serverNow() - Date.parse(at) < FRESH_MS;

  function setClock(at) {
    const server = Date.parse(at);
    if (Number.isFinite(server)) clock = { server, here: performance.now() };
  }

  function take(next, quiet, anew = false) {
    if (!next || next.hall !== hall) return;
    fed = performance.now();
    if (next.seq < seq) {
      if (!anew) return; // the other way was faster
      lastCall = 0; // the hall's record began again
    }
    seq = next.seq;
    draw(next, { calm: quiet });
  }

  // One request at a time; a little chance in its start, so that a hall full of screens does not ask at once.
  function ask(quiet, within = 400) {
    fetching ??= wait(Math.random() * within)
      .then(() => board(quiet))
      .catch(() => {}) // the bar at the foot says so soon enough
      .finally(() => { fetching = null; });
    return fetching;
  }

  async function board(quiet) {
    const stop = new AbortController();
    const timer = setTimeout(() => stop.abort(), 5000);
    try {
      const answer = await fetch(`/api/v1/halls/${encodeURIComponent(hall)}/board`, {
        headers: token ? { Authorization: `Bearer ${token}` } : {},
        cache: "no-store",
        credentials: token ? "omit" : "same-origin",
        signal: stop.signal,
      });
      if (answer.status === 401 || answer.status === 403) return location.reload(); // no longer paired
      if (!answer.ok) return undefined;
      if (!clock && answer.headers.get("Date")) setClock(answer.headers.get("Date"));
      return take(await answer.json(), quiet);
    } finally {
      clearTimeout(timer);
    }
  }

  take(frame, true);

  const socket = window.io("/screens", {
    auth: token ? { hall, token } : { hall },
    transports: ["websocket"],
    reconnectionDelay: 500,
    reconnectionDelayMax: 5000,
    timeout: 5000,
  });
  const hear = () => { heard = performance.now(); };

  socket.on("connect", () => {
    hear();
    calm = true;
    ask(true);
  });
  socket.on("frame", (next) => {
    hear();
    const first = calm;
    calm = false;
    const gap = next.seq > seq + 1;
    take(next, first, first);
    if (gap && !first) ask(false);
  });
  socket.on("call", (message) => {
    hear();
    fed = heard;
    if (message.seq <= lastCall) return;
    lastCall = message.seq;
    call(message);
  });
  socket.on("tick", (tick) => {
    hear();
    fed = heard;
    setClock(tick.at);
    if (tick.seq > seq) setTimeout(() => { if (tick.seq > seq) ask(false); }, 1000);
  });
  socket.on("disconnect", (reason) => {
    if (reason === "io server disconnect") setTimeout(() => socket.connect(), 1000 + Math.random() * 2000);
  });
  socket.on("connect_error", () => {
    if (socket.active) return; // it tries again by itself
    ask(true); // refused: if the token is worth nothing any more, this finds out
    setTimeout(() => socket.connect(), 8000 + Math.random() * 4000);
  });

  setInterval(() => {
    const now = performance.now();
    const silent = now - Math.max(heard, began);
    if (silent > HANG_MS && socket.connected) socket.io.engine.close(); // and it connects again
    if (silent > LATE_MS && now - lastPoll > POLL_MS) {
      lastPoll = now;
      ask(true, 2000);
    }
    let name = socket.connected ? "online" : "connecting";
    if (silent > LATE_MS) name = "late";
    if (now - fed > STALE_MS) name = "stale";
    status(name, serverNow() - (now - fed));
  }, 1000);

  renewAtNight(serverNow, () => performance.now() - heard < LATE_MS);
  keepAwake();
  return { serverNow, isFresh };
}

// A page that runs for months is loaded anew each night, when nobody looks and only if the server answers.
function renewAtNight(serverNow, alive) {
  const shanghai = 8 * 3_600_000;
  const minute = 3 * 60 + Math.floor(Math.random() * 60); // between 03:00 and 04:00
  const midnight = Math.floor((serverNow() + shanghai) / DAY_MS) * DAY_MS - shanghai;
  let due = midnight + minute * 60_000;
  while (due < serverNow() + DAY_MS / 4) due += DAY_MS;
  setInterval(async () => {
    if (serverNow() < due || !alive()) return;
    const answer = await fetch(location.href, { method: "HEAD", cache: "no-store" }).catch(() => null);
    if (answer && answer.ok) location.reload();
  }, 60_000);
}

function keepAwake() {
  if (!navigator.wakeLock) return;
  const hold = () => navigator.wakeLock.request("screen").catch(() => {});
  document.addEventListener("visibilitychange", () => { if (document.visibilityState === "visible") hold(); });
  hold();
}

const wait = (ms) => new Promise((done) => { setTimeout(done, ms); });

// ── what both screens draw alike ────────────────────────────────────────────────────────────────────────────────

const chinese = new Intl.DateTimeFormat("zh-CN", {
  timeZone: "Asia/Shanghai",
  year: "numeric",
  month: "long",
  day: "numeric",
  weekday: "long",
});
const english = new Intl.DateTimeFormat("en-GB", {
  timeZone: "Asia/Shanghai",
  weekday: "short",
  day: "numeric",
  month: "short",
  year: "numeric",
});
const hourMinute = new Intl.DateTimeFormat("en-GB", { timeZone: "Asia/Shanghai", hour: "2-digit", minute: "2-digit" });

export const wallTime = (ms) => hourMinute.format(ms);

export function drawClock(root, ms) {
  put(root.querySelector("[data-clock]"), wallTime(ms));
  put(root.querySelector("[data-date-zh]"), chinese.format(ms).replace("星期", " 星期"));
  put(root.querySelector("[data-date-en]"), english.format(ms));
}

const STATUS = {
  online: ["在线", "Online"],
  connecting: ["重连中", "Reconnecting"],
  late: ["正在重新连接，请留意窗口呼叫", "Reconnecting. Please watch the windows for calls."],
  stale: ["请以窗口叫号为准", "Please follow the calls at the windows."],
};

/** The foot of the screen and the page's own state, which greys the figures when they are old. */
export function drawStatus(name, since) {
  const [zh, en] = STATUS[name];
  document.body.dataset.line = name;
  put(document.querySelector("[data-status-zh]"), zh);
  put(document.querySelector("[data-status-en]"), en);
  put(document.querySelector("[data-stopped]"), name === "stale" ? `数据已停更 ${wallTime(since)} · No data since ${wallTime(since)}` : "");
}

/** Set the text only when it differs, so that nothing flickers. */
export function put(element, text) {
  if (element && element.textContent !== text) element.textContent = text;
}

/** An element of a class with a text or children. */
export function make(tag, className, ...inside) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  element.append(...inside);
  return element;
}

/** Shrink a one-line text until it fits its box; never below a third. */
export function fit(element) {
  element.style.setProperty("--fit", "1");
  const room = element.clientWidth;
  const needs = element.scrollWidth;
  if (room && needs > room) element.style.setProperty("--fit", String(Math.max(0.33, (room / needs) * 0.98)));
}

/** Flash an element anew, even when it still flashes. */
export function flash(element) {
  element.classList.remove("flash");
  void element.offsetWidth; // the animation starts over only after a layout
  element.classList.add("flash");
}
