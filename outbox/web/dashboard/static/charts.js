// Draws the charts of the overview from the series that the page carries.
"use strict";

(() => {
  const NAMES = {
    open: "in the queue", enqueued: "enqueued", sent: "sent", failed: "failed", dead: "dead letters",
    half_within: "half within", most_within: "95 of 100 within",
  };
  const charts = new Map();

  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
  const colours = () => ({
    open: colour("cyan"), enqueued: colour("cyan"), sent: colour("green"), failed: colour("yellow"), dead: colour("red"),
    half_within: colour("green"), most_within: colour("yellow"),
  });

  function series() {
    const found = document.getElementById("series");
    return found && JSON.parse(found.textContent);
  }

  const size = (place) => ({ width: Math.max(place.clientWidth, 200), height: 180 });

  function draw() {
    const values = series();
    if (!values) return;
    for (const place of document.querySelectorAll(".chart")) {
      const lines = place.dataset.lines.split(" ");
      const data = [values.at, ...lines.map((line) => values[line])];
      const there = charts.get(place.id);
      if (there && there.root.isConnected) {
        there.setData(data);
        continue;
      }
      // In the time zone of the page, which is the server's.
      const clock = (at) => new Date((at + values.offset) * 1000).toISOString();
      const days = values.at.at(-1) - values.at[0] > 2 * 86400;
      const axis = { stroke: colour("dim"), grid: { stroke: colour("line"), width: 1 }, ticks: { show: false } };
      charts.set(place.id, new uPlot({
        ...size(place),
        series: [{ label: "at", value: (_, at) => at == null ? "" : clock(at).slice(5, 16).replace("T", " ") }, ...lines.map((line) => ({
          label: NAMES[line], stroke: colours()[line], width: 2, spanGaps: true, points: { show: line.endsWith("within"), size: 4 },
          value: (_, value) => value == null ? "" : String(Math.round(value * 1000) / 1000),
        }))],
        axes: [{ ...axis, values: (_, at) => at.map((one) => days ? clock(one).slice(5, 10) : clock(one).slice(11, 16)) }, { ...axis, size: 46 }],
        scales: { y: { range: (_, low, high) => [0, Math.max(high || 0, 1) * 1.1] } },
        cursor: { y: false },
        legend: { live: true },
      }, data, place));
    }
  }

  function again() {
    for (const chart of charts.values()) chart.destroy();
    charts.clear();
    draw();
  }

  document.addEventListener("outbox:changed", draw);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", again);
  addEventListener("resize", () => {
    for (const chart of charts.values()) chart.setSize(size(chart.root.parentElement));
  });
  draw();
})();
