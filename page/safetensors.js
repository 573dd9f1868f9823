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

// The file's bytes; net: { text, height, width }.
export function saveModel(library, model, net) {
  const metadata = { format: FORMAT, network: net.text, height: String(net.height), width: String(net.width),
    ...library.metadata(model) };
  const entries = { __metadata__: metadata }, tensors = library.tensors(model);
  let offset = 0;
  for (const { name, shape, values } of tensors) {
    entries[name] = { dtype: "F32", shape, data_offsets: [offset, offset + values.byteLength] };
    offset += values.byteLength;
  }
  const text = new TextEncoder().encode(JSON.stringify(entries)), padded = Math.ceil(text.length / 8) * 8;
  const bytes = new Uint8Array(8 + padded + offset).fill(0x20, 8, 8 + padded);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(padded), true);
  bytes.set(text, 8);
  tensors.forEach(({ name, values }) => {
    bytes.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength),
      8 + padded + entries[name].data_offsets[0]);
  });
  return bytes;
}
