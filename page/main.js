// main.js - the page's frame: its tabs, its language, and the worker that does the work.
import { openColorize } from "./colorize.js";
import { openWorker, served } from "./client.js";
import { openDefects } from "./defects.js";
import { openDenoise } from "./denoise.js";
import { openRuns } from "./runs.js";
import { openLanguages, text } from "./text.js";
import { openTrain } from "./train.js";

// Each tab is a section of index.html with this id; `open` is called when it is first shown; `server`: it needs one.
const TABS = [
  { id: "colorize", open: openColorize },
  { id: "denoise", open: openDenoise },
  { id: "train", open: openTrain },
  { id: "defects", open: openDefects },
  { id: "runs", open: openRuns, server: true },
].filter(({ server }) => !server || served());

const byId = (id) => document.getElementById(id);
let client = null;

function show(id, focus = false) {
  for (const tab of TABS) {
    const chosen = tab.id === id, button = byId(`tab-${tab.id}`);
    button.setAttribute("aria-selected", chosen);
    button.tabIndex = chosen ? 0 : -1;
    if (chosen && byId(tab.id).hidden) byId("status").textContent = "";
    byId(tab.id).hidden = !chosen;
    if (chosen && focus) button.focus();
    if (chosen && client && !tab.opened) {
      tab.opened = true;
      tab.open(client);
    }
  }
}

function openTabs() {
  for (const { id } of TABS) {
    const button = Object.assign(document.createElement("button"), { type: "button", id: `tab-${id}` });
    button.setAttribute("role", "tab");
    button.setAttribute("aria-controls", id);
    button.dataset.text = id;
    button.addEventListener("click", () => show(id));
    byId("tabs").append(button);
    byId(id).setAttribute("aria-labelledby", button.id);
  }
  byId("tabs").addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!step) return;
    const at = TABS.findIndex(({ id }) => byId(`tab-${id}`).getAttribute("aria-selected") === "true");
    show(TABS[(at + step + TABS.length) % TABS.length].id, true);
  });
}

function showBits() {
  if (client) byId("bits").textContent = text(client.fused ? "bitsSame" : "bitsOther");
}

async function start() {
  const first = TABS.find(({ id }) => `#${id}` === location.hash) ?? TABS[0];
  openTabs();
  openLanguages(byId("language"), () => {
    showBits();
    document.dispatchEvent(new Event("languagechange"));
  });
  show(first.id);
  byId("status").textContent = text("loading");
  document.querySelector("main").inert = true; // a click would be lost
  try {
    client = await openWorker((message) => { byId("status").textContent = message; });
  } catch (error) {
    byId("status").textContent = text("unsupported", error.message);
    return;
  } finally {
    document.querySelector("main").inert = false;
  }
  showBits();
  byId(first.id).hidden = true;
  show(first.id);
}

start();
