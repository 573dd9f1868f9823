// library.js - caelum's library, compiled to WebAssembly (wasm/page.c), as a JavaScript class. Used by the worker, and by
// tests in Node. Handles are numbers; a failure is thrown as an Error with the library's own sentence.

// A pair of numbers whose product plus the third differs when it is rounded in between.
const PROBE = [1 + 2 ** -12, 1 + 2 ** -12, -(1 + 2 ** -11)];

// The system interface that is left in: a clock. All else answers "bad file descriptor" (8).
function systemInterface(memory) {
  const clock_time_get = (id, precision, at) => {
    new DataView(memory().buffer).setBigUint64(at, BigInt(Math.round(performance.now() * 1e6)), true);
    return 0;
  };
  return new Proxy({ clock_time_get }, { get: (known, name) => known[name] ?? (() => 8) });
}

export class Library {
  // Both builds' bytes; `fused` is taken where the browser can run it.
  static async open(plain, fused) {
    const relaxed = fused && WebAssembly.validate(fused);
    let instance = null, library = null;
    const wasi_snapshot_preview1 = systemInterface(() => instance.exports.memory);
    const progress = (stage, done, total) => library.progress?.(library.text(stage), done, total);
    ({ instance } = await WebAssembly.instantiate(relaxed ? fused : plain,
      { wasi_snapshot_preview1, page: { progress } }));
    instance.exports._initialize();
    library = new Library(instance.exports);
    return library;
  }

  constructor(exports) {
    this.c = exports;
    this.progress = null; // (stage, done, total) of what takes long
    // whether a * b + c is rounded once, as the program's kernels do it: then all bits are the program's
    this.fused = exports.page_multiply_add(...PROBE) !== 0;
  }

  // --- Memory ---

  bytes(at, size) { return new Uint8Array(this.c.memory.buffer, at, size); }
  floats(at, count) { return new Float32Array(this.c.memory.buffer, at, count); }
  view(at, size) { return new DataView(this.c.memory.buffer, at, size); }

  text(at) {
    if (at === 0) return null;
    const all = new Uint8Array(this.c.memory.buffer);
    return new TextDecoder().decode(all.subarray(at, all.indexOf(0, at)));
  }

  // Calls f with the addresses of texts and arrays (null: 0), which are there until it returns.
  with(values, f) {
    const places = [];
    try {
      for (const value of values) {
        const bytes = value === null ? null : typeof value === "string" ? new TextEncoder().encode(value + "\0")
          : new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
        const at = bytes?.length ? this.checked(this.c.page_alloc(bytes.length)) : 0;
        places.push(at);
        if (at) this.bytes(at, bytes.length).set(bytes);
      }
      return f(...places);
    } finally {
      places.forEach((at) => this.c.page_free(at));
    }
  }

  checked(result) {
    if (result > 0) return result;
    throw new Error(this.text(this.c.page_error() + 4));
  }
  ok(result) {
    return result >= 0 ? result : this.checked(0);
  }

  // --- Networks ---

  net(text, height, width, name = "network") {
    return this.checked(this.with([text, name], (a, b) => this.c.page_net(a, b, height, width)));
  }

  // { channels, height, width, parameters, bottleneck, bottleneckLayer, layers: [{ text, channels, ... }] }
  describeNet(net) {
    const info = this.view(this.c.page_net_info(net), 224);
    const size = (i) => info.getUint32(4 * i, true);
    const layers = Array.from({ length: size(3) }, (_, i) => this.describeLayer(net, i));
    return {
      channels: size(0), height: size(1), width: size(2), parameters: size(4),
      bottleneck: info.getUint32(196, true), bottleneckLayer: info.getUint32(200, true), layers,
    };
  }

  describeLayer(net, i) {
    const at = this.c.page_layer(net, i), info = this.view(at, 136);
    const size = (j) => info.getUint32(96 + 4 * j, true);
    return {
      text: this.text(at), channels: size(0), height: size(1), width: size(2), parameters: size(3),
      latent: info.getUint8(128) !== 0,
    };
  }

  // --- Models ---

  createModel(net, seed = 1) {
    return this.checked(this.c.page_model(net, seed));
  }

  tensors(model) {
    const list = [];
    for (let at, i = 0; (at = this.c.page_tensor(model, i)) !== 0; i++) {
      const view = this.view(at, 120), dims = view.getUint32(96, true);
      const shape = Array.from({ length: dims }, (_, d) => view.getUint32(100 + 4 * d, true));
      const count = shape.reduce((a, b) => a * b, 1);
      list.push({ name: this.text(at), shape, values: this.floats(view.getUint32(116, true), count) });
    }
    return list;
  }

  setTensor(model, name, values) {
    const error = this.c.page_error();
    this.ok(this.with([name, values], (a, b) => this.c.caelum_model_set_tensor(model, a, b, values.length, error)));
  }

  metadata(model) {
    const found = {};
    for (let at, i = 0; (at = this.c.caelum_model_metadata_key(model, i)) !== 0; i++)
      found[this.text(at)] = this.text(this.c.caelum_model_metadata(model, at));
    return found;
  }

  setMetadata(model, key, value) {
    const error = this.c.page_error();
    this.ok(this.with([key, value], (a, b) => this.c.caelum_model_set_metadata(model, a, b, error)));
  }

  // Pictures [count][channels][height][width] up to a layer; `values`: how many numbers that gives.
  run(model, layer, input, count, values) {
    return this.with([input, new Float32Array(values)], (from, to) => {
      this.ok(this.c.caelum_model_run(model, layer, from, count, to, this.c.page_error()));
      return this.floats(to, values).slice();
    });
  }

  // The network's output for the numbers that layer `layer` - 1 would have made; `values`: how many numbers that gives.
  decode(model, layer, numbers, values) {
    return this.with([numbers, new Float32Array(values)], (from, to) => {
      this.ok(this.c.page_decode(model, layer, from, to));
      return this.floats(to, values).slice();
    });
  }

  // --- Pictures ---

  // Colors the pixels of an ImageData; hints: [{ x, y, rgb: [r, g, b] }].
  colorize(model, image, { vivid = 0.5, restore = false, hints = [] } = {}) {
    const places = new ArrayBuffer(12 * hints.length), view = new DataView(places);
    hints.forEach((hint, i) => {
      view.setUint32(12 * i, hint.x, true);
      view.setUint32(12 * i + 4, hint.y, true);
      hint.rgb.forEach((value, channel) => view.setUint8(12 * i + 8 + channel, value));
    });
    this.with([image.data, new Uint8Array(places)], (pixels, at) => {
      this.ok(this.c.page_colorize(model, pixels, image.width, image.height, vivid, restore, at, hints.length));
      image.data.set(this.bytes(pixels, image.data.length));
    });
  }

  // Taking noise out of an ImageData, to be done some rows at a time.
  denoising(model, image, sigma, strength) {
    const pixels = this.checked(this.c.page_alloc(image.data.length));
    this.bytes(pixels, image.data.length).set(image.data);
    return this.checked(this.c.page_denoising(model, pixels, image.width, image.height, sigma, strength));
  }

  // Rows that are done, as an ImageData.
  denoised(work, first, count, width) {
    return this.with([new Uint8Array(4 * count * width)], (at) => {
      this.c.page_denoising_rows(work, first, count, at);
      return new ImageData(new Uint8ClampedArray(this.bytes(at, 4 * count * width)), width, count);
    });
  }

  // --- Defects ---

  anomaly(fine, coarse, name) {
    const handle = this.checked(this.with([name], (at) => this.c.page_anomaly(fine, coarse, at)));
    const info = this.view(this.c.page_anomaly_info(handle), 48);
    return {
      handle, good: info.getUint32(0, true), falseAlarms: info.getFloat64(8, true),
      threshold: info.getFloat64(24, true),
    };
  }

  // The pixels of an ImageData become its heat map.
  findDefects(anomaly, image) {
    return this.with([image.data], (pixels) => {
      const at = this.checked(this.c.page_anomaly_score(anomaly, pixels, image.width, image.height));
      const verdict = this.view(at, 32);
      image.data.set(this.bytes(pixels, image.data.length));
      return { score: verdict.getFloat64(0, true), p: verdict.getFloat64(8, true), bad: verdict.getUint8(16) !== 0 };
    });
  }

  // Adds the pixels of an ImageData to the good pictures that a finder is to be trained by.
  addGood(gallery, image) {
    this.ok(this.with([image.data], (pixels) => this.c.page_gallery_add(gallery, pixels, image.width, image.height)));
  }

  // --- Training ---

  generated(count, size) {
    return this.checked(this.with([`synthetic:${count}:${size}`], (at) => this.c.page_data_synthetic(at)));
  }

  // The KLT of blocks of the data's first pictures: { mean: [n], basis: [n][n] }, n = 3 side^2, both as doubles.
  klt(data, side, most) {
    const at = this.checked(this.c.page_klt(data, side, most)), n = 3 * side * side;
    const all = new Float64Array(this.c.memory.buffer, at, n * (n + 1)).slice();
    this.c.page_free(at);
    return { mean: all.subarray(0, n), basis: all.subarray(n) };
  }

  // settings: { batch: "50", ... } by the names of `caelum train`
  training(net, data, settings) {
    this.c.page_settings_reset();
    for (const [name, value] of Object.entries(settings))
      this.ok(this.with([name, String(value)], (a, b) => this.c.page_setting(a, b)));
    return this.checked(this.c.page_training(net, data));
  }

  trainingState(training) {
    const state = this.view(this.c.page_training_state(training), 40);
    const [epochs, done, batches, loss, seconds] = [0, 8, 16, 24, 32].map((at) => state.getFloat64(at, true));
    return { epochs, done, batches, loss, seconds };
  }

  trainingEpoch(training, i) {
    const epoch = this.view(this.c.page_training_epoch(training, i), 88);
    const number = (j) => epoch.getFloat64(8 * j, true);
    return {
      epoch: i + 1, loss: number(1), psnr: number(2), valLoss: number(4), valPsnr: number(5), rate: number(8),
    };
  }
}
