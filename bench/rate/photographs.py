#!/usr/bin/python3
"""Bytes against error on photographs: caelum's codes beside JPEG, WebP and AVIF. Needs python3-pil, python3-numpy and
python3-scipy; AVIF where avifenc and avifdec are (libavif-bin).

usage: photographs.py PICTURES MODEL[:PRICE,...]...

All pictures of a directory go through `caelum encode` and `caelum decode` with each model at each price (default 0, 0.05 and
0.15), one file a picture; through JPEG (libjpeg, optimized tables, 4:2:0), WebP (libwebp, method 6) and AVIF (speed 6,
4:2:0) at several qualities. A line for each: bits a pixel of the whole files, PSNR and MS-SSIM (Wang 2003; of RGB), means over
the pictures. The points of all models make one curve; those above 0.25 and below 2 bits a pixel count. BD-rate (Bjontegaard 2001,
VCEG-M33, with PCHIP in place of a cubic): by how much its files are larger, negative: smaller, than another's at the same
PSNR, in the mean over the range that both have."""
import io
import os
import shutil
import subprocess
import sys
import tempfile
import time
import numpy
from PIL import Image
from scipy.interpolate import PchipInterpolator
from rate import command, read, ssim_parts

LEAST, MOST = 0.25, 2


def ms_ssim(a, b):
    found = 1
    a, b = a / 255.0, b / 255.0
    weights = (.0448, .2856, .3001, .2363, .1333)
    for i, weight in enumerate(weights):
        light, rest = ssim_parts(a, b)
        found *= max(float(numpy.mean(light * rest if i == len(weights) - 1 else rest)), 0) ** weight
        a, b = (x[:x.shape[0] // 2 * 2, :x.shape[1] // 2 * 2] for x in (a, b))
        a, b = ((x[::2, ::2] + x[1::2, ::2] + x[::2, 1::2] + x[1::2, 1::2]) / 4 for x in (a, b))
    return found


def point(truth, sizes, made):
    """(bits a pixel, PSNR, MS-SSIM)"""
    bits = [8 * size / (t.shape[0] * t.shape[1]) for size, t in zip(sizes, truth)]
    psnr = [-10 * numpy.log10(numpy.mean((t / 255.0 - m / 255.0) ** 2)) for t, m in zip(truth, made)]
    return tuple(float(numpy.mean(x)) for x in (bits, psnr, [ms_ssim(t, m) for t, m in zip(truth, made)]))


def by_pillow(kind, **options):
    def save(picture, quality):
        out = io.BytesIO()
        Image.fromarray(picture).save(out, kind, quality=quality, **options)
        return len(out.getvalue()), numpy.asarray(Image.open(io.BytesIO(out.getvalue())).convert("RGB"))
    return save


def by_avifenc(picture, quality):
    with tempfile.TemporaryDirectory() as scratch:
        a, b, c = (os.path.join(scratch, name) for name in ("a.png", "b.avif", "c.png"))
        Image.fromarray(picture).save(a)
        subprocess.run(["avifenc", "-s", "6", "-y", "420", "--min", str(quality), "--max", str(quality), a, b],
                       check=True, capture_output=True)
        subprocess.run(["avifdec", b, c], check=True, capture_output=True)
        return os.path.getsize(b), numpy.asarray(Image.open(c).convert("RGB"))


OTHERS = {"JPEG": (by_pillow("JPEG", optimize=True, subsampling=2), (8, 15, 25, 40, 55, 70, 80, 88, 93)),
          "WebP": (by_pillow("WEBP", method=6), (2, 10, 25, 45, 65, 78, 86, 92, 96)),
          "AVIF": (by_avifenc, (50, 42, 36, 30, 24, 18, 13, 9))}


def report(name, truth, sizes, made, seconds):
    found = point(truth, sizes, made)
    print("| %s | %.3f | %.2f | %.4f | %.2f | %.2f |" % (name, *found, *seconds), flush=True)
    return found


def caelum(model, price, names, truth):
    with tempfile.TemporaryDirectory() as scratch:
        sizes, made, seconds = [], [], [0, 0]
        for name in names:
            code, out = os.path.join(scratch, "code"), os.path.join(scratch, "out")
            began = time.monotonic()
            command("encode", name, "--model", model, "--price", price, "-o", code, "--force", "-q")
            between = time.monotonic()
            command("decode", code, "--model", model, "-o", out, "-q")
            seconds = seconds[0] + between - began, seconds[1] + time.monotonic() - between
            sizes.append(os.path.getsize(code))
            made.append(read(out)[0])
            shutil.rmtree(out)
        each = [s / sum(t.shape[0] * t.shape[1] for t in truth) * 1e6 for s in seconds]
        return report("%s, price %s" % (os.path.basename(model).split(".")[0], price), truth, sizes, made, each)


def curve(points):
    """PSNR and the logarithm of bits, rising, without points that another beats in both."""
    best = []
    for bits, psnr, _ in sorted(p for p in points if LEAST <= p[0] <= MOST):
        if not best or psnr > best[-1][0]:
            best.append((psnr, numpy.log(bits)))
    return numpy.array(best).T


def bd_rate(ours, theirs):
    (x, a), (y, b) = curve(ours), curve(theirs)
    low, high = max(x[0], y[0]), min(x[-1], y[-1])
    difference = PchipInterpolator(x, a).integrate(low, high) - PchipInterpolator(y, b).integrate(low, high)
    return 100 * (numpy.exp(difference / (high - low)) - 1)


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    names = [os.path.join(sys.argv[1], name) for name in sorted(os.listdir(sys.argv[1]))]
    truth = [numpy.asarray(Image.open(name).convert("RGB")) for name in names]
    print("| %d pictures | bits a pixel | PSNR dB | MS-SSIM | s a megapixel to encode | to decode |" % len(truth))
    print("|---|--:|--:|--:|--:|--:|")
    ours = []
    for word in sys.argv[2:]:
        model, _, prices = word.partition(":")
        ours += [caelum(model, price, names, truth) for price in (prices or "0,0.05,0.15").split(",")]
    for kind, (save, qualities) in OTHERS.items():
        if kind == "AVIF" and not shutil.which("avifenc"):
            print("AVIF left out: avifenc is not there (libavif-bin)", file=sys.stderr)
            continue
        theirs = []
        for quality in qualities:
            saved = [save(picture, quality) for picture in truth]
            theirs.append(report("%s %d" % (kind, quality), truth, *zip(*saved), (float("nan"),) * 2))
        print("BD-rate against %s: %+.1f %%" % (kind, bd_rate(ours, theirs)), flush=True)


if __name__ == "__main__":
    main()
