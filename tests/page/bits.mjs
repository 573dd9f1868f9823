// bits.mjs - what the page computes is what the program computes, bit for bit: weights after 20 steps of training, and
// model files written again. The plain build's bits are those of the program's generic kernels.
import assert from "node:assert";
import { mkdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import v8 from "node:v8";
import { Library } from "../../page/library.js";
import { throughBlocks } from "../../page/linear.js";
import { loadModel, readModel, saveModel, trainFinder } from "../../page/safetensors.js";
import { TEXTS } from "../../page/text.js";
import { BUILD_DIR, SOURCE_DIR, caelum, scratch, trained, weights, writePng } from "./native.mjs";

v8.setFlagsFromString("--experimental-wasm-relaxed-simd"); // no flag where it is the default
const build = (name) => readFileSync(join(BUILD_DIR, "page", `${name}.wasm`));
const textOf = (net) => readFileSync(join(SOURCE_DIR, "models", `${net}.net`), "utf8");

// The same model, trained by the page's library.
function trainedHere(library, name, options) {
  const net = library.net(textOf(name), 32, 32), data = library.generated(250, 32);
  const training = library.training(net, data, { ...options, epochs: 1, batch: 10 });
  let steps = 1;
  while (library.ok(library.c.page_training_batch(training)) === 0) steps++;
  assert.equal(steps, 20);
  const model = library.c.page_training_model(training);
  const file = Buffer.from(saveModel(library, model));
  library.c.page_training_close(training);
  library.c.page_data_close(data);
  library.c.page_net_close(net);
  return file;
}

const cases = [["standard", {}], ["custom", { optimizer: "muon", loss: "l1", flip: "yes" }],
  ["colorize-standard", { task: "colorize" }]];
const plain = await Library.open(build("plain")), fused = await Library.open(build("plain"), build("fused"));
assert.equal(plain.fused, false);
let file;
for (const [library, cpu] of [[plain, "generic"], ...fused.fused ? [[fused, ""]] : []])
  for (const [name, options] of cases) {
    file = trained(name, options, cpu);
    const model = loadModel(library, file, "last.safetensors");
    assert.ok(weights(trainedHere(library, name, options)).equals(weights(file)), `${name} on ${cpu || "any"} kernels`);
    const again = saveModel(library, model);
    assert.ok(Buffer.from(again).equals(file), `${name}: its file, written again`);
  }

// A finder of defects: the program's file, but for what its metadata tell of files and commands.
mkdirSync(join(scratch, "good"));
const goods = Array.from({ length: 7 }, (_, i) => (x, y) => [(x * 7 + y * 13 + i * 29) % 170, 60 + x, (x >> 3 & 1) * 90 + y]);
goods.forEach((rgb, i) => writePng(`good/${i}.png`, 110 + i, 97, rgb));
{
  const [library, cpu] = fused.fused ? [fused, ""] : [plain, "generic"];
  const path = join(scratch, `part-${cpu}.safetensors`), stages = new Set();
  caelum(["anomaly", "train", join(scratch, "good"), "-o", path, "--steps", "2", "--false-alarms", "0.3"], cpu);
  const gallery = library.checked(library.c.page_gallery(goods.length));
  goods.forEach((rgb, i) => {
    const width = 110 + i, data = new Uint8Array(4 * width * 97);
    for (let at = 0; at < data.length / 4; at++) data.set(rgb(at % width, Math.floor(at / width)), 4 * at);
    library.addGood(gallery, { data, width, height: 97 });
  });
  library.progress = (stage, done, total) => stages.add(stage) && assert.ok(done <= total);
  const ours = trainFinder(library, gallery, { steps: 2, falseAlarms: 0.3 }), theirs = readFileSync(path);
  assert.deepEqual([...stages], ["training", "measuring"]);
  assert.ok(weights(Buffer.from(ours)).equals(weights(theirs)), `finder on ${cpu || "any"} kernels`);
  const [a, b] = [ours, theirs].map((bytes) => readModel(bytes, "part").metadata);
  for (const key of Object.keys(a)) assert.equal(a[key], b[key], key);
  assert.ok(Object.keys(a).filter((key) => key.startsWith("anomaly_")).length === 9);
}
if (!fused.fused) console.log("no fused multiply-adds here: only the plain build was compared");

// The linear code of blocks, by its definition; all of its numbers give the picture back.
const data = plain.generated(250, 32), klt = plain.klt(data, 8, 2000), size = 32 * 32;
function byDefinition(picture, kept) {
  const out = new Float64Array(3 * size);
  for (let block = 0; block < 16; block++) {
    const places = [];
    for (let c = 0; c < 3; c++)
      for (let y = 0; y < 8; y++)
        for (let x = 0; x < 8; x++) places.push(c * size + ((block >> 2) * 8 + y) * 32 + block % 4 * 8 + x);
    places.forEach((place, i) => { out[place] = klt.mean[i]; });
    for (let k = 0; k < kept; k++) {
      const number = places.reduce((sum, place, i) => sum + klt.basis[192 * k + i] * (picture[place] - klt.mean[i]), 0);
      places.forEach((place, i) => { out[place] += number * klt.basis[192 * k + i]; });
    }
  }
  return out;
}
for (let i = 0; i < 10; i++) {
  const bytes = plain.with([new Uint8Array(4 * size)], (at) => {
    plain.ok(plain.c.page_data_picture(data, 0, i, at));
    return plain.bytes(at, 4 * size).slice();
  });
  const picture = Float32Array.from({ length: 3 * size }, (_, j) => bytes[4 * (j % size) + Math.floor(j / size)] / 255);
  const error = (a, b) => a.reduce((sum, value, j) => sum + (value - b[j]) ** 2, 0) / a.length;
  const part = throughBlocks(klt, 8, 48, picture, 32);
  assert.ok(error(part, byDefinition(picture, 48)) < 1e-12);
  assert.ok(error(part, picture) < 0.1 * error(throughBlocks(klt, 8, 0, picture, 32), picture));
  assert.ok(error(throughBlocks(klt, 8, 192, picture, 32), picture) < 1e-12);
}

// Damaged files are errors with a sentence.
for (const [damaged, sentence] of [[file.subarray(0, 100), /not a safetensors file/], [file.subarray(0, -4), /cut short/],
  [Buffer.from("PNG"), /not a safetensors file/], [Buffer.concat([file, Buffer.from([0])]), /more bytes/]])
  assert.throws(() => loadModel(plain, damaged, "bad.safetensors"), sentence);

// The program writes it; it is small, and everything is said in every language.
const page = join(BUILD_DIR, "caelum.html"), copy = join(scratch, "copy.html");
caelum(["page", "-o", copy]);
assert.ok(readFileSync(copy).equals(readFileSync(page)));
assert.ok(statSync(page).size <= 4e6);
for (const name of ["plain", "fused"]) assert.ok(build(name).length <= 500000, `${name}.wasm is too large`);
const keys = Object.keys(TEXTS.en).sort();
for (const table of Object.values(TEXTS)) assert.deepEqual(Object.keys(table).sort(), keys);
for (const [, key] of readFileSync(join(SOURCE_DIR, "page/index.html"), "utf8").matchAll(/data-(?:text|label)="(\w+)"/g))
  assert.ok(keys.includes(key), `no text for ${key}`);
