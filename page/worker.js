// worker.js - the library at work, away from the page's own thread. A message { id, name, values } is answered by
// { id, result } or { id, error }; TASKS has the names.
import { COLORIZE_TASKS } from "./worker-colorize.js";
import { DEFECTS_TASKS } from "./worker-defects.js";
import { DENOISE_LONG_TASKS, DENOISE_TASKS } from "./worker-denoise.js";
import { Library } from "./library.js";
import { loadModel } from "./safetensors.js";
import { TRAIN_TASKS } from "./worker-train.js";

const shared = { library: null, colorizer: 0, server: null, say: (event, result, transfer = []) => self.postMessage({ event, result }, transfer) };

const DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~";

// Four bytes as five digits of base 85, as Python's base64.b85encode has them.
function decode85(text) {
  const value = new Uint8Array(128), words = new DataView(new ArrayBuffer(4 * Math.ceil(text.length / 5)));
  for (let i = 0; i < 85; i++) value[DIGITS.charCodeAt(i)] = i;
  for (let at = 0; at < text.length; at += 5) {
    let word = 0;
    for (let i = at; i < at + 5; i++) word = 85 * word + (i < text.length ? value[text.charCodeAt(i)] : 84);
    words.setUint32(at / 5 * 4, word);
  }
  return words.buffer.slice(0, Math.floor(text.length * 4 / 5));
}

// What bundle.py has packed; `halves`: even bytes, then odd ones.
async function unpack(packed, halves) {
  const stream = new Blob([decode85(packed)]).stream().pipeThrough(new DecompressionStream("gzip"));
  const plain = new Uint8Array(await new Response(stream).arrayBuffer()), odd = Math.ceil(plain.length / 2);
  return halves ? plain.map((_, i) => plain[i % 2 ? odd + (i >> 1) : i >> 1]) : plain;
}

const TASKS = {
  async unpack(_, { packed, halves }) {
    return { result: await unpack(packed, halves) };
  },
  async open(_, { plain, fused, colorizer, server }) {
    shared.server = server;
    shared.library = await Library.open(plain, fused);
    shared.colorizer = loadModel(shared.library, colorizer, "colorize.safetensors");
    return { result: shared.library.fused };
  },
  ...COLORIZE_TASKS,
  ...DEFECTS_TASKS,
  ...DENOISE_TASKS,
  ...TRAIN_TASKS,
};

async function answer(id, task, values) {
  try {
    const { result, transfer = [] } = await task(shared, values);
    self.postMessage({ id, result }, transfer);
  } catch (error) {
    self.postMessage({ id, error: error.message });
  }
}

// One after the other, in the order in which they came; long tasks beside them.
const LONG_TASKS = { ...DENOISE_LONG_TASKS };
let before = Promise.resolve();
self.onmessage = ({ data: { id, name, values } }) => {
  if (name in LONG_TASKS) answer(id, LONG_TASKS[name], values);
  else before = before.then(() => answer(id, TASKS[name], values));
};
