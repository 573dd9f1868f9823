#!/usr/bin/python3
"""What fading does to colors: pictures faded on purpose. Needs python3-pil and python3-numpy.

usage: faded.py PICTURE|FOLDER... [-- OPTIONS OF caelum colorize]

Makes each picture grey, gives it less contrast (a luminance y becomes black + (white - black) y), runs it through
`caelum colorize --vivid 0` with the options, and prints for each fading, over all pictures: the UV MSE over that of grey (0
for the truth, 1 for grey), its median, and the cast: how far the mean U and V of a picture are from the truth's, in 255
levels, root of the mean square over pictures."""
import os
import subprocess
import sys
import tempfile
import numpy
from PIL import Image

CAELUM = os.environ.get("CAELUM", "build/caelum")
FADINGS = [(0, 1), (.1, .9), (.2, .8), (.3, .7), (.4, .95), (.05, .5), (.4, .6)]


def chroma(picture):
    rgb = numpy.asarray(picture.convert("RGB")) / 255
    y = rgb @ [.299, .587, .114]
    return y, numpy.stack([.492 * (rgb[..., 2] - y), .877 * (rgb[..., 0] - y)])


words = sys.argv[1:]
cut = words.index("--") if "--" in words else len(words)
paths = [os.path.join(w, f) if f else w for w in words[:cut] for f in (sorted(os.listdir(w)) if os.path.isdir(w) else [""])]
if not paths:
    sys.exit(__doc__)
print("%d pictures\n\n| black, white | UV MSE / grey's | median | cast |\n|---|--:|--:|--:|" % len(paths))
for black, white in FADINGS:
    error, grey, cast = [], [], []
    with tempfile.TemporaryDirectory() as folder:
        truths = []
        for i, path in enumerate(paths):
            y, uv = chroma(Image.open(path))
            truths.append(uv)
            faded = (255 * (black + (white - black) * y) + .5).astype(numpy.uint8)
            Image.fromarray(faded).save("%s/%05d.png" % (folder, i))
        command = [CAELUM, "colorize", folder, "-o", folder + "/out", "--vivid", "0", *words[cut + 1:]]
        subprocess.run(command, check=True, capture_output=True)
        for i, uv in enumerate(truths):
            made = chroma(Image.open("%s/out/%05d.png" % (folder, i)))[1]
            error.append(numpy.mean((uv - made) ** 2))
            grey.append(numpy.mean(uv ** 2))
            cast.append(numpy.sum((255 * (uv - made).mean((1, 2))) ** 2))
    ratio = [e / g for e, g in zip(error, grey)]
    print("| %.2f, %.2f | %.3f | %.3f | %.1f |"
          % (black, white, sum(error) / sum(grey), numpy.median(ratio), numpy.sqrt(numpy.mean(cast))))
