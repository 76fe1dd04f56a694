// The hall now: fetched again when something changes, at most every two seconds, and every fifteen while the line is down.
import { draw } from "./chart.js";
import { connect, redraw } from "./live.js";

const now = document.getElementById("now");
const GAP_MS = 2000;
const COLOURS = { green: "#17693a", amber: "#d97706", yellow: "#e3c93b", red: "#a81f16", stopped: "#7c8d95" };

let last = 0;
let timer = null;
async function look() {
  timer = null;
  last = Date.now();
  const focused = now.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
  if (await redraw(now.dataset.address, now)) {
    if (focused) [...now.querySelectorAll("a")].find((a) => a.getAttribute("href") === focused)?.focus();
    show();
  }
}
function soon() {
  timer ??= setTimeout(look, Math.max(GAP_MS - (Date.now() - last), 0));
}
connect("/staff", { hall: now.dataset.hall }, { changed: soon }, { again: soon, every: 15 });
setInterval(soon, 60000); // waits grow without any event

const height = ({ names }) => Math.max(names.length * 34 + 72, 140);
const lights = ({ names, series }) => ({
  grid: { left: 176, right: 24, top: 36, bottom: 28 },
  xAxis: { type: "value", minInterval: 1 },
  yAxis: {
    type: "category",
    inverse: true,
    data: names,
    axisTick: { show: false },
    axisLabel: { width: 150, overflow: "truncate" },
  },
  series: series.map(({ light, name, values }) => ({
    name,
    type: "bar",
    stack: "all",
    barMaxWidth: 20,
    data: values,
    itemStyle: { color: COLOURS[light] },
  })),
});
const show = () => draw(document.getElementById("chart"), lights, height);
show();

// The wall's clock.
setInterval(() => {
  const shown = document.querySelector("[data-clock]");
  if (!shown) return;
  const parts = { timeZone: "Asia/Shanghai", hour: "2-digit", minute: "2-digit", hour12: false };
  shown.textContent = new Intl.DateTimeFormat("en-GB", parts).format(new Date());
}, 5000);
