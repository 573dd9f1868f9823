// onnxruntime over the cases of tests/reference/onnx_run.py, which says what they are.
// usage: node onnx_run.js NODE_MODULES LIST
const fs = require("fs"), path = require("path");
const ort = require(path.join(path.resolve(process.argv[2]), "onnxruntime-node"));
const BOUND = 1e-5;

const floats = (file) => {
  const bytes = fs.readFileSync(file);
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
};

async function main() {
  for (const line of fs.readFileSync(process.argv[3], "utf8").trim().split("\n")) {
    const [directory, ...shape] = line.split(" ");
    const dims = shape.map(Number);
    const session = await ort.InferenceSession.create(path.join(directory, "net.onnx"), { logSeverityLevel: 3 });
    const feeds = { input: new ort.Tensor("float32", floats(path.join(directory, "in")), dims) };
    const want = (await session.run(feeds)).output.data;
    const got = floats(path.join(directory, "got"));
    if (got.length !== want.length) throw new Error(`${directory}: ${want.length} values, caelum has ${got.length}`);
    let error = 0, scale = 1;
    for (let i = 0; i < want.length; i++) {
      scale = Math.max(scale, Math.abs(want[i]));
      error = Math.max(error, Math.abs(want[i] - got[i]));
    }
    console.log(error / scale <= BOUND ? "PASS" : "FAIL", directory, (error / scale).toPrecision(3));
  }
}

main().catch((e) => { console.error(e.message); process.exit(1); });
