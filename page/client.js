// client.js - the worker as an object whose calls return promises.

class Client {
  constructor(worker, say) {
    this.worker = worker;
    this.say = say; // shows a sentence in the page's status line
    this.waiting = new Map();
    this.listeners = new Map(); // of what the worker says without being asked
    this.last = 0;
    worker.onmessage = ({ data: { id, result, error, event } }) => {
      if (event) return this.listeners.get(event)?.(result);
      const { resolve, reject } = this.waiting.get(id);
      this.waiting.delete(id);
      return error ? reject(new Error(error)) : resolve(result);
    };
    worker.onerror = (event) => {
      for (const { reject } of this.waiting.values()) reject(new Error(event.message ?? "the worker stopped"));
      this.waiting.clear();
    };
  }

  call(name, values = {}, transfer = []) {
    return new Promise((resolve, reject) => {
      this.waiting.set(++this.last, { resolve, reject });
      this.worker.postMessage({ id: this.last, name, values }, transfer);
    });
  }

  on(event, listener) {
    this.listeners.set(event, listener);
  }

  // Ends the worker, whatever it does.
  close() {
    this.worker.terminate();
  }

  // A file that is built into the page, unpacked.
  asset(name) {
    const { textContent, dataset } = document.getElementById(name);
    return this.call("unpack", { packed: textContent, halves: "halves" in dataset });
  }
}

// Whether the page comes from `caelum serve`, whose policy lets the page ask it.
export const served = () => document.querySelector("meta[http-equiv]").content.includes("connect-src");

export async function openWorker(say) {
  const source = document.getElementById("worker.js").textContent;
  const address = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
  const client = new Client(new Worker(address), say);
  const [plain, fused, colorizer] = await Promise.all(["plain.wasm", "fused.wasm", "colorize.safetensors"]
    .map((name) => client.asset(name)));
  client.fused = await client.call("open", { plain, fused, colorizer, server: served() ? location.origin : null });
  URL.revokeObjectURL(address);
  return client;
}
