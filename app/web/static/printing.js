// The slip on the printer of this kiosk, and the count-downs of its pages.

// Prints what stands in the slip's place. A browser started with --kiosk-printing asks nothing.
export function printSlip() {
  window.print();
}

export function fillSlip(given, queue, at, draw) {
  for (const place of document.querySelectorAll("[data-slip-number]")) place.textContent = given.number;
  for (const place of document.querySelectorAll("[data-slip-queue]")) place.textContent = queue;
  for (const place of document.querySelectorAll("[data-slip-at]")) place.textContent = at;
  for (const place of document.querySelectorAll("[data-slip-code]")) place.replaceChildren(draw());
}

// Counts down in these places, then does `end`; returns what stops it.
export function countDown(seconds, places, end, text = String) {
  let left = seconds;
  const show = () => places.forEach((place) => (place.textContent = text(left)));
  show();
  const timer = setInterval(() => {
    left -= 1;
    show();
    if (left <= 0) {
      clearInterval(timer);
      end();
    }
  }, 1000);
  return () => clearInterval(timer);
}

export function keepTime(clock) {
  const time = { hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone: "Asia/Shanghai" };
  const show = () => (clock.textContent = new Date().toLocaleTimeString("zh-CN", time));
  setInterval(show, 5000);
  show();
}
