// served.mjs - the page from `caelum serve`: runs appear as they are trained, noise is taken out by the program.
import assert from "node:assert";
import { spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CAELUM, caelum, scratch, violations, writePng } from "./native.mjs";

const runs = join(scratch, "runs");
mkdirSync(runs);
const server = spawn(CAELUM, ["serve", runs, "--port", "0"]);
process.on("exit", () => server.kill());
const [said] = await new Promise((resolve) => server.stdout.once("data", (data) => resolve([data.toString()])));
const address = said.split(" ")[0];

const { chromium } = await import("playwright-core");
const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] });
const context = await browser.newContext(), page = await context.newPage(), problems = [];
page.setDefaultTimeout(60000);
page.on("console", (message) => problems.push(message.text()));
page.on("pageerror", (error) => problems.push(error.message));
page.on("request", (request) => /^(blob|data):/.test(request.url()) || request.url().startsWith(address)
  || problems.push(request.url()));
await page.goto(`${address}#runs`);
await page.locator("#runs-none").filter({ hasText: "no runs yet" }).waitFor();
async function accessible(what) {
  for (const colorScheme of ["dark", "light"]) {
    await page.emulateMedia({ colorScheme });
    assert.deepEqual(await violations(page), [], `${what}, ${colorScheme}`);
  }
}
await page.locator("#bits:not(:empty)").waitFor(); // until then the page takes no input
await accessible("no runs");

const train = (name, epochs) => caelum(["train", "standard", "--data", "synthetic:100", "--epochs", String(epochs),
  "--out", join(runs, name), "--force"]);
train("first", 1);
await page.locator("#runs-figures").filter({ hasText: "Epoch 1: validation loss 0." }).waitFor();
train("<b>second", 2);
await page.locator("#runs-name").filter({ hasText: "<b>second" }).waitFor();
await page.locator("#runs-figures").filter({ hasText: "Epoch 2:" }).waitFor();
await page.waitForFunction(() => document.getElementById("runs-sheet").naturalWidth > 100);
await page.locator("#runs-curve circle").nth(1).waitFor(); // of two epochs
await accessible("runs");

// By the keyboard alone: the runs, one after the other, and a study's page. Where the list changes, the focus stays.
const focused = () => page.evaluate(() => document.activeElement.textContent);
await page.focus("#tab-runs");
for (let i = 0; i < 3 && await focused() !== "<b>second"; i++) await page.keyboard.press("Tab");
await page.keyboard.press("Tab");
assert.equal(await focused(), "first");
await page.keyboard.press("Enter");
await page.locator("#runs-name").filter({ hasText: "first" }).waitFor();
assert.equal(await page.locator("#runs-list [aria-pressed=true]").textContent(), "first");
assert.ok(await page.isHidden("#runs-study"));
writeFileSync(join(runs, "first/index.html"), "<title>study</title>");
await page.locator("#runs-study:visible").waitFor();
assert.equal(await focused(), "first");
await accessible("a study");
await page.keyboard.press("Tab");
if (await focused() === "<b>second") await page.keyboard.press("Tab"); // what has changed comes first
assert.equal(await page.evaluate(() => document.activeElement.id), "runs-study");
const [study] = await Promise.all([context.waitForEvent("page"), page.keyboard.press("Enter")]);
assert.match(study.url(), /runs\/\w+\/index.html/);
await study.close();

const noisy = writePng("noisy.png", 300, 200, (x, y) => [x * y * 7 % 251, x * 31 % 200, y * 17 % 240]);
const asked = page.waitForResponse((response) => response.url().startsWith(`${address}denoise`));
await page.click("#tab-denoise");
await page.setInputFiles("#denoise-files", noisy);
const answer = await asked;
assert.equal(answer.status(), 200);
assert.match(answer.headers()["noise-level"], /^\d/);
await page.locator("#status").filter({ hasText: "noisy.png: noise taken out" }).waitFor();

server.kill();
await page.click("#tab-runs");
await page.locator("#status").filter({ hasText: "does not answer any more" }).waitFor();
problems.splice(0, problems.length, ...problems.filter((problem) => !/ERR_(CONNECTION|INCOMPLETE|EMPTY)/.test(problem)));
assert.deepEqual(problems, []);
await browser.close();
