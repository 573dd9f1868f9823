// learn.js - training a finder of defects by good pictures: which, how long, how far it is. A worker of its own does it, and
// ends where it is stopped.
import { openWorker } from "./client.js";
import { formatNumber, text } from "./text.js";

// changed() - whether it is on has changed; learned(file) - the model is there.
export function openLearning(client, part, { changed, learned }) {
  let good = []; // pictures
  let run = null; // { worker, begun }, of a training under way
  let heard = null; // { stage, done, total, first }, first: { done, at } of the stage

  const percent = () => Number(part("alarms").value);
  const on = () => good.length > 0;

  function show() {
    const rate = percent();
    part("goods").textContent = text("goods", formatNumber(good.length), formatNumber(rate, rate % 1 ? 1 : 0),
      formatNumber(Math.ceil(100 / rate) - 1));
    part("stop").textContent = text(run ? "stop" : "back");
    for (const id of ["train", "more", "steps", "alarms"]) part(id).disabled = Boolean(run);
    part("progress").hidden = !run;
    showProgress();
  }

  function showProgress() {
    part("state").textContent = !run || !heard ? "" : {
      reading: ({ done, total }) => text("readingGood", done, total),
      training: ({ done, total, first }) => text(done > first.done ? "finding" : "foundPart", Math.floor(100 * done / total),
        formatNumber(Math.ceil((performance.now() - first.at) / 60000 * (total - done) / (done - first.done)))),
      measuring: ({ done, total }) => text("measuringGood", done, total),
    }[heard.stage](heard);
    part("progress").value = run && heard?.stage === "training" ? heard.done / heard.total : Number(heard?.stage === "measuring");
  }

  function hear(now) {
    const first = heard?.stage === now.stage ? heard.first : { done: now.done, at: performance.now() };
    heard = { ...now, first };
    showProgress();
  }

  function end() {
    run?.worker?.close();
    run = heard = null;
    show();
  }

  async function train() {
    if (!part("steps").reportValidity() || !part("alarms").reportValidity()) return;
    const mine = run = { worker: null, begun: performance.now() };
    show();
    part("stop").focus(); // what had the focus can't be pressed now
    try {
      const worker = await openWorker(client.say);
      if (run !== mine) return worker.close();
      mine.worker = worker;
      worker.on("learning", hear);
      const { file, skipped } = await worker.call("learn", { blobs: good, steps: Number(part("steps").value),
        falseAlarms: percent() / 100 });
      await learned(new File([file], "part.safetensors"));
      client.say(skipped.length ? text("dataSkipped", skipped.length, text(skipped[0].message, skipped[0].name))
        : text("learned", formatNumber((performance.now() - mine.begun) / 60000, 1)));
    } catch (error) {
      client.say(text(error.message));
    }
    if (run === mine) end();
  }

  // Ends it, and forgets the pictures.
  function close() {
    good = [];
    end();
  }

  function add(files) {
    if (run) return;
    good.push(...files);
    show();
    changed();
  }

  part("train").addEventListener("click", train);
  part("alarms").addEventListener("input", show);
  part("stop").addEventListener("click", () => {
    if (run) return end();
    close();
    return changed();
  });
  document.addEventListener("languagechange", show);
  show();
  return { on, add, close };
}
