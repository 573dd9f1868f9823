// codes.js - the code of a picture, changed by hand: a slider for each channel of it, and what the network makes of that.
import { formatNumber, text } from "./text.js";

const MOST = 32; // sliders

export function openCodes(client, part) {
  let samples = [], sliders = [], channels = 0, working = false, again = false;

  // What is changed meanwhile is done behind it, once.
  async function show() {
    again = true;
    if (working || channels === 0) return;
    working = true;
    while (again) {
      again = false;
      const sample = Number(part("sample").value) - 1, moves = new Array(channels).fill(0);
      sliders.forEach((slider, i) => { moves[i] = Number(slider.value); });
      try {
        const images = [samples[sample], await client.call("decode", { sample, moves })];
        const context = part("decoded").getContext("2d"), step = images[0].width + 2;
        context.clearRect(0, 0, context.canvas.width, context.canvas.height);
        images.forEach((image, i) => context.putImageData(image, i * step, 0));
      } catch (error) {
        part("code").hidden = true; // as where a tensor goes past the code
        client.say(error.message);
      }
    }
    working = false;
  }

  function slider(i) {
    const label = document.createElement("label"), input = document.createElement("input"), name = document.createElement("span");
    Object.assign(input, { type: "range", min: -4, max: 4, step: 0.1, value: 0 });
    name.textContent = formatNumber(i + 1);
    input.setAttribute("aria-label", text("codeChannel", i + 1));
    input.addEventListener("input", show);
    label.append(name, input);
    sliders.push(input);
    return label;
  }

  // A training begins, on these samples, with a code of this number of channels; 0: there is none.
  function begin(its, count) {
    samples = its;
    channels = count;
    sliders = [];
    part("code").hidden = count === 0;
    part("sample").max = samples.length;
    part("sample").value = 1;
    part("sliders").replaceChildren(...Array.from({ length: Math.min(count, MOST) }, (_, i) => slider(i)));
    show();
  }

  part("sample").addEventListener("input", show);
  part("zero").addEventListener("click", () => {
    for (const slider of sliders) slider.value = 0;
    show();
  });
  return { begin, show };
}
