// The days of a report as columns; the table under them says the same.
import { draw } from "./chart.js";

const COLOURS = ["#0b5c73", "#9cc7d6"];

draw(document.getElementById("days"), ({ days, series }) => ({
  grid: { left: 44, right: 16, top: 36, bottom: 28 },
  xAxis: { type: "category", data: days, axisTick: { show: false } },
  yAxis: { type: "value", minInterval: 1 },
  series: series.map(({ name, values }, n) => ({
    name,
    type: "bar",
    barMaxWidth: 18,
    data: values,
    itemStyle: { color: COLOURS[n] },
  })),
}));
