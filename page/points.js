// points.js - places on a picture, from 0 to 1 each way, by pointer and by keyboard.
export const inside = (value) => Math.min(1, Math.max(0, value));

// Where the pointer is on an element.
export function pointed({ clientX, clientY }, element) {
  const box = element.getBoundingClientRect();
  return { x: inside((clientX - box.left) / box.width), y: inside((clientY - box.top) / box.height) };
}

// A place moved by an arrow key, by more with Shift; null: another key.
export function stepped({ key, shiftKey }, { x, y }) {
  const step = shiftKey ? 0.05 : 0.01;
  const move = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] }[key];
  return move ? { x: inside(x + move[0]), y: inside(y + move[1]) } : null;
}

export function put(element, { x, y }) {
  element.style.left = `${100 * x}%`;
  element.style.top = `${100 * y}%`;
}
