// Waits by hour as a band between half and nine tenths, by side as bars, by weekday and hour as a map. The tables say the same.
import { draw } from "./chart.js";

const ACCENT = "#0b5c73";
const SOFT = "#9cc7d6";
const GREY = "#7c8d95";
const NARROW = innerWidth < 700;

draw(document.getElementById("hours"), ({ hours, waits, people, words }) => {
  const band = waits.p90_s.map((high, n) => (high === null ? null : +(high - waits.p50_s[n]).toFixed(1)));
  const line = { type: "line", smooth: 0.25, symbolSize: 6 };
  const hidden = { ...line, stack: "band", symbol: "none", silent: true, tooltip: { show: false }, lineStyle: { opacity: 0 } };
  return {
    grid: { left: 44, right: 44, top: NARROW ? 96 : 64, bottom: 28 },
    legend: { top: 0, left: 8, itemWidth: 14, itemHeight: 14, data: [words.people, words.mean, words.p50, words.p90] },
    xAxis: { type: "category", data: hours, axisTick: { show: false } },
    yAxis: [
      { type: "value", minInterval: 1, name: words.minutes },
      { type: "value", minInterval: 1, name: words.people, splitLine: { show: false }, axisLabel: { color: GREY }, nameTextStyle: { color: GREY } },
    ],
    series: [
      { name: words.people, type: "bar", yAxisIndex: 1, data: people, barMaxWidth: 22, itemStyle: { color: "#e3edf0" } },
      { ...hidden, name: "from", data: waits.p50_s },
      { ...hidden, name: "to", data: band, areaStyle: { color: SOFT, opacity: 0.35 } },
      { ...line, name: words.p50, data: waits.p50_s, itemStyle: { color: SOFT }, lineStyle: { width: 2 } },
      { ...line, name: words.p90, data: waits.p90_s, itemStyle: { color: "#d97706" }, lineStyle: { width: 2, type: "dashed" } },
      { ...line, name: words.mean, data: waits.mean_s, itemStyle: { color: ACCENT }, lineStyle: { width: 3 } },
    ],
  };
});

// Beside the bars, room for the longest name: a Chinese sign is as wide as two letters.
const room = (names) => {
  const wide = names.map((name) => [...name].reduce((sum, sign) => sum + (sign > "\u2e80" ? 13 : 7.5), 0));
  return Math.min(Math.max(24, ...wide) + 20, NARROW ? 110 : 190);
};

draw(
  document.getElementById("sides"),
  ({ rows, mean, p90, words }) => ({
    grid: { left: room(rows), right: 48, top: 40, bottom: 28 },
    xAxis: { type: "value", minInterval: 1, name: words.minutes },
    yAxis: { type: "category", inverse: true, data: rows, axisTick: { show: false }, axisLabel: { width: room(rows) - 12, overflow: "truncate" } },
    series: [
      { name: words.mean, type: "bar", barMaxWidth: 14, data: mean, itemStyle: { color: ACCENT } },
      { name: words.p90, type: "bar", barMaxWidth: 14, data: p90, itemStyle: { color: SOFT } },
    ],
  }),
  ({ rows }) => Math.max(rows.length * 36 + 90, 340),
);

// One very long wait must not make all others pale: the scale ends where nine tenths of the cells do.
const end = (heat) => {
  const waits = heat.map(([, , minutes]) => minutes).sort((a, b) => a - b);
  return Math.max(5, Math.ceil(waits[Math.floor((waits.length - 1) * 0.9)] ?? 0));
};

draw(document.getElementById("heat"), ({ hours, days, heat, words }) => ({
  grid: { left: NARROW ? 52 : 72, right: 16, top: 8, bottom: 84 },
  legend: { show: false },
  tooltip: {
    renderMode: "richText",
    formatter: ({ value: [hour, day, minutes, count] }) =>
      `${days[day]} ${hours[hour]}\n${words.mean} ${minutes} ${words.minutes}\n${words.people} ${count}`,
  },
  xAxis: { type: "category", data: hours, splitArea: { show: true }, axisTick: { show: false } },
  yAxis: { type: "category", data: days, inverse: true, splitArea: { show: true }, axisTick: { show: false } },
  visualMap: {
    min: 0,
    max: end(heat),
    text: [`≥ ${end(heat)} ${words.minutes}`, "0"],
    dimension: 2,
    calculable: false,
    orient: "horizontal",
    left: "center",
    bottom: 8,
    itemHeight: 160,
    inRange: { color: ["#eef6f8", "#9cc7d6", "#0b5c73", "#072f3b"] },
  },
  series: [
    {
      type: "heatmap",
      data: heat,
      label: { show: !NARROW, formatter: ({ value }) => value[2] },
      itemStyle: { borderColor: "#fff", borderWidth: 2 },
    },
  ],
}));
