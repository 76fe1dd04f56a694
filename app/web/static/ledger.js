// A day as one bar a window, coloured by what it did. The tables under it say the same.
import { draw } from "./chart.js";

const COLOURS = ["#0b5c73", "#9cc7d6", "#d97706", "#e3edf0", "#9aabb3"];
const NARROW = innerWidth < 700;

const clock = (seconds) => {
  const minutes = Math.floor(seconds / 60);
  return `${String(Math.floor(minutes / 60)).padStart(2, "0")}:${String(minutes % 60).padStart(2, "0")}`;
};
const lasting = (seconds) => `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;

// From one full half hour to another, with as many marks as there is room for.
const hours = (from, to) => {
  const interval = [1800, 3600, 7200, 10800].find((step) => (to - from) / step <= (NARROW ? 5 : 12)) ?? 14400;
  return { min: Math.floor(from / interval) * interval, max: Math.ceil(to / interval) * interval, interval };
};

draw(
  document.getElementById("line"),
  ({ rows, bars, uses, from, to }) => ({
    grid: { left: 44, right: 20, top: NARROW ? 96 : 40, bottom: 60 },
    legend: { top: 0, left: 8, itemWidth: 14, itemHeight: 14, selectedMode: true },
    tooltip: {
      trigger: "item",
      renderMode: "richText",
      formatter: ({ seriesName, value: [row, begin, end, , mark] }) =>
        `${rows[row]} ${seriesName}\n${clock(begin)}–${clock(end)} (${lasting(end - begin)})${mark ? `\n${mark}` : ""}`,
    },
    xAxis: { type: "value", ...hours(from, to), axisLabel: { formatter: clock, hideOverlap: true }, splitLine: { show: true } },
    yAxis: { type: "category", inverse: true, data: rows, axisTick: { show: false } },
    dataZoom: [
      { type: "inside", xAxisIndex: 0, filterMode: "weakFilter", zoomOnMouseWheel: "ctrl" },
      { type: "slider", xAxisIndex: 0, filterMode: "weakFilter", height: 20, bottom: 8, labelFormatter: clock },
    ],
    series: uses.map((name, use) => ({
      name,
      type: "custom",
      itemStyle: { color: COLOURS[use] },
      encode: { x: [1, 2], y: 0 },
      data: bars.filter((bar) => bar[3] === use),
      renderItem: (params, api) => {
        const [left, middle] = api.coord([api.value(1), api.value(0)]);
        const [right] = api.coord([api.value(2), api.value(0)]);
        const area = params.coordSys;
        const begin = Math.max(left, area.x);
        const width = Math.min(right, area.x + area.width) - begin;
        const height = Math.min(api.size([0, 1])[1] * 0.62, 22);
        if (width <= 0) return undefined;
        return {
          type: "rect",
          shape: { x: begin, y: middle - height / 2, width: Math.max(width, 1), height },
          style: { fill: api.visual("color") },
        };
      },
    })),
  }),
  ({ rows }) => Math.max(rows.length * 32 + (NARROW ? 170 : 120), 200),
);
