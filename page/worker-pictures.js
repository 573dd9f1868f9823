// worker-pictures.js - pictures as pixels: decoded by the browser, upright and as sRGB.

// The pixels of a picture, at most `most` a side; transparent ones over white. Fails with a key of text.js.
export async function decode(blob, most = Infinity) {
  const bitmap = await createImageBitmap(blob).catch(() => { throw new Error("notPicture"); });
  const scale = Math.min(1, most / Math.max(bitmap.width, bitmap.height));
  const width = Math.max(1, Math.round(bitmap.width * scale)), height = Math.max(1, Math.round(bitmap.height * scale));
  const context = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
  context.imageSmoothingQuality = "high";
  context.fillStyle = "white";
  context.fillRect(0, 0, width, height);
  context.drawImage(bitmap, 0, 0, width, height);
  bitmap.close();
  return context.getImageData(0, 0, width, height);
}

// The square in its middle, `side` pixels each way, as planes [3][side][side].
export async function decodeSquare(blob, side) {
  const bitmap = await createImageBitmap(blob).catch(() => { throw new Error("notPicture"); });
  const least = Math.min(bitmap.width, bitmap.height);
  const context = new OffscreenCanvas(side, side).getContext("2d", { willReadFrequently: true });
  context.imageSmoothingQuality = "high";
  context.fillStyle = "white";
  context.fillRect(0, 0, side, side);
  context.drawImage(bitmap, (bitmap.width - least) / 2, (bitmap.height - least) / 2, least, least, 0, 0, side, side);
  bitmap.close();
  const { data } = context.getImageData(0, 0, side, side), plane = side * side, planes = new Uint8Array(3 * plane);
  for (let i = 0; i < plane; i++)
    for (let c = 0; c < 3; c++) planes[c * plane + i] = data[4 * i + c];
  return planes;
}
