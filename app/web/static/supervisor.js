// The hall now: fetched again when something changes, at most every two seconds, and every fifteen while the line is down.
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
    draw();
  }
}
function soon() {
  timer ??= setTimeout(look, Math.max(GAP_MS - (Date.now() - last), 0));
}
connect("/staff", { hall: now.dataset.hall }, { changed: soon }, { again: soon, every: 15 });
setInterval(soon, 60000); // waits grow without any event

// The chart says what the table says; it comes when it can and the page does without it.
let library = null;
function echarts() {
  const address = document.getElementById("supervisor-script")?.dataset.echarts;
  library ??= new Promise((done, fail) => {
    if (!address) return fail(new Error("no chart here"));
    const script = document.createElement("script");
    script.src = address;
    script.onload = () => (window.echarts ? done(window.echarts) : fail(new Error("no chart")));
    script.onerror = fail;
    document.head.append(script);
  });
  return library;
}

let chart = null;
async function draw() {
  const slot = document.getElementById("chart");
  if (!slot) return;
  let lib;
  try {
    lib = await echarts();
  } catch {
    return;
  }
  if (!slot.isConnected) return;
  const data = JSON.parse(slot.dataset.chart);
  slot.hidden = false;
  slot.style.height = `${Math.max(data.departments.length * 34 + 72, 140)}px`;
  chart?.dispose();
  chart = lib.init(slot, null, { renderer: "canvas" });
  chart.setOption({
    animation: false,
    textStyle: { fontFamily: getComputedStyle(document.body).fontFamily },
    grid: { left: 176, right: 24, top: 36, bottom: 28 },
    legend: { top: 0, left: 8, itemWidth: 14, itemHeight: 14 },
    tooltip: { trigger: "axis", renderMode: "richText", axisPointer: { type: "shadow" } },
    xAxis: { type: "value", minInterval: 1 },
    yAxis: {
      type: "category",
      inverse: true,
      data: data.departments,
      axisTick: { show: false },
      axisLabel: { width: 150, overflow: "truncate" },
    },
    series: data.series.map(({ light, name, values }) => ({
      name,
      type: "bar",
      stack: "all",
      barMaxWidth: 20,
      data: values,
      itemStyle: { color: COLOURS[light] },
    })),
  });
}
if (document.getElementById("supervisor-script")) {
  draw();
  addEventListener("resize", () => chart?.resize());
}

// The wall's clock.
setInterval(() => {
  const shown = document.querySelector("[data-clock]");
  if (!shown) return;
  const parts = { timeZone: "Asia/Shanghai", hour: "2-digit", minute: "2-digit", hour12: false };
  shown.textContent = new Intl.DateTimeFormat("en-GB", parts).format(new Date());
}, 5000);
