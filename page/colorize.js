// colorize.js - the tab that colors pictures.
import { openGallery } from "./gallery.js";
import { openHints } from "./hints.js";
import { formatNumber, text } from "./text.js";

const PALETTE = ["#7a5038", "#c89a78", "#b04030", "#c87830", "#c8a848", "#5a7838", "#3a6848", "#4a80a8", "#30508a",
  "#684878", "#a85878", "#808080"];

export function openColorize(client) {
  let working = false, again = false;

  async function preview(picture) {
    client.say(text("coloring", picture.name));
    try {
      picture.result = await client.call("preview", { blob: picture.blob, look: picture.look });
      client.say(text("colored", picture.name, formatNumber(picture.result.seconds, 2)));
      if (picture === gallery.current) show();
    } catch (error) {
      gallery.remove(picture);
      client.say(text(error.message, picture.name));
    }
  }

  // Colors the picture on the stage; what is changed meanwhile is done behind it, once.
  async function refresh() {
    again = true;
    if (working) return;
    working = true;
    while (again && gallery.current) {
      again = false;
      await preview(gallery.current);
    }
    working = false;
  }

  function show() {
    const { look: { vivid, restore, hints: list }, result } = gallery.current;
    gallery.showNumber("vivid", vivid, 2);
    part("restore").checked = restore;
    hints.show(list);
    if (!result) return;
    gallery.fit(result.after);
    for (const name of ["before", "after"]) part(name).getContext("2d").putImageData(result[name], 0, 0);
  }

  function chosen() {
    hints.forget();
    show();
    if (!gallery.current.result) refresh();
  }

  function change(look) {
    gallery.change(look);
    refresh();
  }

  const gallery = openGallery(client, "colorize", { look: { vivid: 0.5, restore: false, hints: [] }, suffix: "-color",
    archive: "colored.zip", chosen, show, result: ({ blob, look }, type) => client.call("colored", { blob, look, type }) });
  const { part } = gallery, hints = openHints(part, PALETTE, (list) => change({ hints: list }));
  part("example").addEventListener("click", () => gallery.example(0));
  part("vivid").addEventListener("input", () => change({ vivid: Number(part("vivid").value) }));
  part("restore").addEventListener("change", () => change({ restore: part("restore").checked }));
}
