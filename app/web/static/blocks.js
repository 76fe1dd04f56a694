// Numbers that the server lent to this kiosk: kept here without anything about a person, given while the server is away,
// told to it afterwards. One strict transaction a step, so that neither a restart nor a second tab gives a number twice.

const DAY = { timeZone: "Asia/Shanghai" };
export const today = () => new Date().toLocaleDateString("sv-SE", DAY); // 2026-11-22

let opened;
function database() {
  opened ??= new Promise((resolve, reject) => {
    const asking = indexedDB.open("kiosk", 1);
    asking.onupgradeneeded = () => asking.result.createObjectStore("blocks", { keyPath: "id" });
    asking.onsuccess = () => resolve(asking.result);
    asking.onerror = () => reject(asking.error);
  });
  return opened;
}

// Run `step(blocks, store)` on all blocks in one transaction; its answer counts once everything is on the disk.
async function within(step) {
  const base = await database();
  return new Promise((resolve, reject) => {
    const writing = base.transaction("blocks", "readwrite", { durability: "strict" });
    const store = writing.objectStore("blocks");
    let answer;
    store.getAll().onsuccess = (event) => (answer = step(event.target.result, store));
    writing.oncomplete = () => resolve(answer);
    writing.onabort = writing.onerror = () => reject(writing.error);
  });
}

const usable = (block) => block.state === "leased" && block.day === today() && block.numbers.length > 0;

// The queues of which a number can be given now, with what is left.
export const left = () => within((blocks) => blocks.filter(usable));

// Give the next number of the queue. It is crossed off before anybody sees it; its code leaves the store with it.
export function take(queue, facts) {
  return within((blocks, store) => {
    const block = blocks.find((each) => each.queue === queue && usable(each));
    if (!block) return null;
    const [given, ...rest] = block.numbers;
    const taken_at = new Date(Date.now() - (block.skew ?? 0)).toISOString();
    block.numbers = rest;
    block.taken.push({ number: given.number, taken_at, ...facts });
    store.put(block);
    return { ...given, name: block.name, name_en: block.name_en, taken_at };
  });
}

// How many numbers were given that the server does not know of yet.
export const untold = () => within((blocks) => blocks.reduce((sum, block) => sum + block.taken.length, 0));

async function post(path, body) {
  return fetch(`/api/v1${path}`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(15000),
  });
}

// Tell the server what was given. A block of which something was given, or whose day is over, gives nothing more from
// then on; the server answers the same however often it is told. False when something could not be told.
export async function tell() {
  const due = await within((blocks, store) => {
    const ending = blocks.filter((block) => block.taken.length || block.day !== today());
    for (const block of ending) {
      block.state = "closing";
      store.put(block);
    }
    return ending;
  });
  let all = true;
  for (const block of due) {
    const answer = await post(`/blocks/${block.id}/reconcile`, { taken: block.taken }).catch(() => null);
    // a block that the server does not know, with nothing given from it, is no loss
    const over = answer && (answer.ok || (!block.taken.length && [403, 404].includes(answer.status)));
    if (over) await within((_blocks, store) => void store.delete(block.id));
    else all = false;
  }
  return all;
}

// Have a block of today of each open queue; a queue that has none is lent one.
export async function stock(hall, queues) {
  const held = await within((blocks) => blocks.filter((block) => block.day === today() && block.state === "leased"));
  for (const queue of queues) {
    if (!queue.open || held.some((block) => block.queue === queue.code)) continue;
    const answer = await post(`/halls/${hall}/blocks`, { queue: queue.code }).catch(() => null);
    if (!answer?.ok) continue;
    const lent = await answer.json();
    const { name, name_en, icon } = queue;
    const skew = Date.now() - Date.parse(lent.leased_at); // how far this kiosk's clock is from the server's
    await within((_blocks, store) => void store.put({ ...lent, name, name_en, icon, skew, state: "leased", taken: [] }));
  }
}

// Tell and stock up, one tab at a time.
export async function settle(hall, queues) {
  const both = async () => {
    await tell();
    await stock(hall, queues);
  };
  return navigator.locks ? navigator.locks.request("kiosk-blocks", both) : both();
}

// A QR code from the path that the server drew.
export function drawCode(given, label) {
  const name = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(name, "svg");
  svg.setAttribute("viewBox", `0 0 ${given.qr_size} ${given.qr_size}`);
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", label);
  const ground = document.createElementNS(name, "path");
  ground.setAttribute("fill", "#fff");
  ground.setAttribute("d", `M0 0h${given.qr_size}v${given.qr_size}H0z`);
  const code = document.createElementNS(name, "path");
  code.setAttribute("d", given.qr);
  code.setAttribute("shape-rendering", "crispEdges");
  svg.append(ground, code);
  return svg;
}
