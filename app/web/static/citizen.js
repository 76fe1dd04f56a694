// The phone page of a ticket: redrawn at every change, its place counted from the queue's own list; and the print button.
import { connect } from "./live.js";
import "./page.js";

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-print]")) window.print();
});

const page = document.querySelector("[data-ticket-page]");
if (page) followTicket(page);

// Our font and the live line are for fast networks: who has a slow one, or pays for each byte, reads the phone's own
// letters and asks every 20 seconds.
async function furnish({ socket, font }) {
  const network = navigator.connection;
  if (network?.saveData || /2g/.test(network?.effectiveType ?? "")) return;
  const letters = Object.assign(document.createElement("link"), { rel: "stylesheet", href: font });
  const script = Object.assign(document.createElement("script"), { src: socket });
  await new Promise((done) => {
    script.onload = script.onerror = done;
    document.head.prepend(letters);
    document.head.append(script);
  });
}

function followTicket(page) {
  const slot = document.getElementById("ticket-slot");
  const said = document.getElementById("ticket-said");
  const title = document.title;
  const now = () => document.getElementById("ticket-now")?.dataset ?? {};
  let told = "";
  let flash = null;

  // Called, or called again: the phone shakes once for each, and its title flashes until the holder is there.
  const tell = () => {
    const { call, go, number } = now();
    if (call && call !== told) {
      if (navigator.userActivation?.hasBeenActive ?? true) navigator.vibrate?.([400, 200, 400, 200, 400]);
      said.textContent = `${number} ${go}`;
      told = call;
    }
    clearInterval(flash);
    document.title = call ? `${go} · ${number}` : title;
    if (!call) return;
    let lit = true;
    flash = setInterval(() => {
      lit = !lit;
      document.title = lit ? `${go} · ${number}` : `● ${number}`;
    }, 1000);
  };

  // The number is drawn anew; what its holder may do only when that is something else, for a question may stand open.
  let asked = 0;
  let answered = 0;
  const look = async () => {
    const own = ++asked;
    const answer = await fetch(page.dataset.now).catch(() => null);
    if (!answer?.ok) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (own < answered) return; // a later question was answered before
    answered = own;
    const [number, acts] = ["ticket-now", "ticket-acts"].map((id) => fresh.getElementById(id));
    if (!number || !acts) return;
    const open = slot.querySelector("#ticket-now details[open]");
    slot.querySelector("#ticket-now").replaceWith(number);
    if (open) number.querySelector("details")?.setAttribute("open", "");
    const before = slot.querySelector("#ticket-acts");
    if (before.dataset.acts !== acts.dataset.acts) before.replaceWith(acts);
    tell();
  };

  // The place moves at once; the range comes after it, not for every phone in the same moment.
  let later = null;
  const place = ({ waiting }) => {
    const at = waiting.indexOf(now().number);
    const shown = slot.querySelector("[data-ahead]");
    if (at > 0 && shown?.textContent === String(at)) return;
    if (at > 0 && shown) {
      shown.textContent = at;
      later ??= setTimeout(() => {
        later = null;
        look();
      }, 2000 + Math.random() * 6000);
    } else if (at >= 0) look();
  };

  tell();
  furnish(page.dataset).then(() =>
    connect("/tickets", { token: page.dataset.token }, { ticket: look, queue: place }, { again: look, every: 20 }),
  );
}
