// denoise.js - the tab that takes noise out of pictures. The picture on the stage is done at full strength, some rows after
// the others; how much of that is seen is the canvas's opacity, so that the dial needs no work.
import { openGallery } from "./gallery.js";
import { openLoupe } from "./loupe.js";
import { formatNumber, text } from "./text.js";

const EXAMPLE_NOISE = 25;

export function openDenoise(client) {
  const ready = client.asset("denoiser.safetensors").then((bytes) => client.call("denoiser", { bytes }));
  let shown = 0; // the number of what is done for the stage

  // type: of the file to make; "": for the stage.
  async function run({ blob, name, look: { sigma } }, strength, type = "") {
    await ready;
    return client.call("denoise", { blob, name, sigma, strength, type, number: shown });
  }

  async function refresh() {
    const picture = gallery.current, number = ++shown;
    picture.result = null;
    client.say(text("denoising", picture.name, 0));
    try {
      const { seconds } = picture.result = await run(picture, 1);
      client.say(text("denoised", picture.name, formatNumber(seconds, 2)));
    } catch (error) {
      if (number !== shown) return; // another one has taken its place
      gallery.remove(picture);
      client.say(text(error.message, picture.name));
    }
  }

  client.on("denoising", ({ number, sigma, width, height }) => {
    if (number !== shown) return;
    gallery.current.found = sigma;
    gallery.fit({ width, height });
    show();
  });

  client.on("rows", ({ number, onto, first, rows }) => {
    if (number !== shown) return;
    part(onto).getContext("2d").putImageData(rows, 0, first);
    loupe();
  });

  client.on("denoised", ({ name, part: done }) => client.say(text("denoising", name, Math.floor(100 * done))));

  function show() {
    const { look: { strength, sigma }, found } = gallery.current;
    gallery.showNumber("strength", strength, 2);
    gallery.showNumber("sigma", sigma < 0 ? found ?? 0 : sigma, 1);
    part("measure").checked = sigma < 0;
    part("after").style.opacity = strength;
    loupe();
  }

  // At full strength, what is on the stage is the result already.
  function result(picture, type) {
    const { strength } = picture.look;
    if (picture !== gallery.current || !picture.result || strength < 1) return run(picture, strength, type);
    return new Promise((resolve) => part("after").toBlob(resolve, type, 0.92));
  }

  // Normal noise, by Box and Muller.
  function addNoise(context) {
    const image = context.getImageData(0, 0, context.canvas.width, context.canvas.height);
    image.data.forEach((value, i) => {
      const normal = Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random());
      if (i % 4 < 3) image.data[i] = Math.round(value + EXAMPLE_NOISE * normal);
    });
    context.putImageData(image, 0, 0);
  }

  function change(look) {
    gallery.change(look);
    refresh();
  }

  const gallery = openGallery(client, "denoise", { look: { strength: 1, sigma: -1 }, suffix: "-denoised",
    archive: "denoised.zip", chosen: refresh, show, result });
  const { part } = gallery, loupe = openLoupe(part, () => gallery.current.look.strength);
  part("example").addEventListener("click", () => gallery.example(735, addNoise));
  part("strength").addEventListener("input", () => gallery.change({ strength: Number(part("strength").value) }));
  part("sigma").addEventListener("input", () => gallery.showNumber("sigma", Number(part("sigma").value), 1));
  part("sigma").addEventListener("change", () => change({ sigma: Number(part("sigma").value) }));
  part("measure").addEventListener("change", () => change({ sigma: part("measure").checked ? -1 : Number(part("sigma").value) }));
}
