// files.js - pictures and other files into the page - opened, dropped, pasted - and out of it.
import { text } from "./text.js";

// While the section is shown, files that are opened by a file input and its buttons ([input, button, ...] each), dropped
// anywhere, or pasted are given to `take`.
export function openFiles(section, inputs, take) {
  for (const [input, ...buttons] of inputs) {
    for (const button of buttons) button.addEventListener("click", () => input.click());
    input.addEventListener("change", () => {
      take([...input.files]);
      input.value = "";
    });
  }
  for (const event of ["dragover", "dragleave", "drop"])
    document.addEventListener(event, (drag) => {
      if (section.hidden || !drag.dataTransfer.types.includes("Files")) return;
      drag.preventDefault();
      section.classList.toggle("over", event === "dragover");
      if (event === "drop") take([...drag.dataTransfer.files]);
    });
  document.addEventListener("paste", ({ clipboardData }) => {
    const files = [...clipboardData?.files ?? []];
    if (!section.hidden && files.length)
      take(files.map((file) => new File([file], text("pasted"), { type: file.type })));
  });
}

export function saveBlob(blob, name) {
  const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
}

export function stem(name) {
  return name.replace(/\.[^.]*$/, "");
}

// --- An archive of several files (PKWARE's APPNOTE.TXT 4.3), stored as they are ---

const CRC = Uint32Array.from({ length: 256 }, (_, i) => {
  for (let bit = 0; bit < 8; bit++) i = i & 1 ? (i >>> 1) ^ 0xedb88320 : i >>> 1;
  return i;
});

export function crc32(bytes) {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = CRC[(crc ^ byte) & 255] ^ (crc >>> 8);
  return ~crc >>> 0;
}

// The fields, [bytes, value] each, little endian.
function record(fields, ...behind) {
  const view = new DataView(new ArrayBuffer(fields.reduce((sum, [size]) => sum + size, 0)));
  let at = 0;
  for (const [size, value] of fields) {
    if (size === 2) view.setUint16(at, value, true);
    else view.setUint32(at, value, true);
    at += size;
  }
  return [view.buffer, ...behind];
}

// files: [{ name, blob }], less than 4 GB of them.
export async function zip(files) {
  const parts = [], directory = [];
  let offset = 0;
  const length = (list) => list.reduce((sum, part) => sum + (part.byteLength ?? part.size), 0);
  for (const { name, blob } of files) {
    const bytes = new TextEncoder().encode(name), crc = crc32(new Uint8Array(await blob.arrayBuffer()));
    const common = [[2, 20], [2, 0x800], [2, 0], [2, 0], [2, 0x21], [4, crc], [4, blob.size], [4, blob.size],
      [2, bytes.length], [2, 0]];
    const local = record([[4, 0x04034b50], ...common], bytes, blob);
    directory.push(...record([[4, 0x02014b50], [2, 20], ...common, [2, 0], [2, 0], [2, 0], [4, 0], [4, offset]], bytes));
    parts.push(...local);
    offset += length(local);
  }
  const end = record([[4, 0x06054b50], [2, 0], [2, 0], [2, files.length], [2, files.length], [4, length(directory)],
    [4, offset], [2, 0]]);
  return new Blob([...parts, ...directory, ...end], { type: "application/zip" });
}
