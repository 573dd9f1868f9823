// worker-defects.js - a model of `caelum anomaly train` looks at pictures.
import { loadModel, readModel } from "./safetensors.js";
import { decode } from "./worker-pictures.js";

const MOST_SHOWN = 800; // pixels a side of a heat map
let finder = null;

// A picture of the page's size for its pixels.
async function shown(image) {
  const scale = Math.min(1, MOST_SHOWN / Math.max(image.width, image.height));
  return createImageBitmap(image, { resizeWidth: Math.max(1, Math.round(image.width * scale)),
    resizeHeight: Math.max(1, Math.round(image.height * scale)), resizeQuality: "medium" });
}

export const DEFECTS_TASKS = {
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
