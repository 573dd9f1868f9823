// loupe.js - a place of the picture enlarged, before above after; moved by pointer and by keyboard.
import { pointed, put, stepped } from "./points.js";

// part: the tab's elements by name; returns what draws it anew. The share of the result that is seen: `strength()`.
export function openLoupe(part, strength) {
  const marker = part("place");
  let at = { x: 0.5, y: 0.5 }, pressed = false;

  function draw() {
    const from = part("before"), view = part("loupe"), context = view.getContext("2d"), half = view.height / 2;
    const zoom = Number(part("zoom").value), width = view.width / zoom, height = half / zoom;
    const left = Math.round(at.x * from.width - width / 2), top = Math.round(at.y * from.height - height / 2);
    put(marker, at);
    context.imageSmoothingEnabled = false;
    context.clearRect(0, 0, view.width, view.height);
    for (const [name, y, alpha] of [["before", 0, 1], ["before", half, 1], ["after", half, strength()]]) {
      context.globalAlpha = alpha;
      context.drawImage(part(name), left, top, width, height, 0, y, view.width, half);
    }
    context.globalAlpha = 1;
    context.fillRect(0, half - 1, view.width, 2);
  }

  function move(to) {
    at = to;
    draw();
  }

  part("stage").addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    pressed = true;
    part("stage").setPointerCapture(event.pointerId);
    move(pointed(event, part("after")));
  });
  part("stage").addEventListener("pointermove", (event) => pressed && move(pointed(event, part("after"))));
  for (const end of ["pointerup", "pointercancel"]) part("stage").addEventListener(end, () => { pressed = false; });
  marker.addEventListener("keydown", (event) => {
    const to = stepped(event, at);
    if (!to) return;
    event.preventDefault();
    move(to);
  });
  part("zoom").addEventListener("change", draw);
  return draw;
}
