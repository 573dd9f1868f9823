// drawing.js - a network as a drawing: a block a layer, as high as its pictures, as wide as it has channels.
import { text } from "./text.js";

const SVG = "http://www.w3.org/2000/svg";
const HIGH = 120, GAP = 6;

export function svg(name, attributes = {}, ...children) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

const KINDS = { conv: "conv", deconv: "conv", upconv: "conv", dense: "conv", maxpool: "pool", avgpool: "pool",
  upsample: "up", depth_to_space: "up", space_to_depth: "pool" };

// info: as Library.describeNet has it.
export function drawNetwork(info) {
  const root = svg("svg", { class: "network", role: "img", "aria-label":
    text("drawingLabel", info.layers.length, info.parameters, info.bottleneck) });
  const layers = [{ text: text("input"), ...info }, ...info.layers];
  let x = GAP, before = "";
  layers.forEach((layer, i) => {
    const { channels, height, width } = layer, size = `${height}×${width}×${channels}`;
    const wide = 8 + 4 * Math.log2(channels + 1), high = 14 + (HIGH - 14) * Math.sqrt(height / info.height);
    const bottleneck = i > 0 && i - 1 === info.bottleneckLayer, kind = KINDS[layer.text.split(" ")[0]] ?? "other";
    const block = svg("rect", { x, y: (HIGH - high) / 2 + 4, width: wide, height: high, rx: 2,
      class: bottleneck ? "bottleneck" : kind });
    block.append(svg("title", {}, `${layer.text}: ${size}`));
    root.append(block);
    if (size !== before)
      root.append(svg("text", { transform: `translate(${x + wide / 2 + 4} ${HIGH + 14}) rotate(35)` }, size));
    before = size;
    x += wide + GAP;
  });
  root.setAttribute("viewBox", `0 0 ${x + 60} ${HIGH + 70}`);
  root.style.width = `${x + 60}px`;
  return root;
}

// The same as rows of a table.
export function listNetwork(info) {
  return info.layers.map((layer, i) => {
    const row = document.createElement("tr");
    const size = `${layer.height}×${layer.width}×${layer.channels}`;
    for (const value of [i + 1, layer.text, size, layer.parameters.toLocaleString(document.documentElement.lang)])
      row.append(Object.assign(document.createElement("td"), { textContent: value }));
    return row;
  });
}
