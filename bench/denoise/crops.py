#!/usr/bin/python3
"""Crops of photographs at their full size, to train a denoiser on. Needs python3-pil and python3-numpy.

usage: crops.py PHOTOS OUT.npz

Squares of 64 pixels side by side, of two random grids a photograph. Every tenth photograph is held out: every second square of
one grid of it is to validate by."""
import os
import sys

import numpy as np
from PIL import Image

SIDE = 64
if len(sys.argv) != 3:
    sys.exit(__doc__)
rng = np.random.default_rng(1)
train, held = [], []
for number, name in enumerate(sorted(n for n in os.listdir(sys.argv[1]) if n.endswith(".jpg"))):
    photo = np.asarray(Image.open(os.path.join(sys.argv[1], name)).convert("RGB"))
    for grid in range(1 if number % 10 == 9 else 2):
        y, x = (rng.integers(length % SIDE + 1) for length in photo.shape[:2])
        if grid > 0:
            y, x = rng.integers(SIDE), rng.integers(SIDE)
        (held if number % 10 == 9 else train).extend(
            photo[i:i + SIDE, j:j + SIDE] for i in range(y, photo.shape[0] - SIDE + 1, SIDE)
            for j in range(x, photo.shape[1] - SIDE + 1, SIDE))
np.savez(sys.argv[2], x_train=np.stack(train), x_val=np.stack(held[::2]), x_test=np.stack(held[:32:2]))
