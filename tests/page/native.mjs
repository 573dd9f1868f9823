// native.mjs - what the tests of the page compare with: the program, and files for both.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { deflateSync } from "node:zlib";
import { crc32 } from "../../page/files.js";

export const { BUILD_DIR, SOURCE_DIR, CAELUM } = process.env;

// A directory that is removed at the end.
export const scratch = mkdtempSync(join(tmpdir(), "caelum-page-"));
process.on("exit", () => rmSync(scratch, { recursive: true }));

// Runs the program, at most on instruction set `cpu`; what it prints. Status 10 is that defects were found.
export function caelum(words, cpu = "") {
  const { status, stdout, stderr } = spawnSync(CAELUM, words, { env: { ...process.env, ...cpu && { CAELUM_CPU: cpu } } });
  if (status !== 0 && status !== 10) throw new Error(`caelum ${words.join(" ")}: ${status}: ${stderr}`);
  return stdout.toString();
}

// The model that 20 steps on generated pictures leave; options by their names, flags with "yes".
export function trained(net, options, cpu) {
  const out = join(scratch, `${net}-${cpu}`);
  const words = Object.entries(options).flatMap(([name, value]) => [`--${name}`, ...value === "yes" ? [] : [value]]);
  caelum(["train", join(SOURCE_DIR, "models", `${net}.net`), "--data", "synthetic:250", "--epochs", "1", "--batch", "10",
    "--threads", "1", "--out", out, ...words], cpu);
  return readFileSync(join(out, "last.safetensors"));
}

// What axe-core finds wrong with what is shown: names of rules and elements.
export async function violations(page) {
  await page.evaluate(readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8"));
  const { violations: found } = await page.evaluate(() => globalThis.axe.run());
  return found.map(({ id, nodes }) => `${id}: ${nodes[0].html}`);
}

// The values of all tensors of a file.
export function weights(file) {
  return file.subarray(8 + Number(file.readBigUInt64LE(0)));
}

// Writes a picture whose pixel (x, y) is rgb(x, y), as PNG (ISO/IEC 15948).
export function writePng(name, width, height, rgb) {
  const rows = Buffer.alloc(height * (1 + 3 * width));
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) rows.set(rgb(x, y), y * (1 + 3 * width) + 1 + 3 * x);
  const chunk = (type, data) => {
    const body = Buffer.concat([Buffer.from(type), data]), whole = Buffer.alloc(8 + body.length);
    whole.writeUInt32BE(data.length);
    body.copy(whole, 4);
    whole.writeUInt32BE(crc32(body), 4 + body.length);
    return whole;
  };
  const header = Buffer.from([0, 0, 0, 0, 0, 0, 0, 0, 8, 2, 0, 0, 0]);
  header.writeUInt32BE(width);
  header.writeUInt32BE(height, 4);
  const path = join(scratch, name);
  writeFileSync(path, Buffer.concat([Buffer.from("\x89PNG\r\n\x1a\n", "latin1"), chunk("IHDR", header),
    chunk("IDAT", deflateSync(rows)), chunk("IEND", Buffer.alloc(0))]));
  return path;
}
