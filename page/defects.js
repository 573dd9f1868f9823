// defects.js - the tab that finds defects: a model, pictures with their heat maps, worst first, and how many false alarms
// are allowed.
import { openFiles } from "./files.js";
import { formatNumber, text } from "./text.js";

export function openDefects(client) {
  const part = (id) => document.getElementById(`defects-${id}`);
  let model = null; // { name, good, falseAlarms }
  let judged = []; // { name, p, score, heat }

  // A picture is bad if its p is at most this many of one more than the good pictures known.
  const allowed = () => Number(part("rate").value) / (model.good + 1);
  const percent = (share) => formatNumber(100 * share, share < 0.1 ? 1 : 0);

  async function useModel([blob]) {
    if (!blob) return;
    try {
      model = { name: blob.name, ...await client.call("finder", { blob, name: blob.name }) };
    } catch (error) {
      client.say(text("failed", error.message));
      return;
    }
    client.say("");
    judged = [];
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
    const first = part("start").contains(document.activeElement);
    part("start").hidden = Boolean(model);
    part("work").hidden = !model;
    if (!model) return;
    if (first) part("open").focus(); // what had the focus is gone
    part("about").textContent = text("aboutModel", model.name, formatNumber(model.good));
    part("rate-label").textContent = text("falseAlarms", percent(allowed()));
    const worst = [...judged].sort((a, b) => b.score - a.score);
    part("list").replaceChildren(...worst.map(card));
    const bad = judged.filter(({ p }) => p <= allowed()).length;
    part("summary").textContent = judged.length ? text("judged", bad, judged.length) : "";
  }

  // A model may be dropped like a picture.
  function take(files) {
    const models = files.filter(({ name }) => name.endsWith(".safetensors"));
    if (models.length || !model) return useModel(models.length ? models : files);
    return usePictures(files);
  }

  openFiles(document.getElementById("defects"), [[part("model"), part("open-model"), part("other")],
    [part("files"), part("open")]], take);
  part("rate").addEventListener("input", show);
  document.addEventListener("languagechange", show);
}
