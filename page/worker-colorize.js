// worker-colorize.js - pictures in color. A picture is decoded each time it is wanted at full size; in between, the page
// works with a smaller copy.
import { decode } from "./worker-pictures.js";

const MOST_PREVIEW = 1200; // pixels a side

// Hints have places from 0 to 1.
function placed(hints, { width, height }) {
  return hints.map(({ x, y, rgb }) => ({
    x: Math.min(width - 1, Math.floor(x * width)), y: Math.min(height - 1, Math.floor(y * height)), rgb,
  }));
}

function color({ library, colorizer }, image, { vivid, restore, hints }) {
  library.colorize(colorizer, image, { vivid, restore, hints: placed(hints, image) });
}

const previews = new Map(); // blob -> ImageData; the latest few

async function preview(blob) {
  const image = previews.get(blob) ?? await decode(blob, MOST_PREVIEW);
  previews.delete(blob);
  previews.set(blob, image);
  if (previews.size > 4) previews.delete(previews.keys().next().value);
  return image;
}

export const COLORIZE_TASKS = {
  // The small picture in grey and in color.
  async preview(shared, { blob, look }) {
    const from = await preview(blob), before = new ImageData(from.data.slice(), from.width, from.height);
    const after = new ImageData(from.data.slice(), from.width, from.height), start = performance.now();
    color(shared, after, look);
    return { result: { before, after, seconds: (performance.now() - start) / 1000 },
      transfer: [before.data.buffer, after.data.buffer] };
  },

  // The whole picture in color, as a file.
  async colored(shared, { blob, look, type }) {
    const image = await decode(blob);
    color(shared, image, look);
    const canvas = new OffscreenCanvas(image.width, image.height);
    canvas.getContext("2d").putImageData(image, 0, 0);
    return { result: await canvas.convertToBlob({ type, quality: 0.92 }) };
  },
};
