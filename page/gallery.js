// gallery.js - the pictures of a tab: a list of them, one on the stage before and after, and files of the results.
import { openFiles, saveBlob, stem, zip } from "./files.js";
import { formatNumber, text } from "./text.js";

// Other buttons in a list; the focus stays on the one with the same text.
export function replaceButtons(list, buttons) {
  const at = [...list.children].indexOf(document.activeElement), name = list.children[at]?.textContent;
  list.replaceChildren(...buttons);
  [buttons[at], ...buttons].find((button) => at >= 0 && button?.textContent === name)?.focus();
}

// tab: { look, suffix, archive }, a new picture's look and how results are called, and what the tab does: chosen() - another
// picture is on the stage; show() - its look is to be seen; result(picture, type) - the promise of its file as a Blob.
export function openGallery(client, id, tab) {
  const part = (name) => document.getElementById(`${id}-${name}`);
  const gallery = { part, pictures: [], current: null }; // { blob, name, look, result }

  function showSplit() {
    const at = part("split").value;
    part("after").style.clipPath = `inset(0 0 0 ${at}%)`;
    part("divider").style.left = `${at}%`;
    part("divider").hidden = at === "0" || at === "100";
  }

  function showList() {
    const { pictures, current } = gallery, first = part("drop").contains(document.activeElement);
    part("drop").hidden = pictures.length > 0;
    part("work").hidden = pictures.length === 0;
    if (first && pictures.length) part("split").focus(); // what had the focus is gone
    part("list").hidden = pictures.length < 2;
    part("save-all").hidden = pictures.length < 2;
    replaceButtons(part("list"), pictures.map((picture, i) => {
      const button = Object.assign(document.createElement("button"), { type: "button", textContent: picture.name });
      button.setAttribute("aria-pressed", picture === current);
      button.setAttribute("aria-label", text("picture", i + 1, picture.name));
      button.addEventListener("click", () => choose(picture));
      return button;
    }));
  }

  function label() {
    const { pictures, current } = gallery;
    part("after").setAttribute("aria-label", text("picture", pictures.indexOf(current) + 1, current.name));
  }

  function choose(picture) {
    gallery.current = picture;
    showList();
    label();
    tab.chosen();
  }

  function add(files) {
    const others = files.filter(({ type }) => !type.startsWith("image/"));
    if (others.length) client.say(text("notPicture", others[0].name));
    files = files.filter((file) => !others.includes(file));
    for (const blob of files) gallery.pictures.push({ blob, name: blob.name, look: { ...tab.look } });
    if (files.length) choose(gallery.pictures.at(-files.length));
  }

  async function file(picture) {
    const type = part("format").value;
    client.say(text("saving", picture.name));
    const blob = await tab.result(picture, type);
    return { blob, name: `${stem(picture.name)}${tab.suffix}.${type === "image/png" ? "png" : "jpg"}` };
  }

  async function save(list) {
    part("save").disabled = part("save-all").disabled = true;
    try {
      const files = [];
      for (const picture of list) files.push(await file(picture));
      const name = list.length > 1 ? tab.archive : files[0].name;
      saveBlob(list.length > 1 ? await zip(files) : files[0].blob, name);
      client.say(text("saved", name));
    } catch (error) {
      client.say(text("failed", error.message));
    } finally {
      part("save").disabled = part("save-all").disabled = false;
    }
  }

  // The stage gets the shape of a picture, and canvases their size.
  gallery.fit = ({ width, height }) => {
    for (const name of ["before", "after"]) Object.assign(part(name), { width, height });
    part("stage").style.width = `min(100%, ${70 * width / height}vh, ${Math.max(width, 640)}px)`;
  };

  gallery.remove = (picture) => {
    const { pictures, current } = gallery;
    pictures.splice(pictures.indexOf(picture), 1);
    if (picture !== current) return showList();
    gallery.current = null;
    return pictures.length ? choose(pictures.at(-1)) : showList();
  };

  gallery.change = (look) => {
    gallery.current.look = { ...gallery.current.look, ...look };
    tab.show();
  };

  // A number of the look, with its slider.
  gallery.showNumber = (name, value, digits) => {
    part(name).value = value;
    part(`${name}-value`).textContent = formatNumber(value, digits);
  };

  // A photograph that comes with the page, from the column of its sheet that begins at `left`; drawn on by `change`.
  gallery.example = async (left, change) => {
    const sheet = await createImageBitmap(new Blob([await client.asset("example.jpg")]));
    const canvas = new OffscreenCanvas(240, 160), context = canvas.getContext("2d");
    context.drawImage(sheet, -left, -165);
    change?.(context);
    add([new File([await canvas.convertToBlob()], "example.png", { type: "image/png" })]);
  };

  openFiles(document.getElementById(id), [[part("files"), part("open"), part("more")]], add);
  part("split").addEventListener("input", showSplit);
  part("save").addEventListener("click", () => save([gallery.current]));
  part("save-all").addEventListener("click", () => save(gallery.pictures));
  part("after").setAttribute("role", "img");
  document.addEventListener("languagechange", () => {
    if (!gallery.current) return;
    showList();
    label();
    tab.show();
  });
  showSplit();
  return gallery;
}
