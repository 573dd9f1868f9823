#!/usr/bin/python3
"""Pictures of 64x64 pixels to train a colorizer of photographs on. Needs python3-pil and python3-numpy.

usage: thumbnails.py TINY-IMAGENET OUT.npz [PHOTOGRAPHS]

TINY-IMAGENET has train/CLASS/images/*.JPEG and val/images/val_*.JPEG: 2,000 of the former, chosen by chance, are x_val, the others
x_train, and the latter x_test. With PHOTOGRAPHS, a folder of JPEG files, x_train also has 128 views of each of them but every
fifth: all of it, and windows of half its sides or more, made 64x64 whatever their shape."""
import os
import random
import sys
import numpy
from PIL import Image

VIEWS, HELD = 128, 2000


def load(paths):
    return numpy.stack([numpy.asarray(Image.open(p).convert("RGB")) for p in paths])


def views(photo, rng):
    """Boxes of a picture: the whole, then others."""
    yield 0, 0, photo.width, photo.height
    for _ in range(VIEWS - 1):
        across = rng.uniform(.5, 1)
        down = min(1, max(.5, across * rng.uniform(.8, 1.25)))
        width, height = int(across * photo.width), int(down * photo.height)
        left, top = rng.randint(photo.width - width + 1), rng.randint(photo.height - height + 1)
        yield left, top, left + width, top + height


if len(sys.argv) not in (3, 4):
    sys.exit(__doc__)
tiny, out = sys.argv[1:3]
train = [os.path.join(tiny, "train", c, "images", f) for c in sorted(os.listdir(os.path.join(tiny, "train")))
         for f in sorted(os.listdir(os.path.join(tiny, "train", c, "images")))]
random.Random(1).shuffle(train)
parts = {"x_train": load(train[HELD:]), "x_val": load(train[:HELD]),
         "x_test": load([os.path.join(tiny, "val", "images", "val_%d.JPEG" % i) for i in range(10000)])}
if len(sys.argv) == 4:
    names = [f for f in sorted(os.listdir(sys.argv[3])) if f.endswith(".jpg")]
    rng, seen = numpy.random.RandomState(1), []
    for name in (f for i, f in enumerate(names) if i % 5 != 4):
        photo = Image.open(os.path.join(sys.argv[3], name)).convert("RGB")
        seen += [numpy.asarray(photo.resize((64, 64), Image.BOX, box=box)) for box in views(photo, rng)]
    both = numpy.concatenate([parts["x_train"], numpy.stack(seen)])
    parts["x_train"] = both[numpy.random.RandomState(2).permutation(len(both))]
numpy.savez(out, **parts)
