// The main board of a hall, or of one of its zones: who is called where, who waits, who was missed.

import { drawClock, drawStatus, fit, flash, make, put, watch } from "./live.js";
import { Voice } from "./voice.js";

const ROWS = 7;
const CHIPS = 10;
const page = document.body;
const { hall, zone, token } = page.dataset;
const read = (name) => JSON.parse(page.dataset[name]);
const at = (name) => page.querySelector(`[data-at=${name}]`);

const banner = at("banner");
const BANNER = {
  called: ["正在呼叫", "Now calling"],
  serving: ["办理中", "Now serving"],
  missed: ["已过号", "Missed"],
  done: ["最近叫号", "Last call"],
  none: ["", ""],
};
const STATE = {
  called: ["请前往", "Please go"],
  serving: ["办理中", "Serving"],
  missed: ["过号", "Missed"],
  done: ["", ""],
};

const rows = new Map(); // seq → row, kept while it is shown so that nothing jumps
let newest = 0;
let spoken = 0;

function draw(frame, { calm }) {
  const here = zone ? frame.zones.find((z) => z.zone === zone) : null;
  const mine = (entry) => !zone || entry.zone === zone;
  const calls = here ? here.recent : frame.recent;
  const states = new Map(frame.missed.map((m) => [m.number, "missed"]));
  frame.now_serving.forEach((s) => states.set(s.number, s.state));
  const stateOf = (call) => states.get(call.number) || "done";

  put(at("hall-zh"), here ? here.name_zh : frame.hall_name_zh);
  put(at("hall-en"), here ? here.name_en : frame.hall_name_en);
  put(at("over-zh"), here ? frame.hall_name_zh : "");
  drawBanner(calls[0], calls[0] ? stateOf(calls[0]) : "none");
  drawRows(calls.slice(0, ROWS), stateOf, calm);
  drawWaiting(here ? frame.queues.filter(mine) : frame.zones, Boolean(here));
  drawMissed(frame.missed.filter(mine));
  const last = calls[0] ? calls[0].seq : 0;
  if (last > newest && !calm && live.isFresh(calls[0].at)) flash(banner);
  newest = calm ? last : Math.max(newest, last);
}

function drawBanner(call, state) {
  banner.dataset.state = state;
  const [zh, en] = BANNER[state];
  put(at("label-zh"), call && call.recall && state === "called" ? `再次呼叫 · 第 ${call.recall} 次` : zh);
  put(at("label-en"), call && call.recall && state === "called" ? "Calling again" : en);
  put(at("number"), call ? call.number : "");
  const going = state === "called";
  put(at("window-zh"), call ? `${going ? "请到 " : ""}${call.window_name_zh}` : "");
  put(at("window-en"), call ? `${going ? "Please go to " : ""}${call.window_name_en}` : "");
  [at("number"), at("window-zh"), at("window-en")].forEach(fit);
}

function drawRows(calls, stateOf, calm) {
  const list = at("recent");
  const shown = new Set(calls.map((c) => c.seq));
  for (const [seq, row] of rows) {
    if (!shown.has(seq)) {
      row.remove();
      rows.delete(seq);
    }
  }
  calls.forEach((call, i) => {
    let row = rows.get(call.seq);
    if (!row) {
      row = makeRow(call);
      if (!calm) row.classList.add("enters");
      rows.set(call.seq, row);
    }
    if (list.children[i] !== row) list.insertBefore(row, list.children[i] || null);
    const state = stateOf(call);
    row.dataset.state = state;
    row.classList.toggle("speaking", call.seq === spoken);
    put(row.querySelector(".pill-zh"), STATE[state][0]);
    put(row.querySelector(".pill-en"), STATE[state][1]);
    fit(row.querySelector(".row-number"));
    fit(row.querySelector(".row-window-zh"));
    fit(row.querySelector(".row-window-en"));
  });
  at("no-calls").hidden = calls.length > 0;
}

function makeRow(call) {
  return make(
    "li",
    "row",
    make("span", "row-number", call.number),
    make(
      "span",
      "row-window",
      make("span", "row-window-zh", call.window_name_zh),
      make("span", "row-window-en", call.window_name_en),
    ),
    make("span", "pill", make("span", "pill-zh"), make("span", "pill-en")),
  );
}

function drawWaiting(groups, byQueue) {
  const list = at("waiting");
  list.dataset.count = String(Math.min(groups.length, 9));
  while (list.children.length > groups.length) list.lastChild.remove();
  groups.forEach((group, i) => {
    let tile = list.children[i];
    if (!tile) {
      tile = make(
        "li",
        "tile",
        make("span", "tile-mark"),
        make("span", "tile-name", make("span", "tile-zh"), make("span", "tile-en")),
        make("span", "tile-count"),
      );
      list.append(tile);
    }
    put(tile.querySelector(".tile-mark"), byQueue ? group.prefix : group.zone);
    put(tile.querySelector(".tile-zh"), group.name_zh);
    put(tile.querySelector(".tile-en"), group.name_en);
    put(tile.querySelector(".tile-count"), String(group.waiting));
    fit(tile.querySelector(".tile-zh"));
    fit(tile.querySelector(".tile-en"));
  });
}

function drawMissed(missed) {
  const numbers = missed.slice(0, CHIPS).map((m) => m.number);
  const list = at("missed");
  if (list.dataset.numbers === numbers.join()) return;
  list.dataset.numbers = numbers.join();
  while (list.firstChild) list.lastChild.remove();
  numbers.forEach((number) => list.append(make("li", "chip", number)));
  at("no-missed").hidden = numbers.length > 0;
  at("missed-help").hidden = numbers.length === 0;
}

const sound = at("sound");
const voice = new Voice({
  clips: page.dataset.clips,
  bank: read("bank"),
  languages: read("languages"),
  ladder: read("ladder"),
  fresh: (call) => live.isFresh(call.at),
  speaking(call) {
    spoken = call ? call.seq : 0;
    for (const [seq, row] of rows) row.classList.toggle("speaking", seq === spoken);
  },
  blocked(yes) {
    sound.hidden = !yes;
    page.dataset.audio = yes ? "blocked" : "ready";
  },
});
sound.addEventListener("click", () => voice.enable());
document.addEventListener("keydown", () => voice.enable(), { once: true });

let live = { serverNow: Date.now, isFresh: () => false }; // until the line is there
live = watch({
  hall,
  token,
  frame: read("frame"),
  draw,
  call(message) {
    if (!zone || message.zone === zone) voice.add(message);
  },
  status(name, since) {
    drawStatus(name, since);
    drawClock(page, live.serverNow());
  },
});
drawClock(page, live.serverNow());
if (document.fonts) document.fonts.ready.then(() => page.querySelectorAll(".fits").forEach(fit));
