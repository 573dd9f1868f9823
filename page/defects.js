// defects.js - the tab that finds defects: a model, pictures with their heat maps, worst first, and how many false alarms
// are allowed. learn.js trains a model.
import { openFiles, saveBlob } from "./files.js";
import { openLearning } from "./learn.js";
import { formatNumber, text } from "./text.js";

export function openDefects(client) {
  const part = (id) => document.getElementById(`defects-${id}`);
  let model = null; // { name, good, falseAlarms, trained }, trained: its file, if it was trained here
  let judged = []; // { name, p, score, heat }

  // A picture is bad if its p is at most this many of one more than the good pictures known.
  const allowed = () => Number(part("rate").value) / (model.good + 1);
  const percent = (share) => formatNumber(100 * share, share < 0.1 ? 1 : 0);

  async function useModel([blob], trained = null) {
    if (!blob) return;
    try {
      model = { name: blob.name, trained, ...await client.call("finder", { blob, name: blob.name }) };
    } catch (error) {
      client.say(text("failed", error.message));
      return;
    }
    client.say("");
    judged = [];
    learning.close();
    part("rate").max = Math.max(10, Math.ceil((model.good + 1) / 5));
    part("rate").value = Math.max(1, Math.floor(model.falseAlarms * (model.good + 1)));
    show();
  }

  async function usePictures(files) {
    for (const file of files) {
      client.say(text("judging", file.name));
      try {
        judged.push({ name: file.name, ...await client.call("judge", { blob: file }) });
        client.say("");
      } catch (error) {
        client.say(text(error.message, file.name));
      }
      show();
    }
  }

  function card({ name, p, heat }) {
    const bad = p <= allowed(), item = document.createElement("li"), canvas = document.createElement("canvas");
    Object.assign(canvas, { width: heat.width, height: heat.height });
    canvas.getContext("2d").drawImage(heat, 0, 0);
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", text("heatLabel", name, text(bad ? "bad" : "good")));
    const line = (content, className = "") => Object.assign(document.createElement("p"), { textContent: content, className });
    item.append(canvas, line(text(bad ? "bad" : "good"), bad ? "verdict bad" : "verdict"), line(name),
      line(text("rank", percent(p)), "hint"));
    return item;
  }

  function show() {
    const parts = { start: part("open-good"), learn: part("train"), work: part("open") };
    const shown = learning.on() ? "learn" : model ? "work" : "start";
    const lost = Object.keys(parts).some((name) => name !== shown && part(name).contains(document.activeElement));
    for (const name of Object.keys(parts)) part(name).hidden = name !== shown;
    if (lost) parts[shown].focus(); // what had the focus is gone
    if (!model) return;
    part("save").hidden = !model.trained;
    part("about").textContent = text("aboutModel", model.name, formatNumber(model.good));
    part("rate-label").textContent = text("falseAlarms", percent(allowed()));
    const worst = [...judged].sort((a, b) => b.score - a.score);
    part("list").replaceChildren(...worst.map(card));
    const bad = judged.filter(({ p }) => p <= allowed()).length;
    part("summary").textContent = judged.length ? text("judged", bad, judged.length) : "";
  }

  // Models may be dropped like pictures, which are good ones while there is no model.
  function take(files) {
    const models = files.filter(({ name }) => name.endsWith(".safetensors"));
    if (models.length) return useModel(models);
    return model && !learning.on() ? usePictures(files) : learning.add(files);
  }

  const learning = openLearning(client, part, { changed: show, learned: (file) => useModel([file], file) });
  openFiles(document.getElementById("defects"), [[part("model"), part("open-model"), part("other")],
    [part("files"), part("open")]], take);
  // opened only: what is dropped is taken above
  openFiles(part("good"), [[part("good"), part("open-good"), part("again"), part("more")]], learning.add);
  part("save").addEventListener("click", () => saveBlob(model.trained, model.trained.name));
  part("rate").addEventListener("input", show);
  document.addEventListener("languagechange", show);
}
