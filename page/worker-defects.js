// worker-defects.js - a finder of defects looks at pictures, or is trained by good ones.
import { loadModel, readModel, trainFinder } from "./safetensors.js";
import { decode } from "./worker-pictures.js";

const MOST_SHOWN = 800; // pixels a side of a heat map
let finder = null;

// A picture of the page's size for its pixels.
async function shown(image) {
  const scale = Math.min(1, MOST_SHOWN / Math.max(image.width, image.height));
  return createImageBitmap(image, { resizeWidth: Math.max(1, Math.round(image.width * scale)),
    resizeHeight: Math.max(1, Math.round(image.height * scale)), resizeQuality: "medium" });
}

const byName = (a, b) => (a.name < b.name ? -1 : Number(a.name > b.name));

export const DEFECTS_TASKS = {
  // The file of a finder of good pictures, in the order of their names as the program takes them. For a worker of its own:
  // it answers nothing else until it is done.
  async learn({ library, say }, { blobs, steps, falseAlarms }) {
    const gallery = library.checked(library.c.page_gallery(blobs.length)), skipped = [];
    for (const [i, blob] of blobs.sort(byName).entries()) {
      const image = await decode(blob).catch(({ message }) => skipped.push({ name: blob.name, message }) && null);
      if (image) library.addGood(gallery, image);
      say("learning", { stage: "reading", done: i + 1, total: blobs.length });
    }
    if (blobs.length - skipped.length < 2) throw new Error("tooFewGood");
    library.progress = (stage, done, total) => say("learning", { stage, done, total });
    const file = trainFinder(library, gallery, { steps, falseAlarms });
    return { result: { file, skipped }, transfer: [file.buffer] };
  },

  async finder({ library }, { blob, name }) {
    const bytes = new Uint8Array(await blob.arrayBuffer());
    const fine = loadModel(library, bytes, name);
    let coarse = 0;
    try {
      if (readModel(bytes, name).metadata["coarse.network"]) coarse = loadModel(library, bytes, name, "coarse.");
    } catch (error) {
      library.c.page_model_close(fine);
      throw error;
    }
    const found = library.anomaly(fine, coarse, name); // the models are the finder's now
    if (finder) library.c.page_anomaly_close(finder.handle);
    finder = found;
    return { result: { good: finder.good, falseAlarms: finder.falseAlarms } };
  },

  async judge({ library }, { blob }) {
    const image = await decode(blob), verdict = library.findDefects(finder.handle, image);
    const heat = await shown(image);
    return { result: { ...verdict, heat }, transfer: [heat] };
  },
};
