// safetensors.js - caelum's model files: 8 bytes with the header's size, a JSON header, the tensors' values without holes
// (huggingface/safetensors, README "Format"). What is written is what the program writes, byte for byte.

const FORMAT = "caelum model 1";
const BYTES = { F16: 2, F32: 4, F64: 8 };

// IEEE 754 binary16, exact.
export function fromHalf(half) {
  const sign = half & 0x8000 ? -1 : 1, exponent = (half >> 10) & 31, fraction = half & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

// Of a number that binary16 has.
function toHalf(value) {
  const view = new DataView(new ArrayBuffer(4));
  view.setFloat32(0, value);
  const bits = view.getUint32(0), sign = bits >>> 16 & 0x8000, exponent = (bits >>> 23 & 255) - 112;
  return sign | (exponent > 0 ? exponent << 10 | bits >>> 13 & 1023 : Math.abs(value) * 2 ** 24);
}

function header(bytes, fail) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = bytes.length >= 8 ? Number(view.getBigUint64(0, true)) : 0;
  if (length < 2 || length > bytes.length - 8) fail("not a safetensors file");
  try {
    return { entries: JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(8, 8 + length))),
      data: bytes.subarray(8 + length) };
  } catch {
    return fail("not a safetensors file: its header is damaged");
  }
}

function values(tensor, name, data, fail) {
  const { dtype, shape, data_offsets: [begin, end] = [] } = tensor ?? fail(`tensor '${name}' is missing`);
  const count = Array.isArray(shape) ? shape.reduce((a, b) => a * b, 1) : NaN;
  if (!(dtype in BYTES)) fail(`tensor '${name}' has the type ${dtype}; expected F16, F32 or F64`);
  if (!(begin >= 0 && end <= data.length && end - begin === count * BYTES[dtype]))
    fail(`tensor '${name}': its offsets don't fit its shape or the file (cut short?)`);
  const view = new DataView(data.buffer, data.byteOffset + begin, end - begin), out = new Float32Array(count);
  for (let i = 0; i < count; i++)
    out[i] = dtype === "F16" ? fromHalf(view.getUint16(2 * i, true))
      : dtype === "F32" ? view.getFloat32(4 * i, true) : view.getFloat64(8 * i, true);
  if (!out.every(Number.isFinite)) fail(`tensor '${name}' has a weight that is no finite number`);
  return { shape, values: out };
}

// { text, height, width, metadata, tensor(name) } of a file's bytes; errors start with `name`. prefix: before the keys and
// tensors of the network, where the file has several.
export function readModel(bytes, name, prefix = "") {
  const fail = (what) => { throw new Error(`${name}: ${what}`); };
  const { entries, data } = header(bytes, fail);
  const ends = Object.values(entries).map((entry) => entry?.data_offsets?.[1] ?? 0);
  if (Math.max(0, ...ends) < data.length) fail("more bytes than its tensors have");
  const { format, ...metadata } = entries.__metadata__ ?? {};
  const [network, height, width] = ["network", "height", "width"].map((key) => metadata[prefix + key]);
  for (const key of ["network", "height", "width"]) delete metadata[key];
  if (format !== FORMAT || !network || !/^[1-9]\d{0,4}$/.test(height) || !/^[1-9]\d{0,4}$/.test(width))
    fail(`not a model of this program: expected "format": "${FORMAT}" and "${prefix}network" in its metadata`);
  return { network, height: Number(height), width: Number(width), metadata,
    tensor: (tensor) => values(entries[prefix + tensor], prefix + tensor, data, fail) };
}

// Makes a model of it; the library's handle.
export function loadModel(library, bytes, name, prefix = "") {
  const file = readModel(bytes, name, prefix), net = library.net(file.network, file.height, file.width, name);
  let model = 0;
  try {
    model = library.createModel(net);
    for (const tensor of library.tensors(model)) {
      const { shape, values } = file.tensor(tensor.name);
      if (String(shape) !== String(tensor.shape))
        throw new Error(`${name}: tensor '${tensor.name}' has another shape than the network's`);
      library.setTensor(model, tensor.name, values);
    }
    for (const [key, value] of Object.entries(file.metadata)) library.setMetadata(model, key, String(value));
    return model;
  } catch (error) {
    library.c.page_model_close(model);
    throw error;
  } finally {
    library.c.page_net_close(net);
  }
}

// Keys and values that tell a model's network, and its tensors, both with `prefix` before their names.
function contents(library, model, prefix) {
  const net = library.c.page_model_net(model), { height, width } = library.describeNet(net);
  const network = library.text(library.c.caelum_net_text(net));
  const named = (list) => list.map(([name, value]) => [prefix + name, value]);
  return { keys: named([["network", network], ["height", String(height)], ["width", String(width)]]),
    tensors: named(library.tensors(model).map((tensor) => [tensor.name, tensor])) };
}

// The file's bytes. With another model, that of a finder of defects: its coarse network, and weights in half precision.
export function saveModel(library, model, coarse = 0) {
  const first = contents(library, model, ""), other = coarse && contents(library, coarse, "coarse.");
  const tensors = [...first.tensors, ...other.tensors ?? []], dtype = coarse ? "F16" : "F32";
  const entries = { __metadata__: { format: FORMAT, ...Object.fromEntries(first.keys), ...library.metadata(model),
    ...Object.fromEntries(other.keys ?? []) } };
  let offset = 0;
  for (const [name, { shape, values }] of tensors) {
    const end = offset + values.length * BYTES[dtype];
    entries[name] = { dtype, shape, data_offsets: [offset, end] };
    offset = end;
  }
  const text = new TextEncoder().encode(JSON.stringify(entries)), padded = Math.ceil(text.length / 8) * 8;
  const bytes = new Uint8Array(8 + padded + offset).fill(0x20, 8, 8 + padded);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(padded), true);
  bytes.set(text, 8);
  for (const [name, { values }] of tensors) {
    const stored = coarse ? Uint16Array.from(values, toHalf) : values;
    bytes.set(new Uint8Array(stored.buffer, stored.byteOffset, stored.byteLength), 8 + padded + entries[name].data_offsets[0]);
  }
  return bytes;
}

// Trains a finder of defects by a gallery of good pictures, which ends; its file.
export function trainFinder(library, gallery, { steps, falseAlarms }) {
  const finder = library.checked(library.c.page_anomaly_train(gallery, steps, falseAlarms));
  const [fine, coarse] = [0, 1].map((scale) => library.c.page_anomaly_model(finder, scale));
  const file = saveModel(library, fine, coarse);
  library.c.page_anomaly_close(finder);
  return file;
}
