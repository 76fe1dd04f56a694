// One live line to the server: tells the page when it is up, and repeats by itself what must not be missed.

// `handlers` are by event name; `every` seconds `again` is called while the line is down. Returns a function that ends it.
export function connect(namespace, auth, handlers, { again = () => {}, every = 20 } = {}) {
  const sign = (state) => {
    for (const mark of document.querySelectorAll(".h-live")) {
      mark.dataset.live = state;
      const words = mark.closest("[data-live-on]");
      if (words) mark.textContent = state === "on" ? words.dataset.liveOn : words.dataset.liveOff;
    }
  };
  let up = false;
  const timer = setInterval(() => {
    if (!up && !document.hidden) again();
  }, every * 1000);
  let socket = null;
  if (window.io) {
    socket = window.io(namespace, { auth, transports: ["websocket"], reconnectionDelayMax: 10000 });
    socket.on("connect", () => {
      up = true;
      sign("on");
      again(); // something may have happened while the line was down
    });
    socket.on("disconnect", () => {
      up = false;
      sign("off");
    });
    for (const [name, handler] of Object.entries(handlers)) socket.on(name, handler);
  }
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) again();
  });
  return () => {
    clearInterval(timer);
    socket?.close();
  };
}

// Put a part of the page anew; keeps what is there when the server cannot be reached.
export async function redraw(address, slot) {
  try {
    const answer = await fetch(address, { headers: { "X-Part": "1" } });
    if (!answer.ok) return false;
    slot.innerHTML = await answer.text();
    return true;
  } catch {
    return false;
  }
}
