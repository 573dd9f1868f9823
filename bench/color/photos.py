#!/usr/bin/python3
"""How near colorized photographs come to their own colors. Needs python3-pil and python3-numpy.

usage: photos.py PICTURE|FOLDER... [-- OPTIONS OF caelum colorize]

Runs each picture through `caelum colorize --vivid 0` with the options, makes truth and result 512 pixels wide or high at
most by averaging areas, and prints the UV MSE over that of grey: 0 for the truth, 1 for grey. At the end mean and median of
these, and the ratio of the sums."""
import os
import subprocess
import sys
import tempfile
import numpy
from PIL import Image

CAELUM = os.environ.get("CAELUM", "build/caelum")
Image.MAX_IMAGE_PIXELS = None


def chroma(path):
    picture = Image.open(path).convert("RGB")
    picture.thumbnail((512, 512), Image.BOX)
    rgb = numpy.asarray(picture) / 255
    y = rgb @ [.299, .587, .114]
    return numpy.stack([.492 * (rgb[..., 2] - y), .877 * (rgb[..., 0] - y)])


words = sys.argv[1:]
cut = words.index("--") if "--" in words else len(words)
paths = [os.path.join(w, f) if f else w for w in words[:cut] for f in (sorted(os.listdir(w)) if os.path.isdir(w) else [""])]
if not paths:
    sys.exit(__doc__)
errors = []
for path in paths:
    with tempfile.TemporaryDirectory() as out:
        command = [CAELUM, "colorize", path, "-o", out, "--vivid", "0", *words[cut + 1:]]
        subprocess.run(command, check=True, capture_output=True)
        truth, made = chroma(path), chroma(os.path.join(out, os.listdir(out)[0]))
    errors.append((numpy.mean((truth - made) ** 2), numpy.mean(truth ** 2)))
    print("%.3f  %s" % (errors[-1][0] / errors[-1][1], path))
ratio = [e / grey for e, grey in errors]
print("mean %.3f, median %.3f, of sums %.3f" % (numpy.mean(ratio), numpy.median(ratio), sum(e for e, _ in errors) / sum(g for _, g in errors)))
