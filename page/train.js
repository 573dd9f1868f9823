// train.js - the tab in which a network is written, drawn and trained.
import { drawChart } from "./chart.js";
import { openCodes } from "./codes.js";
import { drawNetwork, listNetwork } from "./drawing.js";
import { openFiles, saveBlob } from "./files.js";
import { formatNumber, text } from "./text.js";

const PRESETS = ["standard", "one-pool", "custom", "best"];

export function openTrain(client) {
  const part = (id) => document.getElementById(`train-${id}`);
  const say = (error) => client.say(text(error.message));
  let name = PRESETS[0]; // of the network
  let model = null; // the file that the training starts from
  let info = null, data = null; // what is known to be right, else null
  let run = null; // { points, validation, pictures: [epoch], epochs, on, ended }

  // --- The network ---

  let checks = 0;
  async function check() {
    const number = ++checks;
    try {
      const found = await client.call("network", { text: part("text").value, name });
      if (number !== checks) return;
      info = found;
    } catch (error) {
      if (number !== checks) return;
      info = null;
      part("message").textContent = error.message;
    }
    part("message").classList.toggle("wrong", !info);
    if (info) showNetwork();
    showButtons();
  }

  function showNetwork() {
    part("message").textContent = text("networkFine", formatNumber(info.parameters), formatNumber(info.bottleneck),
      formatNumber(info.channels * info.height * info.width)) + (model ? ` ${text("fromModel", name)}` : "");
    part("drawing").replaceChildren(drawNetwork(info));
    part("layers").replaceChildren(...listNetwork(info));
  }

  // start: a model's file with the weights to start from, or null.
  function use(content, itsName, start = null) {
    name = itsName;
    model = start;
    part("text").value = content;
    forget();
    check();
  }

  async function usePreset() {
    const preset = part("preset").value;
    use(new TextDecoder().decode(await client.asset(`${preset}.net`)), preset);
  }

  async function useFile([file]) {
    if (!file.name.endsWith(".safetensors")) return use(await file.text(), file.name);
    const start = new Uint8Array(await file.arrayBuffer());
    try {
      return use(await client.call("modelText", { model: start, name: file.name }), file.name, start);
    } catch (error) {
      return say(error);
    }
  }

  // --- The pictures ---

  async function useData(from) {
    await forget();
    client.say(typeof from === "number" ? text("generating") : text("reading", from.length));
    try {
      data = await client.call("data", { from });
      client.say("");
    } catch (error) {
      client.say(text(error.message, from[0]?.name));
    }
    showData();
    showButtons();
  }

  function showData() {
    const own = part("source").value === "files";
    part("files-part").hidden = !own;
    part("count-label").hidden = own;
    const [count] = data?.skipped ?? [], skipped = count
      ? text("dataSkipped", data.skipped.length, text(count.message, count.name)) : "";
    part("data").textContent = !data ? "" : `${text("dataCounts", ...data.counts.map((n) => formatNumber(n)))}. ${skipped}`;
  }

  function useSource() {
    data = null;
    showData();
    if (part("source").value === "generated") generate();
    else forget();
  }
  const generate = () => part("count").reportValidity() && useData(Number(part("count").value));

  // --- Training ---

  // The next training begins anew.
  async function forget() {
    run = null;
    showRun();
    await client.call("close");
  }

  const settings = () => ({ epochs: part("epochs").value, batch: part("batch").value, lr: part("lr").value,
    optimizer: part("optimizer").value });

  async function begin() {
    const { pictures, linear, code } = await client.call("begin", { text: part("text").value, name, settings: settings(), model });
    run = { points: [], validation: [], pictures: [pictures], epochs: Number(part("epochs").value), on: false, linear };
    codes.begin(data.samples, code);
    part("epoch").value = part("epoch").max = 0;
    showRun();
  }

  async function work(on) {
    try {
      if (!run) await begin();
      run.on = on;
      showButtons();
      await (on ? client.call("run", { on }) : client.call("step"));
    } catch (error) {
      if (run) run.on = false;
      say(error);
    }
    showButtons();
  }

  async function toggle() {
    if (!run?.on) return work(true);
    run.on = false;
    await client.call("run", { on: false });
    return showButtons();
  }

  client.on("progress", ({ epochs, done, batches, loss, seconds }) => {
    if (!run || run.ended) return;
    const batch = Number(part("batch").value);
    if (done > 0) {
      run.points.push({ at: epochs + done / batches, loss });
      client.say(`${text("progress", epochs + 1, run.epochs, done, batches, formatNumber(loss, 5))}, ${
        text("rate", formatNumber(done * batch / seconds))}`);
    }
    part("chart").replaceChildren(drawChart(run.points, run.validation, run.epochs));
  });

  client.on("epoch", ({ epoch, valLoss, valPsnr, ended, pictures }) => {
    if (!run) return;
    const last = part("epoch").value === part("epoch").max;
    run.validation.push({ at: epoch, loss: valLoss });
    run.pictures.push(pictures);
    part("epoch").max = epoch;
    if (last) part("epoch").value = epoch;
    if (ended) {
      Object.assign(run, { on: false, ended });
      part("chart").replaceChildren(drawChart(run.points, run.validation, run.epochs));
      client.say(text("trained", epoch, formatNumber(valPsnr, 2)));
    }
    showPictures();
    showButtons();
    codes.show();
  });

  client.on("stopped", (message) => {
    if (run) Object.assign(run, { on: false, ended: true });
    client.say(message);
    showButtons();
  });

  // --- What is seen of it ---

  function showButtons() {
    part("run").textContent = text(run?.on ? "pause" : run && run.points.length ? "goOn" : "start");
    part("run").disabled = part("step").disabled = !info || !data || Boolean(run?.ended);
    if (run?.on) part("step").disabled = true;
    part("restart").disabled = !run;
    part("save").disabled = !run;
    for (const id of ["epochs", "batch", "lr", "optimizer"]) part(id).disabled = Boolean(run);
  }

  // Each sample's picture, what the network makes of it, what a linear code of that size would, and its code.
  function showPictures() {
    const shown = run.pictures[Number(part("epoch").value)], canvas = part("pictures");
    const context = canvas.getContext("2d"), side = data.samples[0].width, step = side + 2;
    const scale = Math.max(1, ...shown.map(({ code }) => Math.ceil((code?.width ?? 1) / side)));
    const rows = [data.samples, shown.map(({ picture }) => picture), run.linear, shown.map(({ code }) => code)]
      .filter((row) => row?.[0]);
    canvas.width = scale * (shown.length * step - 2);
    canvas.height = scale * (rows.length * step - 2);
    context.imageSmoothingEnabled = false;
    rows.forEach((row, y) => row.forEach((image, x) => {
      const small = new OffscreenCanvas(image.width, image.height);
      small.getContext("2d").putImageData(image, 0, 0);
      const size = scale * side / Math.max(image.width, image.height);
      context.drawImage(small, scale * x * step, scale * y * step, size * image.width, size * image.height);
    }));
    part("epoch-label").textContent = text("epochShown", part("epoch").value);
    part("codes").hidden = !shown[0].code;
    part("linear").hidden = !run.linear;
  }

  function showRun() {
    part("result").hidden = !run;
    if (run) {
      part("chart").replaceChildren(drawChart(run.points, run.validation, run.epochs));
      showPictures();
    }
    showButtons();
  }

  async function save() {
    const file = `${name.replace(/\.(net|safetensors)$/, "")}.safetensors`;
    try {
      saveBlob(new Blob([await client.call("model")]), file);
      client.say(text("saved", file));
    } catch (error) {
      say(error);
    }
  }

  // --- Wiring ---

  // A network's text, a model, or pictures.
  function take(files) {
    if (/\.(net|txt|safetensors)$/.test(files[0]?.name)) return useFile(files);
    part("source").value = "files";
    return useData(files);
  }

  part("preset").append(...PRESETS.map((preset) => new Option(preset)));
  part("preset").addEventListener("change", usePreset);
  openFiles(document.getElementById("train"), [[part("net-file"), part("open-net")], [part("files"), part("open")]], take);
  part("text").addEventListener("input", () => {
    model = null;
    forget();
    check();
  });
  part("source").addEventListener("change", useSource);
  part("count").addEventListener("change", generate);
  part("run").addEventListener("click", toggle);
  part("step").addEventListener("click", () => work(false));
  part("restart").addEventListener("click", forget);
  part("save").addEventListener("click", save);
  part("epoch").addEventListener("input", showPictures);
  document.addEventListener("languagechange", () => {
    if (info) showNetwork();
    showData();
    showRun();
  });
  const codes = openCodes(client, part);
  usePreset();
  useSource();
}
