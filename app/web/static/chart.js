// The chart library comes only when there is something to draw, and the page does without it.

let library = null;

function echarts() {
  const address = document.querySelector("script[data-echarts]")?.dataset.echarts;
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

const charts = new Map();
addEventListener("resize", () => {
  for (const chart of charts.values()) chart.resize();
});

// Draw what `options` makes of the slot's data; `height` in pixels may depend on them too.
export async function draw(slot, options, height) {
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
  if (height) slot.style.height = `${height(data)}px`;
  charts.get(slot.id)?.dispose();
  const chart = lib.init(slot, null, { renderer: "canvas" });
  charts.set(slot.id, chart);
  chart.setOption({
    animation: false,
    textStyle: { fontFamily: getComputedStyle(document.body).fontFamily },
    legend: { top: 0, left: 8, itemWidth: 14, itemHeight: 14 },
    tooltip: { trigger: "axis", renderMode: "richText", axisPointer: { type: "shadow" } },
    ...options(data),
  });
}
