// worker.js - the library at work, away from the page's own thread. A message { id, name, values } is answered by
// { id, result } or { id, error }; TASKS has the names.
import { COLORIZE_TASKS } from "./worker-colorize.js";
import { DEFECTS_TASKS } from "./worker-defects.js";
import { Library } from "./library.js";
import { loadModel } from "./safetensors.js";
import { TRAIN_TASKS } from "./worker-train.js";

const shared = { library: null, colorizer: 0, say: (event, result) => self.postMessage({ event, result }) };

// What bundle.py has packed: gzip, in base64.
async function unpack(packed) {
  const bytes = atob(packed), compressed = new Uint8Array(bytes.length);
  for (let i = 0; i < bytes.length; i++) compressed[i] = bytes.charCodeAt(i);
  const stream = new Blob([compressed]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

const TASKS = {
  async unpack(_, { packed }) {
    return { result: await unpack(packed) };
  },
  async open(_, { plain, fused, colorizer }) {
    shared.library = await Library.open(plain, fused);
    shared.colorizer = loadModel(shared.library, colorizer, "colorize.safetensors");
    return { result: shared.library.fused };
  },
  ...COLORIZE_TASKS,
  ...DEFECTS_TASKS,
  ...TRAIN_TASKS,
};

// One after the other, in the order in which they came.
let before = Promise.resolve();
self.onmessage = ({ data: { id, name, values } }) => {
  before = before.then(async () => {
    try {
      const { result, transfer = [] } = await TASKS[name](shared, values);
      self.postMessage({ id, result }, transfer);
    } catch (error) {
      self.postMessage({ id, error: error.message });
    }
  });
};
