// Whatever is held before the kiosk: an ID card, the QR code of a slip. It reaches the page in one of three ways.
//
//   ws://127.0.0.1:PORT   a small program beside the reader sends JSON, one message a card or code:
//                         {"card": "410305199001010011"}   {"code": "http://hall/t/…"}   {"printer": "ready" | "out"}
//   keys                  the reader or scanner types what it read and Enter, as a keyboard does
//   simulated             cards on the screen, for demonstrations
//
// A number is shown masked and sits in its form until that is sent or the page is left; nothing is stored.

const BURST_MS = 400; // between two keys of a reader; one that waits longer has begun anew
const ID_CARD = /^\d{17}[\dX]$/;
const ADDRESS = /^https?:\/\/\S+$/i;
const BACK_S = 5;

const masked = (number) => `${number.slice(0, 4)}**********${number.slice(-4)}`;

export function listen({ reader, onCard, onCode, onPrinter, onState }) {
  const told = (text) => {
    const read = text.trim();
    const card = ID_CARD.test(read.toUpperCase());
    const code = ADDRESS.test(read);
    // the reader's keys may still be on their way into the field: what follows from them comes after
    if (card) setTimeout(onCard, 0, read.toUpperCase());
    else if (code) setTimeout(onCode, 0, read);
    return card || code;
  };
  wedge(told);
  if (/^wss?:\/\//.test(reader)) {
    connect(reader, (message) => {
      if (typeof message.card === "string") told(message.card);
      if (typeof message.code === "string") told(message.code);
      if (message.printer) onPrinter(message.printer);
    }, onState);
  } else onState(reader);
}

function connect(address, heard, onState) {
  const socket = new WebSocket(address);
  socket.onopen = () => onState("ready");
  socket.onmessage = (event) => {
    try {
      heard(JSON.parse(event.data));
    } catch {
      // not one of ours
    }
  };
  socket.onclose = () => {
    onState("lost");
    setTimeout(connect, BACK_S * 1000, address, heard, onState);
  };
}

// Keys that come in a burst, make a whole card or address and end with Enter came from a reader: they are taken out of the
// field that has the focus.
function wedge(read) {
  let burst = "";
  let last = 0;
  let field = null;
  let before = "";
  document.addEventListener(
    "keydown",
    (event) => {
      if (event.ctrlKey || event.altKey || event.metaKey) return;
      const fast = event.timeStamp - last < BURST_MS;
      last = event.timeStamp;
      if (event.key === "Enter") {
        if (fast && read(burst)) {
          event.preventDefault();
          event.stopPropagation();
          if (field) field.value = before;
        }
        burst = "";
      } else if (event.key.length === 1) {
        if (!fast) {
          burst = "";
          field = event.target.matches?.("input, textarea") ? event.target : null;
          before = field?.value ?? "";
        }
        burst += event.key;
      }
    },
    true,
  );
}

// The reader's place on a page: says what it waits for, shows the card masked, and can forget it.
export function place(box, field) {
  const words = box.querySelector("p");
  const forget = box.querySelector("[data-card-forget]");
  const simulated = box.querySelector("[data-card-simulated]");
  let state = "keys";
  const rest = () => (words.textContent = state === "lost" ? box.dataset.lost : state === "keys" ? box.dataset.keys : box.dataset.ready);
  box.hidden = false;
  forget.addEventListener("click", () => {
    field.value = "";
    field.type = "text";
    forget.hidden = true;
    rest();
  });
  return {
    state(now) {
      state = now;
      simulated.hidden = now !== "simulated";
      if (forget.hidden) rest();
    },
    show(number) {
      field.type = "password"; // the whole number is never on the screen
      field.value = number;
      field.closest("details")?.setAttribute("open", "");
      words.textContent = box.dataset.masked.replace("{number}", masked(number));
      forget.hidden = false;
    },
    onSimulated(told) {
      simulated.addEventListener("click", (event) => {
        const number = event.target.closest("[data-number]")?.dataset.number;
        if (number) told(number);
      });
    },
  };
}
