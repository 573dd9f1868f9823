// bits.mjs - what the page computes is what the program computes, bit for bit: weights after 20 steps of training, and
// model files written again. The plain build's bits are those of the program's generic kernels.
import assert from "node:assert";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import v8 from "node:v8";
import { Library } from "../../page/library.js";
import { loadModel, saveModel } from "../../page/safetensors.js";

v8.setFlagsFromString("--experimental-wasm-relaxed-simd"); // no flag where it is the default
const { BUILD_DIR, SOURCE_DIR, CAELUM } = process.env;
const build = (name) => readFileSync(join(BUILD_DIR, "page", `${name}.wasm`));
const scratch = mkdtempSync(join(tmpdir(), "caelum-page-"));
process.on("exit", () => rmSync(scratch, { recursive: true }));

// The weights that 200 training pictures, 20 steps, leave, by the program.
function native(net, options, cpu) {
  const words = Object.entries(options).flatMap(([name, value]) => [`--${name}`, ...value === "yes" ? [] : [value]]);
  const out = join(scratch, `${net}-${cpu}`);
  execFileSync(CAELUM, ["train", join(SOURCE_DIR, "models", `${net}.net`), "--data", "synthetic:250",
    "--epochs", "1", "--batch", "10", "--threads", "1", "--out", out, ...words],
  { env: { ...process.env, ...cpu && { CAELUM_CPU: cpu } }, stdio: "pipe" });
  return readFileSync(join(out, "last.safetensors"));
}

function weights(library, model) {
  return Buffer.concat(library.tensors(model).map(({ values }) =>
    Buffer.from(values.buffer, values.byteOffset, values.byteLength)));
}

function trained(library, netName, options) {
  const net = library.net(readFileSync(join(SOURCE_DIR, "models", `${netName}.net`), "utf8"), 32, 32);
  const data = library.generated(250, 32), training = library.training(net, data, { ...options, epochs: 1, batch: 10 });
  let steps = 1;
  while (library.ok(library.c.page_training_batch(training)) === 0) steps++;
  assert.equal(steps, 20);
  const result = weights(library, library.c.page_training_model(training));
  library.c.page_training_close(training);
  library.c.page_data_close(data);
  library.c.page_net_close(net);
  return result;
}

const cases = [["standard", {}], ["custom", { optimizer: "muon", loss: "l1", flip: "yes" }],
  ["colorize-standard", { task: "colorize" }]];
const plain = await Library.open(build("plain"));
assert.equal(plain.fused, false);
const fused = await Library.open(build("plain"), build("fused"));
for (const [library, cpu] of [[plain, "generic"], ...fused.fused ? [[fused, ""]] : []]) {
  for (const [net, options] of cases) {
    const file = native(net, options, cpu);
    const model = loadModel(library, file, "last.safetensors");
    const theirs = weights(library, model);
    assert.ok(trained(library, net, options).equals(theirs), `${net} with ${cpu || "the best"} kernels`);
    const text = readFileSync(join(SOURCE_DIR, "models", `${net}.net`), "utf8");
    assert.ok(Buffer.from(saveModel(library, model, { text, height: 32, width: 32 })).equals(file), `${net}: its file`);
  }
}
if (!fused.fused) console.log("no fused multiply-adds here: only the plain build was compared");
