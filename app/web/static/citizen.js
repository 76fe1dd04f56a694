// The phone page of a ticket: redrawn at every change, its place counted from the queue's own list; and the print button.
import { connect, redraw } from "./live.js";
import "./page.js";

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-print]")) window.print();
});

const page = document.querySelector("[data-ticket-page]");
if (page) followTicket(page);

function followTicket(page) {
  const slot = document.getElementById("ticket-slot");
  const title = document.title;
  const now = () => document.getElementById("ticket-now")?.dataset ?? {};
  let calls = now().state === "called" ? Number(now().recalls) + 1 : 0;

  const look = async () => {
    const before = now().state;
    if (!(await redraw(page.dataset.now, slot))) return;
    const { state, number, recalls } = now();
    const called = state === "called" ? Number(recalls) + 1 : 0;
    document.title = called ? `${page.dataset.titleCalled} · ${number}` : title;
    if (called > calls) navigator.vibrate?.([400, 200, 400, 200, 400]);
    calls = called;
    // what stands around the ticket differs between waiting and over: take the whole page
    if (before === "waiting" && ["finished", "cancelled", "expired", "abandoned"].includes(state)) location.reload();
  };

  const place = ({ waiting }) => {
    const at = waiting.indexOf(now().number);
    const shown = slot.querySelector("[data-ahead]");
    if (at > 0 && shown) shown.textContent = at;
    else if (at >= 0) look();
  };

  connect("/tickets", { token: page.dataset.token }, { ticket: look, queue: place }, { again: look, every: 20 });
}
