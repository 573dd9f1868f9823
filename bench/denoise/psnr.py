#!/usr/bin/python3
"""How well noise is taken out of the denoising papers' test pictures. Needs python3-pil and python3-numpy.

usage: psnr.py [--record] [MODEL [PHOTOS]]

PHOTOS (../shared/photos) holds bsd68, grey, and cbsd68. White Gaussian noise, seeded by the picture's number, is added without
clipping or rounding; PSNR is the mean over the pictures, of results as they are. "blind" is without the level. Published figures
are as recalled from the papers. With --record the model's metadata keep the figures. Set CAELUM_LIBRARY to the build's libcaelum.so."""
import os
import sys

import numpy as np
from PIL import Image

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../../python"))
import caelum  # noqa: E402

PUBLISHED = {("bsd68", 15): "BM3D 31.07, DnCNN 31.72, FFDNet 31.63", ("bsd68", 25): "BM3D 28.57, DnCNN 29.23, FFDNet 29.19",
             ("bsd68", 50): "BM3D 25.62, DnCNN 26.23, FFDNet 26.29", ("cbsd68", 25): "CBM3D 30.71, CDnCNN-B 31.23, FFDNet 31.21"}


def psnr(a, b):
    return -10 * np.log10(np.mean((a.astype(float) - b) ** 2))


def measure(model, folder, deviation):
    """Mean PSNR of the noisy pictures, and of results with the level given and without."""
    rows = []
    for number, name in enumerate(sorted(os.listdir(folder))):
        clean = np.asarray(Image.open(os.path.join(folder, name))).astype(np.float32) / 255
        noise = np.random.default_rng(number).normal(0, deviation / 255, clean.shape).astype(np.float32)
        noisy = clean + noise
        rows.append([psnr(x, clean) for x in (noisy, model.denoise(noisy, deviation), model.denoise(noisy))])
    return np.mean(rows, axis=0)


words = [w for w in sys.argv[1:] if w != "--record"]
model = caelum.Model(words[0] if words else "denoiser")
photos = words[1] if len(words) > 1 else os.path.join(HERE, "../../../shared/photos")
print("| pictures | deviation | noisy | level given | blind | published |\n|---|--:|--:|--:|--:|---|")
for folder, deviation in PUBLISHED:
    figures = measure(model, os.path.join(photos, folder), deviation)
    print("| %s | %d | %.2f | %.2f | %.2f | %s |" % (folder, deviation, *figures, PUBLISHED[folder, deviation]), flush=True)
    if "--record" in sys.argv:
        caelum.library.library().model_set_metadata(
            model._model, b"test_%s_%d" % (folder.encode(), deviation), b"psnr=%.2f blind=%.2f noisy=%.2f" % (
                figures[1], figures[2], figures[0]))
if "--record" in sys.argv:
    model.save(words[0])
