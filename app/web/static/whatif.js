// The day before and after the changes: waits as lines over the people who came, windows as bars. The tables say the same.
import { draw } from "./chart.js";

const BEFORE = "#7c8d95";
const AFTER = "#0b5c73";
const COLOURS = { before: { busy: "#9aabb3", cold: "#f4d9a8" }, after: { busy: "#0b5c73", cold: "#d97706" } };

const height = ({ windows }) => Math.max(windows.length * 30 + 100, 320);

const lines = ({ halves, people, waits, words }) => ({
  grid: { left: 44, right: 44, top: 64, bottom: 28 },
  xAxis: { type: "category", data: halves, axisTick: { show: false } },
  yAxis: [
    { type: "value", minInterval: 1, name: words.minutes },
    { type: "value", minInterval: 1, name: words.persons, splitLine: { show: false }, axisLabel: { color: BEFORE }, nameTextStyle: { color: BEFORE } },
  ],
  series: [
    { name: words.people, type: "bar", yAxisIndex: 1, data: people, barMaxWidth: 22, itemStyle: { color: "#e3edf0" } },
    ...waits.map(({ when, name, values }) => ({
      name,
      type: "line",
      data: values,
      symbolSize: 6,
      lineStyle: { width: when === "after" ? 3 : 2, type: when === "after" ? "solid" : "dashed" },
      itemStyle: { color: when === "after" ? AFTER : BEFORE },
    })),
  ],
});

const bars = ({ windows, loads, words }) => ({
  grid: { left: 56, right: 48, top: 84, bottom: 28 },
  xAxis: { type: "value", minInterval: 1, name: words.minutes },
  yAxis: { type: "category", inverse: true, data: windows, axisTick: { show: false } },
  series: loads.map(({ when, part, name, values }) => ({
    name,
    type: "bar",
    stack: when,
    barMaxWidth: 14,
    barGap: "20%",
    data: values,
    itemStyle: { color: COLOURS[when][part] },
  })),
});

draw(document.getElementById("waits"), lines, height);
draw(document.getElementById("loads"), bars, height);
