// hints.js - what the user knows of colors: points on the picture that can be set, moved and taken away, by pointer and by
// keyboard, and the palette that they get their color from.
import { pointed, put, stepped } from "./points.js";
import { text } from "./text.js";

const MOST_UNDO = 100;

const rgbOf = (hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
const hexOf = (rgb) => `#${[...rgb].map((value) => value.toString(16).padStart(2, "0")).join("")}`;

// part: the tab's elements by name; changed(list): called after each change with the hints, { x, y, rgb } each, places
// from 0 to 1.
export function openHints(part, palette, changed) {
  let list = [], undo = [], dragged = null;

  function set(next, focus = null) {
    undo = [...undo, list].slice(-MOST_UNDO);
    list = next;
    show(list, focus);
    changed(list);
  }

  const place = (event) => pointed(event, part("after"));
  const moved = (i, to) => list.map((hint, j) => j === i ? { ...hint, ...to } : hint);

  function key(event, i) {
    const to = stepped(event, list[i]);
    if (to) set(moved(i, to), i);
    else if (event.key === "Delete" || event.key === "Backspace") set(list.filter((_, j) => j !== i), 0);
    else return;
    event.preventDefault();
  }

  function point(hint, i) {
    const button = Object.assign(document.createElement("button"), { type: "button", className: "point" });
    button.setAttribute("aria-label", text("hintAt", i + 1));
    put(button, hint);
    button.style.background = hexOf(hint.rgb);
    button.addEventListener("keydown", (event) => key(event, i));
    button.addEventListener("pointerdown", (event) => {
      event.stopPropagation();
      button.setPointerCapture(event.pointerId);
      dragged = { i, x: hint.x, y: hint.y };
    });
    button.addEventListener("pointermove", (event) => {
      if (!dragged) return;
      Object.assign(dragged, place(event));
      put(button, dragged);
    });
    button.addEventListener("pointerup", () => {
      const { x, y } = dragged ?? hint;
      if (dragged && (x !== hint.x || y !== hint.y)) set(moved(i, { x, y }), i);
      dragged = null;
    });
    return button;
  }

  function show(next, focus = null) {
    list = next;
    const at = [...part("hints").children].indexOf(document.activeElement);
    part("hints").replaceChildren(...list.map(point));
    part("hints").children[focus ?? at]?.focus();
    part("undo").disabled = undo.length === 0;
  }

  // --- Colors ---

  function setColor(hex) {
    part("color").value = hex;
    for (const swatch of part("palette").children) swatch.setAttribute("aria-pressed", swatch.value === hex);
  }

  function drop(on) {
    part("dropper").setAttribute("aria-pressed", on);
    part("stage").classList.toggle("dropping", on);
  }

  const dropping = () => part("dropper").getAttribute("aria-pressed") === "true";

  function press(event) {
    if (event.button !== 0) return;
    const { x, y } = place(event), canvas = part("after");
    if (!dropping()) {
      set([...list, { x, y, rgb: rgbOf(part("color").value) }]);
      return;
    }
    const at = [Math.floor(x * (canvas.width - 1)), Math.floor(y * (canvas.height - 1))];
    setColor(hexOf(canvas.getContext("2d").getImageData(...at, 1, 1).data.slice(0, 3)));
    drop(false);
  }

  part("palette").append(...palette.map((hex) => {
    const swatch = Object.assign(document.createElement("button"), { type: "button", value: hex, title: hex });
    swatch.style.background = hex;
    swatch.setAttribute("aria-label", hex);
    swatch.addEventListener("click", () => setColor(hex));
    return swatch;
  }));
  part("color").addEventListener("input", () => setColor(part("color").value));
  part("dropper").addEventListener("click", () => drop(!dropping()));
  part("stage").addEventListener("pointerdown", press);
  part("add").addEventListener("click", () =>
    set([...list, { x: 0.5, y: 0.5, rgb: rgbOf(part("color").value) }], list.length));
  const back = () => {
    if (undo.length === 0) return;
    show(undo.pop());
    changed(list);
  };
  part("undo").addEventListener("click", back);
  document.addEventListener("keydown", (event) => {
    if (event.key !== "z" || !(event.ctrlKey || event.metaKey) || part("work").hidden) return;
    event.preventDefault();
    back();
  });
  setColor(palette[2]);

  // forget: another picture is shown, whose hints have no past
  return { show, forget: () => { undo = []; } };
}
