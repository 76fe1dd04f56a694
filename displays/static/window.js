// The bar over one window: its name, and whose turn it is there.

import { drawClock, drawStatus, fit, flash, put, watch } from "./live.js";

const page = document.body;
const { hall, token } = page.dataset;
const code = page.dataset.window;
const at = (name) => page.querySelector(`[data-at=${name}]`);

const KINDS = {
  comprehensive: ["综合受理", "All services"],
  pickup: ["统一出件", "Pickup"],
  consult: ["咨询服务", "Enquiries"],
};
const STATES = {
  calling: ["请前来办理", "Please come to this window"],
  serving: ["办理中", "Now serving"],
  idle: ["等候叫号", "Please wait for your number"],
  paused: ["暂停服务", "Paused"],
  closed: ["暂未开放", "Closed"],
};

let lastCall = 0;

function stateOf(desk) {
  if (desk.number) return desk.ticket_state === "called" ? "calling" : "serving";
  return { open: "idle", paused: "paused" }[desk.state] || "closed";
}

/** Where else to go: open windows that serve one of the same queues. */
function others(frame, desk) {
  return frame.windows.filter(
    (w) => w.code !== desk.code && w.state === "open" && w.queues.some((q) => desk.queues.includes(q)),
  );
}

function draw(frame, { calm }) {
  const desk = frame.windows.find((w) => w.code === code);
  if (!desk) return; // taken out of service for good: the last picture stays until the page is set up anew
  const zone = frame.zones.find((z) => z.zone === desk.zone);
  const state = stateOf(desk);
  const ticket = frame.now_serving.find((s) => s.window === code && s.number === desk.number);
  page.dataset.state = state;

  put(at("window-zh"), desk.name_zh);
  put(at("window-en"), desk.name_en);
  const [kindZh, kindEn] = KINDS[desk.kind] || KINDS.comprehensive;
  put(at("zone-zh"), desk.kind === "comprehensive" && zone ? zone.name_zh : kindZh);
  put(at("zone-en"), desk.kind === "comprehensive" && zone ? zone.name_en : kindEn);

  put(at("number"), desk.number || "");
  let [zh, en] = STATES[state];
  if (state === "calling" && desk.kind === "pickup") zh = "请前来领取";
  if (state === "calling" && ticket && ticket.recall) [zh, en] = [`再次呼叫 · ${zh}`, `Calling again. ${en}`];
  put(at("state-zh"), zh);
  put(at("state-en"), en);

  const elsewhere = state === "paused" || state === "closed" ? others(frame, desk).slice(0, 3) : [];
  put(at("else-zh"), elsewhere.length ? `请到 ${elsewhere.map((w) => w.name_zh).join("、")}` : "");
  put(at("else-en"), elsewhere.length ? `Please go to ${elsewhere.map((w) => w.name_en).join(", ")}` : "");
  page.querySelectorAll(".fits").forEach(fit);

  const called = ticket && state === "calling" ? ticket.seq : 0;
  if (called > lastCall && !calm && live.isFresh(ticket.at)) flash(at("number"));
  lastCall = calm ? called : Math.max(lastCall, called);
}

let live = { serverNow: Date.now, isFresh: () => false }; // until the line is there
live = watch({
  hall,
  token,
  frame: JSON.parse(page.dataset.frame),
  draw,
  call() {}, // the board speaks; here the number flashes
  status(name, since) {
    drawStatus(name, since);
    drawClock(page, live.serverNow());
  },
});
drawClock(page, live.serverNow());
if (document.fonts) document.fonts.ready.then(() => page.querySelectorAll(".fits").forEach(fit));
