// worker-denoise.js - pictures without their noise, some rows at a time; in between the worker listens to the page.
import { loadModel } from "./safetensors.js";
import { decode } from "./worker-pictures.js";

const ROWS = 128;
let denoiser = 0;
let latest = 0; // number of what is done for the stage

export const DENOISE_TASKS = {
  async denoiser({ library }, { bytes }) {
    denoiser = loadModel(library, bytes, "denoiser.safetensors");
    return {};
  },
};

const pause = () => new Promise((resolve) => setTimeout(resolve));

// The picture as it is, for the stage: in parts, none of which keeps the page busy for long.
function show({ say }, number, image) {
  for (let first = 0; first < image.height; first += ROWS) {
    const size = 4 * image.width, data = image.data.slice(first * size, (first + ROWS) * size);
    const rows = new ImageData(data, image.width);
    say("rows", { number, onto: "before", first, rows }, [data.buffer]);
  }
}

// The work on a picture: what the noise was taken for; round(first): does some rows, returns the number of the first that is
// not done; rows(first, count) of them.
function byPage({ library }, image, sigma, strength) {
  const work = library.denoising(denoiser, image, sigma, strength);
  return {
    sigma: library.c.page_denoising_sigma(work),
    round: () => library.ok(library.c.page_denoising_round(work)),
    rows: (first, count) => library.denoised(work, first, count, image.width),
    close: () => library.c.page_denoising_close(work),
  };
}

// The same by the program that the page comes from, which is several times as fast; null: it can't, as with formats that it
// doesn't read.
async function byProgram({ server }, blob, sigma, strength) {
  const answer = await fetch(`${server}/denoise?sigma=${sigma}&strength=${strength}`, { method: "POST", body: blob });
  if (!answer.ok) return null;
  const done = await decode(await answer.blob()), size = 4 * done.width;
  return {
    sigma: Number(answer.headers.get("Noise-Level")),
    round: (first) => Math.min(done.height, first + ROWS),
    rows: (first, count) => new ImageData(done.data.slice(first * size, (first + count) * size), done.width),
    close() {},
  };
}

export const DENOISE_LONG_TASKS = {
  // The whole picture: its rows for the stage as they are done, until another number is asked for; or a file of that type.
  async denoise(shared, { blob, name, sigma, strength, type, number }) {
    const { say, server } = shared, start = performance.now();
    if (!type) latest = number;
    const image = await decode(blob), { width, height } = image, canvas = type ? new OffscreenCanvas(width, height) : null;
    const work = (server && await byProgram(shared, blob, sigma, strength).catch(() => null))
      ?? byPage(shared, image, sigma, strength);
    try {
      if (!type) say("denoising", { number, sigma: work.sigma, width, height });
      if (!type) show(shared, number, image);
      for (let first = 0, end; first < height; first = end) {
        await pause();
        if (!type && latest !== number) throw new Error("stopped");
        end = work.round(first);
        if (end === first) continue; // a row of tiles takes more than a round
        const rows = work.rows(first, end - first);
        canvas?.getContext("2d").putImageData(rows, 0, first);
        if (!type) say("rows", { number, onto: "after", first, rows }, [rows.data.buffer]);
        say("denoised", { name, part: end / height });
      }
    } finally {
      work.close();
    }
    if (type) return { result: await canvas.convertToBlob({ type, quality: 0.92 }) };
    return { result: { seconds: (performance.now() - start) / 1000 } };
  },
};
