// worker-data.js - pictures to train on: generated ones, the user's own, or CIFAR-10's files. All are of 32 x 32 pixels.
import { decodeSquare } from "./worker-pictures.js";

export const SIDE = 32;
const SIZE = 3 * SIDE * SIDE;

// A picture of CIFAR-10 is a byte with its class, then its planes (Krizhevsky 2009, binary version).
function fromCifar(bytes, name) {
  const count = bytes.length / (1 + SIZE);
  if (!Number.isInteger(count) || count === 0)
    throw new Error(`${name}: expected records of ${1 + SIZE} bytes, as CIFAR-10's binary version has them`);
  const pixels = new Uint8Array(count * SIZE);
  for (let i = 0; i < count; i++) pixels.set(bytes.subarray(i * (1 + SIZE) + 1, (i + 1) * (1 + SIZE)), i * SIZE);
  return pixels;
}

// The files of CIFAR-10's archive: a tar file has a header of 512 bytes before each, with its name and octal size.
async function fromArchive(blob, name) {
  const stream = blob.stream().pipeThrough(new DecompressionStream("gzip"));
  const bytes = new Uint8Array(await new Response(stream).arrayBuffer()), found = [];
  const field = (at, length) => new TextDecoder().decode(bytes.subarray(at, at + length)).replace(/\0.*$/s, "");
  for (let at = 0; at + 512 <= bytes.length && bytes[at] !== 0;) {
    const entry = field(at, 100), size = parseInt(field(at + 124, 12), 8);
    if (!(size >= 0 && at + 512 + size <= bytes.length)) throw new Error(`${name}: damaged or cut short`);
    if (entry.endsWith(".bin")) found.push(fromCifar(bytes.subarray(at + 512, at + 512 + size), entry));
    at += 512 + Math.ceil(size / 512) * 512;
  }
  return found;
}

async function fromFile(file) {
  if (file.type.startsWith("image/")) return [await decodeSquare(file, SIDE)];
  if (/\.(tar\.gz|tgz)$/.test(file.name)) return fromArchive(file, file.name);
  return [fromCifar(new Uint8Array(await file.arrayBuffer()), file.name)];
}

export class Data {
  constructor(library) {
    this.library = library;
    this.handle = 0;
    this.pixels = 0;
  }

  close() {
    this.library.c.page_data_close(this.handle);
    this.library.c.page_free(this.pixels);
    this.handle = this.pixels = 0;
  }

  generate(count) {
    const handle = this.library.generated(count, SIDE);
    this.close();
    this.handle = handle;
  }

  // Returns how many files could not be used, and why the first could not.
  async read(files) {
    const parts = [], skipped = [];
    for (const file of files)
      try {
        parts.push(...await fromFile(file));
      } catch (error) {
        skipped.push({ name: file.name, message: error.message });
      }
    const { c } = this.library, total = parts.reduce((sum, part) => sum + part.length, 0);
    if (total < 10 * SIZE) throw new Error(skipped[0]?.message ?? "tooFew");
    const at = this.library.checked(c.page_alloc(total));
    const pixels = this.library.bytes(at, total);
    parts.reduce((place, part) => (pixels.set(part, place), place + part.length), 0);
    const handle = c.page_data_pictures(at, total / SIZE, 3, SIDE, SIDE);
    if (handle === 0) {
      c.page_free(at);
      this.library.checked(0);
    }
    this.close();
    Object.assign(this, { handle, pixels: at });
    return skipped;
  }

  count(split) {
    return this.library.c.caelum_data_count(this.handle, split);
  }

  // Picture i of a split as an ImageData.
  picture(split, i) {
    const image = new ImageData(SIDE, SIDE), { c } = this.library;
    this.library.with([image.data], (at) => {
      this.library.ok(c.page_data_picture(this.handle, split, i, at));
      image.data.set(this.library.bytes(at, image.data.length));
    });
    return image;
  }
}
