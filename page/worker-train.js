// worker-train.js - a training that goes on between the page's messages, a few batches at a time.
import { Data, SIDE } from "./worker-data.js";
import { throughBlocks } from "./linear.js";
import { loadModel, readModel, saveModel } from "./safetensors.js";

const SLICE = 50; // milliseconds between two looks at the messages
const SHOWN = 10; // pictures
const BLOCK = 8, MOST_KLT = 2000; // pixels a side of the linear code's blocks; pictures that it is fitted to
const VALIDATION = 1;
const TASKS_BY_NUMBER = ["reconstruct", "colorize"];

const now = { data: null, net: 0, training: 0, running: false, looping: false, samples: [], task: "",
  klt: null }; // of the data, when it was wanted first

// The network of a text, checked: its handle and what the page shows of it.
function read(library, text, name) {
  const net = library.net(text, SIDE, SIDE, name);
  return { net, info: library.describeNet(net) };
}

function close({ c }) {
  now.running = false;
  c.page_training_close(now.training);
  c.page_net_close(now.net);
  now.training = now.net = 0;
}

// [3][SIDE][SIDE] or luminance, in [0, 1], of an ImageData.
function planes({ data }, channels) {
  const size = SIDE * SIDE, out = new Float32Array(channels * size);
  for (let i = 0; i < size; i++)
    for (let channel = 0; channel < channels; channel++) out[channel * size + i] = data[4 * i + channel] / 255;
  return out;
}

function toImage(values, channels) {
  const image = new ImageData(SIDE, SIDE), size = SIDE * SIDE;
  for (let i = 0; i < size; i++) {
    for (let channel = 0; channel < 3; channel++)
      image.data[4 * i + channel] = Math.round(255 * values[Math.min(channel, channels - 1) * size + i]);
    image.data[4 * i + 3] = 255;
  }
  return image;
}

// The samples by a linear code of as many numbers as the network's; null: blocks can't share so few.
function linear(library, { bottleneck }) {
  const kept = Math.floor(bottleneck / (SIDE / BLOCK) ** 2);
  if (now.task !== "reconstruct" || kept < 1) return null;
  now.klt ??= library.klt(now.data.handle, BLOCK, MOST_KLT);
  return now.samples.map((sample) => toImage(throughBlocks(now.klt, BLOCK, kept, planes(sample, 3), SIDE), 3));
}

// What the model makes of a sample.
function output(library, model, sample, { channels, layers }) {
  if (now.task === "colorize") {
    const image = new ImageData(sample.data.slice(), SIDE, SIDE);
    library.colorize(model, image, { vivid: 0 });
    return image;
  }
  const values = library.run(model, layers.length, planes(sample, channels), 1, channels * SIDE * SIDE);
  return toImage(values, channels);
}

const latentOf = ({ layers }) => now.task === "reconstruct" ? layers.findIndex(({ latent }) => latent) : -1;

// The numbers at the network's `latent` mark: [channels][height][width] of that layer.
function numbers(library, model, sample, info) {
  const at = latentOf(info), { channels, height, width } = info.layers[at];
  return library.run(model, at + 1, planes(sample, info.channels), 1, channels * height * width);
}

// The code of a sample as a picture: its channels side by side, grey, from the smallest number to the largest. null: there
// is no mark.
function code(library, model, sample, info) {
  if (latentOf(info) < 0) return null;
  const { channels: count, height, width } = info.layers[latentOf(info)], across = Math.ceil(Math.sqrt(count));
  const values = numbers(library, model, sample, info);
  const least = values.reduce((a, b) => Math.min(a, b)), most = values.reduce((a, b) => Math.max(a, b));
  const image = new ImageData(across * width, Math.ceil(count / across) * height);
  values.forEach((value, i) => {
    const channel = Math.floor(i / (height * width)), place = i % (height * width);
    const x = channel % across * width + place % width;
    const y = Math.floor(channel / across) * height + Math.floor(place / width);
    const grey = most > least ? Math.round(255 * (value - least) / (most - least)) : 0;
    image.data.set([grey, grey, grey, 255], 4 * (y * image.width + x));
  });
  return image;
}

// The standard deviation of each channel's numbers over the samples.
function spreads(codes, count) {
  const plane = codes[0].length / count;
  return Array.from({ length: count }, (_, channel) => {
    const all = codes.flatMap((values) => [...values.subarray(channel * plane, (channel + 1) * plane)]);
    const mean = all.reduce((a, b) => a + b, 0) / all.length;
    return Math.sqrt(all.reduce((sum, value) => sum + (value - mean) ** 2, 0) / all.length);
  });
}

function outputs(library) {
  const model = library.c.page_training_model(now.training), info = library.describeNet(now.net);
  return now.samples.map((sample) => ({ picture: output(library, model, sample, info),
    code: code(library, model, sample, info) }));
}

// One batch; tells the page where an epoch, or all, is over.
function batch({ library, say }) {
  const result = library.ok(library.c.page_training_batch(now.training));
  if (result === 0) return true;
  const { epochs } = library.trainingState(now.training);
  say("epoch", { ...library.trainingEpoch(now.training, epochs - 1), ended: result === 2, pictures: outputs(library) });
  return result === 1;
}

function tell({ library, say }) {
  say("progress", library.trainingState(now.training));
}

function go(shared) {
  now.looping = now.running;
  if (!now.running) return;
  const end = performance.now() + SLICE;
  try {
    while (now.running && performance.now() < end) now.running = batch(shared);
    tell(shared);
  } catch (error) {
    now.running = false;
    shared.say("stopped", error.message);
  }
  setTimeout(() => go(shared));
}

function startFrom(library, training, model) {
  try {
    library.ok(library.c.page_training_start(training, model));
  } catch (error) {
    library.c.page_training_close(training);
    throw error;
  }
}

export const TRAIN_TASKS = {
  async network({ library }, { text, name }) {
    const { net, info } = read(library, text, name);
    library.c.page_net_close(net);
    return { result: info };
  },

  // The text of the network in a model's file.
  async modelText(_, { model, name }) {
    return { result: readModel(model, name).network };
  },

  // from: how many to generate, or files.
  async data({ library }, { from }) {
    const data = now.data ?? new Data(library);
    const skipped = typeof from === "number" ? (data.generate(from), []) : await data.read(from);
    close(library);
    Object.assign(now, { data, klt: null });
    now.samples = Array.from({ length: Math.min(SHOWN, data.count(VALIDATION)) }, (_, i) => data.picture(VALIDATION, i));
    return { result: { counts: [0, 1, 2].map((split) => data.count(split)), samples: now.samples, skipped } };
  },

  // model: a file's bytes, which the training starts from; null: it starts anew.
  async begin({ library }, { text, name, settings, model }) {
    const { net } = read(library, text, name);
    let start = 0;
    try {
      if (model) start = loadModel(library, model, name);
      now.task = TASKS_BY_NUMBER[library.c.caelum_net_task(net)];
      if (!now.task) throw new Error("noClassifiers");
      const training = library.training(net, now.data.handle, { ...settings, task: now.task });
      if (start) startFrom(library, training, start);
      close(library);
      Object.assign(now, { net, training });
    } catch (error) {
      library.c.page_net_close(net);
      throw error;
    } finally {
      library.c.page_model_close(start);
    }
    const info = library.describeNet(now.net);
    return { result: { pictures: outputs(library), linear: linear(library, info),
      code: info.layers[latentOf(info)]?.channels ?? 0 } };
  },

  async run(shared, { on }) {
    now.running = on;
    if (on && !now.looping) go(shared);
    return {};
  },

  async step(shared) {
    now.running = false;
    batch(shared);
    tell(shared);
    return {};
  },

  // What the network makes of a sample's code whose channels are moved, in standard deviations.
  async decode({ library }, { sample, moves }) {
    const model = library.c.page_training_model(now.training), info = library.describeNet(now.net);
    const codes = now.samples.map((each) => numbers(library, model, each, info)), values = codes[sample];
    const spread = spreads(codes, moves.length), plane = values.length / moves.length;
    const moved = values.map((value, i) => value + moves[Math.floor(i / plane)] * spread[Math.floor(i / plane)]);
    const out = library.decode(model, latentOf(info) + 1, moved, info.channels * SIDE * SIDE);
    return { result: toImage(out, info.channels) };
  },

  async model({ library }) {
    return { result: saveModel(library, library.c.page_training_model(now.training)) };
  },

  async close({ library }) {
    close(library);
    return {};
  },
};
