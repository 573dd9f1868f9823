// colorize.js - the tab that colors pictures: a list of them, each with its look, and the one on the stage.
import { openFiles, saveBlob, stem, zip } from "./files.js";
import { openHints } from "./hints.js";
import { formatNumber, text } from "./text.js";

const PALETTE = ["#7a5038", "#c89a78", "#b04030", "#c87830", "#c8a848", "#5a7838", "#3a6848", "#4a80a8", "#30508a",
  "#684878", "#a85878", "#808080"];

export function openColorize(client) {
  const part = (id) => document.getElementById(`colorize-${id}`);
  const pictures = []; // { blob, name, look: { vivid, restore, hints }, result }
  let current = null, working = false, again = false;

  // --- Work ---

  async function colorPreview(picture) {
    client.say(text("coloring", picture.name));
    try {
      picture.result = await client.call("preview", { blob: picture.blob, look: picture.look });
      client.say(text("colored", picture.name, formatNumber(picture.result.seconds, 2)));
      if (picture === current) draw();
    } catch (error) {
      remove(picture);
      client.say(text(error.message, picture.name));
    }
  }

  // Colors the picture on the stage; what is changed meanwhile is done behind it, once.
  async function refresh() {
    again = true;
    if (working) return;
    working = true;
    while (again && current) {
      again = false;
      await colorPreview(current);
    }
    working = false;
  }

  function remove(picture) {
    pictures.splice(pictures.indexOf(picture), 1);
    if (picture !== current) showList();
    else if (pictures.length) choose(pictures.at(-1));
    else current = null, showList();
  }

  // --- The stage ---

  function draw() {
    for (const name of ["before", "after"]) {
      const image = current.result[name], canvas = part(name);
      canvas.width = image.width;
      canvas.height = image.height;
      canvas.getContext("2d").putImageData(image, 0, 0);
    }
    const { width, height } = current.result.after;
    part("stage").style.width = `min(100%, ${70 * width / height}vh, ${Math.max(width, 640)}px)`;
    part("after").setAttribute("aria-label", text("picture", pictures.indexOf(current) + 1, current.name));
    part("after").setAttribute("role", "img");
    hints.show(current.look.hints);
  }

  function showSplit() {
    const at = part("split").value;
    part("before").style.clipPath = `inset(0 ${100 - at}% 0 0)`;
    part("divider").style.left = `${at}%`;
    part("divider").hidden = at === "0" || at === "100";
  }

  function showLook() {
    const { vivid, restore } = current.look;
    part("vivid").value = vivid;
    part("vivid-value").textContent = formatNumber(vivid, 2);
    part("restore").checked = restore;
  }

  function choose(picture) {
    current = picture;
    hints.forget();
    showList();
    showLook();
    if (picture.result) draw();
    else refresh();
  }

  function showList() {
    part("drop").hidden = pictures.length > 0;
    part("work").hidden = pictures.length === 0;
    part("list").hidden = pictures.length < 2;
    part("save-all").hidden = pictures.length < 2;
    part("list").replaceChildren(...pictures.map((picture, i) => {
      const button = Object.assign(document.createElement("button"), { type: "button", textContent: picture.name });
      button.setAttribute("aria-pressed", picture === current);
      button.setAttribute("aria-label", text("picture", i + 1, picture.name));
      button.addEventListener("click", () => choose(picture));
      return button;
    }));
  }

  function change(look) {
    current.look = { ...current.look, ...look };
    showLook();
    refresh();
  }

  function add(files) {
    const others = files.filter(({ type }) => !type.startsWith("image/"));
    if (others.length) client.say(text("notPicture", others[0].name));
    files = files.filter((file) => !others.includes(file));
    for (const blob of files)
      pictures.push({ blob, name: blob.name, look: { vivid: 0.5, restore: false, hints: [] } });
    if (files.length) choose(pictures.at(-files.length));
  }

  // --- Files ---

  async function colored(picture) {
    const type = part("format").value;
    client.say(text("saving", picture.name));
    const blob = await client.call("colored", { blob: picture.blob, look: picture.look, type });
    return { blob, name: `${stem(picture.name)}-color.${type === "image/png" ? "png" : "jpg"}` };
  }

  async function save(list) {
    try {
      const files = [];
      for (const picture of list) files.push(await colored(picture));
      const name = list.length > 1 ? "colored.zip" : files[0].name;
      saveBlob(list.length > 1 ? await zip(files) : files[0].blob, name);
      client.say(text("saved", name));
    } catch (error) {
      client.say(text("failed", error.message));
    }
  }

  async function example() {
    const sheet = await createImageBitmap(new Blob([await client.asset("example.jpg")]));
    const canvas = new OffscreenCanvas(240, 160);
    canvas.getContext("2d").drawImage(sheet, 0, -165);
    add([new File([await canvas.convertToBlob()], "example.png", { type: "image/png" })]);
  }

  const hints = openHints(part, PALETTE, (list) => change({ hints: list }));
  openFiles(document.getElementById("colorize"), [[part("files"), part("open"), part("more")]], add);
  part("example").addEventListener("click", example);
  part("vivid").addEventListener("input", () => change({ vivid: Number(part("vivid").value) }));
  part("restore").addEventListener("change", () => change({ restore: part("restore").checked }));
  part("split").addEventListener("input", showSplit);
  part("save").addEventListener("click", () => save([current]));
  part("save-all").addEventListener("click", () => save(pictures));
  document.addEventListener("languagechange", () => {
    if (!current) return;
    showList();
    showLook();
    draw();
  });
  showSplit();
}
