// chart.js - the curve of a training: the loss of each progress report, and that of validation after each epoch, on a
// logarithmic scale.
import { svg } from "./drawing.js";
import { formatNumber, text } from "./text.js";

const WIDTH = 560, HEIGHT = 220, LEFT = 60, BOTTOM = 28, TOP = 10;

// points: [{ at, loss }], `at` in epochs; validation likewise.
export function drawChart(points, validation, epochs) {
  const root = svg("svg", { class: "chart", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img" });
  const all = [...points, ...validation].map(({ loss }) => loss).filter((loss) => loss > 0);
  if (all.length === 0) return root;
  const low = Math.log10(Math.min(...all)) - 0.05, high = Math.log10(Math.max(...all)) + 0.05;
  const x = (at) => LEFT + (WIDTH - LEFT - 10) * at / epochs;
  const y = (loss) => TOP + (HEIGHT - TOP - BOTTOM) * (high - Math.log10(loss)) / (high - low);
  const line = (list) => list.filter(({ loss }) => loss > 0).map(({ at, loss }) => `${x(at)},${y(loss)}`).join(" ");
  for (let i = 0; i <= 4; i++) {
    const value = 10 ** (low + (high - low) * i / 4);
    root.append(svg("line", { x1: LEFT, x2: WIDTH - 10, y1: y(value), y2: y(value), class: "grid" }),
      svg("text", { x: LEFT - 6, y: y(value) + 4, "text-anchor": "end" }, value.toPrecision(3)));
  }
  root.append(svg("polyline", { points: line(points), class: "loss" }),
    svg("polyline", { points: line(validation), class: "validation" }),
    ...validation.map(({ at, loss }) => svg("circle", { cx: x(at), cy: y(loss), r: 2.5, class: "validation" })),
    svg("text", { x: WIDTH - 10, y: HEIGHT - 6, "text-anchor": "end" }, text("epochsAxis", formatNumber(epochs))));
  const last = validation.at(-1);
  root.setAttribute("aria-label", last ? text("chartLabel", validation.length, formatNumber(last.loss, 5)) : text("chart"));
  return root;
}
