// rate.mjs - pictures a second that the page's library trains the standard network at, in Node, on one core: the plain build and the
// one with relaxed multiply-adds, taking turns; medians of seven. usage: node bench/page/rate.mjs [BUILD]
import { readFileSync } from "node:fs";
import v8 from "node:v8";
import { Library } from "../../page/library.js";

v8.setFlagsFromString("--experimental-wasm-relaxed-simd"); // no flag where it is the default
const build = (name) => readFileSync(`${process.argv[2] ?? "build"}/page/${name}.wasm`);
const text = readFileSync(new URL("../../models/standard.net", import.meta.url), "utf8");
const PICTURES = 5000, BATCH = 50;

function rate(library) {
  const net = library.net(text, 32, 32), data = library.generated(PICTURES, 32);
  const training = library.training(net, data, { epochs: 1, batch: BATCH });
  let steps = 0;
  const begun = performance.now();
  do steps++; while (library.ok(library.c.page_training_batch(training)) === 0);
  const seconds = (performance.now() - begun) / 1000;
  library.c.page_training_close(training);
  library.c.page_data_close(data);
  library.c.page_net_close(net);
  return steps * BATCH / seconds;
}

const median = (list) => list.sort((a, b) => a - b)[list.length >> 1];
const libraries = [await Library.open(build("plain"))];
const fused = await Library.open(build("plain"), build("fused"));
if (fused.fused) libraries.push(fused);
const rates = libraries.map(() => []);
for (let i = 0; i < 7; i++) libraries.forEach((library, k) => rates[k].push(rate(library)));
console.log(`plain ${median(rates[0]).toFixed(0)} pictures/s, relaxed ${fused.fused ? median(rates[1]).toFixed(0) : "-"}`);
