// The kiosk's service worker: shows the page that goes on giving numbers when the server cannot be reached.
// It keeps that page in both languages and the static files of the house; never a page that was made for somebody.

const KEPT = "kiosk-1";
const SHELLS = ["/kiosk/offline?lang=zh", "/kiosk/offline?lang=en"];
const PATIENCE_MS = 8000;

self.addEventListener("install", (event) => {
  self.skipWaiting();
  event.waitUntil(keep());
});
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));
self.addEventListener("message", (event) => {
  if (event.data === "renew") event.waitUntil(keep()); // the house has a new version
});

async function keep() {
  const cache = await caches.open(KEPT);
  const files = new Set(["/static/live.js", "/static/page.js", "/static/blocks.js", "/static/printing.js"]);
  for (const shell of SHELLS) {
    const answer = await fetch(shell, { cache: "no-store" });
    if (!answer.ok || answer.redirected) throw new Error(`${shell}: ${answer.status}`);
    const text = await answer.clone().text();
    for (const [address] of text.matchAll(/\/static\/[^"'#\s]+/g)) files.add(address.replaceAll("&amp;", "&"));
    await cache.put(shell, answer);
  }
  await Promise.all([...files].map((address) => cache.add(new Request(address, { cache: "reload" }))));
}

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const address = new URL(request.url);
  if (address.origin !== self.location.origin) return;
  if (request.mode === "navigate") event.respondWith(visit(request, address));
  else if (request.method === "GET" && address.pathname.startsWith("/static/")) event.respondWith(file(request));
});

async function file(request) {
  const cache = await caches.open(KEPT);
  const versioned = new URL(request.url).searchParams.has("v");
  const kept = await cache.match(request);
  if (kept && versioned) return kept;
  try {
    const answer = await fetch(request);
    if (answer.ok && answer.status === 200) await cache.put(request, answer.clone());
    return answer;
  } catch (error) {
    if (kept) return kept;
    throw error;
  }
}

async function visit(request, address) {
  const again = request.method === "POST" ? request.clone() : null; // the same press: its key counts it once
  for (const each of again ? [request, again] : [request]) {
    const answer = await soon(fetch(each));
    if (answer && !(await isLost(answer))) return answer;
  }
  const cache = await caches.open(KEPT);
  const wish = address.searchParams.get("lang") === "en" ? SHELLS[1] : SHELLS[0];
  return (await cache.match(wish)) ?? Response.error();
}

async function soon(asked) {
  const late = new Promise((resolve) => setTimeout(resolve, PATIENCE_MS, null));
  return Promise.race([asked.catch(() => null), late]);
}

// The front door without a house behind it, or a house without its database. A refusal of the house bears its policy.
async function isLost(answer) {
  if (answer.status < 500) return false;
  if (answer.status !== 500) return !answer.headers.has("Content-Security-Policy");
  const pulse = await soon(fetch("/kiosk/pulse", { cache: "no-store" }));
  return !pulse || pulse.status >= 500;
}
