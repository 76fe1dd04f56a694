// Numbers that the server lent to this kiosk: kept here without anything about a person, given while the server is away,
// told to it afterwards. One strict transaction a step, so that neither a restart nor a second tab gives a number twice.

const DAY = { timeZone: "Asia/Shanghai" };
const now = (block) => new Date(Date.now() - (block?.skew ?? 0)); // by the server's clock, once a block told how far it is
export const today = (block) => now(block).toLocaleDateString("sv-SE", DAY); // 2026-11-22

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

// States of a block: asked (the server has not answered yet), leased, closing (gives nothing more, and must be told).
const usable = (block) => block.state === "leased" && block.day === today(block) && block.numbers.length > 0;

// The queues of which a number can be given now, with what is left.
export const left = () => within((blocks) => blocks.filter(usable));

// Give the next number of the queue. It is crossed off before anybody sees it; its code leaves the store with it.
export function take(queue, facts) {
  return within((blocks, store) => {
    const block = blocks.find((each) => each.queue === queue && usable(each));
    if (!block) return null;
    const [given, ...rest] = block.numbers;
    const taken_at = now(block).toISOString();
    block.numbers = rest;
    block.taken.push({ number: given.number, taken_at, ...facts });
    store.put(block);
    return { ...given, name: block.name, name_en: block.name_en, taken_at };
  });
}

// How many numbers were given that the server does not know of yet.
export const untold = () => within((blocks) => blocks.reduce((sum, block) => sum + block.taken.length, 0));

async function post(path, body, key = crypto.randomUUID()) {
  return fetch(`/api/v1${path}`, {
    method: "POST",
    headers: { "Content-Type": "application/json", "Idempotency-Key": key },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(15000),
  });
}

// Tell the server what was given, however often it takes: it makes each number one ticket. The proof that came with a block
// lets a kiosk tell that was paired anew since. A block goes on until less than
// half of it is left or its day is over; then it is done with. False when something could not be told.
export async function tell() {
  const due = await within((blocks, store) => {
    for (const block of blocks) {
      if (block.day === today(block) && (block.state !== "leased" || block.numbers.length * 2 >= block.size)) continue;
      if (block.state === "asked") store.delete(block.id);
      else store.put(Object.assign(block, { state: "closing" }));
    }
    return blocks.filter((block) => block.state === "closing" || block.taken.length);
  });
  let all = true;
  for (const { id, state, taken, proof } of due) {
    const done = state === "closing";
    const answer = await post(`/blocks/${id}/reconcile`, { taken, done, proof }).catch(() => null);
    // a block that the server does not know, with nothing given from it, is no loss
    const lost = answer && !taken.length && [403, 404].includes(answer.status);
    if (!answer?.ok && !lost) all = false;
    else if (lost || (await answer.json()).state === "closed") await within((_blocks, store) => void store.delete(id));
    else await forget(id, new Set(taken.map((each) => each.number)));
  }
  return all;
}

// What was told leaves the store; what was given since then stays.
const forget = (id, told) =>
  within((blocks, store) => {
    const block = blocks.find((each) => each.id === id);
    block.taken = block.taken.filter((each) => !told.has(each.number));
    store.put(block);
  });

// Have a block of each open queue; a queue of which there is none in any state is lent one. The key is kept before it is
// used: the block of an answer that was lost is had by the same key.
export async function stock(hall, queues) {
  for (const queue of queues.filter((each) => each.open)) {
    const id = `asked-${queue.code}`;
    const key = await within((blocks, store) => {
      const held = blocks.find((block) => block.queue === queue.code);
      if (held && held.state !== "asked") return null;
      const wish = held ?? { id, queue: queue.code, day: today(), state: "asked", key: crypto.randomUUID(), numbers: [], taken: [] };
      store.put(wish);
      return wish.key;
    });
    if (!key) continue;
    const answer = await post(`/halls/${hall}/blocks`, { queue: queue.code }, key).catch(() => null);
    if (!answer?.ok) continue;
    const lent = await answer.json();
    const { name, name_en, icon } = queue;
    const told = answer.headers.get("Date") ?? lent.leased_at; // the answer to a key may be an old one
    const skew = Date.now() - Date.parse(told); // how far this kiosk's clock is from the server's
    const size = lent.numbers.length;
    await within((_blocks, store) => {
      store.delete(id);
      store.put({ ...lent, name, name_en, icon, skew, size, state: "leased", taken: [] });
    });
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
