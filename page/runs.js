// runs.js - the tab of a page that `caelum serve` has sent: the runs and studies of its directory, as they grow.
import { drawChart } from "./chart.js";
import { replaceButtons } from "./gallery.js";
import { formatNumber, text } from "./text.js";

export function openRuns(client) {
  const part = (id) => document.getElementById(`runs-${id}`);
  let runs = [], chosen = null; // { id, name, changed, files }; the id of one, or null: the latest
  let shown = null; // the id of the one that is seen

  const address = ({ id, changed }, file) => `/runs/${id}/${file}?${changed}`;

  async function load(run, file) {
    const answer = await fetch(address(run, file));
    if (!answer.ok) throw new Error(await answer.text());
    return answer.blob();
  }

  // The curve, and the figures of the last epoch, in metrics.csv.
  async function showCurve(run) {
    const [names, ...rows] = (await (await load(run, "metrics.csv")).text()).trim().split(/\r?\n/).map((row) => row.split(","));
    const epochs = rows.map((row) => Object.fromEntries(names.map((name, i) => [name, Number(row[i])])));
    const curve = (name) => epochs.map((epoch) => ({ at: epoch.epoch, loss: epoch[name] })), last = epochs.at(-1);
    if (run.id !== shown || !last) return;
    part("curve").replaceChildren(drawChart(curve("loss"), curve("val_loss"), last.epoch));
    part("figures").textContent = text("runFigures", last.epoch, formatNumber(last.val_loss, 5),
      formatNumber(last.val_psnr, 2), formatNumber(last.pictures_per_second));
  }

  async function showSheet(run, file) {
    const address = URL.createObjectURL(await load(run, file));
    URL.revokeObjectURL(part("sheet").src);
    if (run.id === shown) part("sheet").src = address;
  }

  function show() {
    const run = runs.find(({ id }) => id === chosen) ?? runs[0], has = (file) => run.files.includes(file);
    part("none").hidden = Boolean(run);
    part("result").hidden = !run;
    replaceButtons(part("list"), runs.map(({ id, name }) => {
      const button = Object.assign(document.createElement("button"), { type: "button", textContent: name });
      button.setAttribute("aria-pressed", id === run.id);
      button.addEventListener("click", () => {
        chosen = id;
        show();
      });
      return button;
    }));
    if (!run) return;
    shown = run.id;
    part("name").textContent = run.name;
    part("study").hidden = !has("index.html");
    part("study").href = address(run, "index.html");
    const sheet = ["reconstructions.png", "colorizations.png"].find(has);
    part("sheet").hidden = !sheet;
    part("sheet").alt = text("reconstructions");
    part("curve").hidden = part("figures").hidden = !has("metrics.csv");
    Promise.all([has("metrics.csv") && showCurve(run), sheet && showSheet(run, sheet)])
      .catch((error) => client.say(text("failed", error.message)));
  }

  const events = new EventSource("/events");
  events.addEventListener("message", ({ data }) => {
    runs = JSON.parse(data).sort((a, b) => b.changed - a.changed);
    client.say("");
    show();
  });
  events.addEventListener("error", () => client.say(text("serverGone")));
  document.addEventListener("languagechange", show);
}
