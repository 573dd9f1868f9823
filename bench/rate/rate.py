#!/usr/bin/python3
"""Bytes against error: caelum's codes beside JPEG and WebP at the same bytes. Needs python3-pil and python3-numpy.

usage: rate.py DATA MODEL... [--count N]

Takes N pictures of DATA's test split (default all), alone and as mosaics of 8 x 8, through `caelum encode` and `caelum
decode` with each model, and through JPEG (libjpeg, optimized tables, 4:2:0 and 4:4:4) and WebP (libwebp, method 6) at
all their qualities; a line for each model, with what the others reach at as many bytes, interpolated between qualities on a
logarithmic scale of errors. Sizes are means a picture: of the payload (caelum: the coded numbers; JPEG: behind the last
header; WebP: the VP8 chunk's content), and of the whole file (caelum: one file of all pictures, divided)."""
import io
import os
import subprocess
import sys
import tempfile
import numpy
from PIL import Image

CAELUM = os.environ.get("CAELUM", "build/caelum")


def command(*words):
    return subprocess.run([CAELUM, *words], check=True, capture_output=True, text=True).stdout


def read(directory):
    return [numpy.asarray(Image.open(os.path.join(directory, f)).convert("RGB")) for f in sorted(os.listdir(directory))]


def ssim_parts(a, b):
    """Of pictures from 0 to 1: the map of luminance, and that of contrast and structure (Wang 2004; Gaussian of 11 and sigma 1.5,
    valid windows)."""
    g = numpy.exp(-((numpy.arange(11) - 5) ** 2) / (2 * 1.5 ** 2))
    g /= g.sum()

    def blur(x):
        x = sum(w * x[i:x.shape[0] - 10 + i] for i, w in enumerate(g))
        return sum(w * x[:, i:x.shape[1] - 10 + i] for i, w in enumerate(g))
    ma, mb = blur(a), blur(b)
    va, vb, ab = blur(a * a) - ma * ma, blur(b * b) - mb * mb, blur(a * b) - ma * mb
    return (2 * ma * mb + 1e-4) / (ma * ma + mb * mb + 1e-4), (2 * ab + 9e-4) / (va + vb + 9e-4)


def ssim(a, b):
    light, rest = ssim_parts(a / 255.0, b / 255.0)
    return float(numpy.mean(light * rest))


def figures(truth, made):
    mse = float(numpy.mean([numpy.mean((a / 255.0 - b / 255.0) ** 2) for a, b in zip(truth, made)]))
    return mse, float(numpy.mean([ssim(a, b) for a, b in zip(truth[:500], made[:500])]))


def jpeg_payload(data):
    at = data.rindex(b"\xff\xda")
    return len(data) - at - 2 - int.from_bytes(data[at + 2:at + 4], "big") - 2


def points(truth, kind):
    """[(payload, file, mse, ssim)] by rising quality."""
    found = []
    options = [{"subsampling": s} for s in (2, 0)] if kind == "JPEG" else [{"method": 6}]
    for extra in options:
        line = []
        for quality in (1, 2, 4, 6, 8, 11, 15, 20, 26, 33, 41, 50, 60, 70, 78, 85, 90, 94, 97):
            if kind == "JPEG":
                extra = dict(extra, optimize=True)
            payload, size, made = 0, 0, []
            for picture in truth:
                out = io.BytesIO()
                Image.fromarray(picture).save(out, kind, quality=quality, **extra)
                data = out.getvalue()
                size += len(data)
                payload += jpeg_payload(data) if kind == "JPEG" else len(data) - 20
                made.append(numpy.asarray(Image.open(io.BytesIO(data)).convert("RGB")))
            line.append((payload / len(truth), size / len(truth), *figures(truth, made)))
        found.append(line)
    return found


def at_bytes(lines, which, size):
    """Lowest error among the lines at `size` bytes of payload (which 0) or file (1), and its SSIM."""
    best = None
    for line in lines:
        sizes = [p[which] for p in line]
        if size < min(sizes):
            continue
        logs = numpy.interp(size, sizes, [numpy.log(p[2]) for p in line])
        found = (float(numpy.exp(logs)), float(numpy.interp(size, sizes, [p[3] for p in line])))
        best = min(best, found) if best else found
    return "%.5f / %.3f" % best if best else "not so small"


def measure(title, truth, models, directory):
    print("\n" + title + "\n")
    print("| model | bits of payload | bytes of payload / file | mse | psnr dB | ssim | JPEG, payload | JPEG, file | "
          "WebP, payload | WebP, file |\n|---|---|---|---|---|---|---|---|---|---|")
    jpeg, webp = points(truth, "JPEG"), points(truth, "WEBP")
    names = [os.path.join(directory, f) for f in sorted(os.listdir(directory))]
    for model in models:
        with tempfile.TemporaryDirectory() as scratch:
            code = os.path.join(scratch, "code")
            told = command("encode", *names, "--model", model, "-o", code)
            command("decode", code, "--model", model, "-o", os.path.join(scratch, "out"), "-q")
            payload = sum(int(line.split("  ")[2].split()[0]) for line in told.splitlines()) / len(names)
            size = os.path.getsize(code) / len(names)
            mse, similar = figures(truth, read(os.path.join(scratch, "out")))
        print("| %s | %.0f | %.1f / %.1f | %.5f | %.2f | %.3f | %s | %s | %s | %s |" % (
            os.path.basename(model).split(".")[0], payload * 8, payload, size, mse, -10 * numpy.log10(mse), similar,
            at_bytes(jpeg, 0, payload), at_bytes(jpeg, 1, size), at_bytes(webp, 0, payload), at_bytes(webp, 1, size)),
            flush=True)


def main():
    words = sys.argv[1:]
    count = 0
    if "--count" in words:
        at = words.index("--count")
        count = int(words[at + 1])
        del words[at:at + 2]
    if len(words) < 2:
        sys.exit(__doc__)
    data, models = words[0], words[1:]
    with tempfile.TemporaryDirectory() as scratch:
        small, large = os.path.join(scratch, "small"), os.path.join(scratch, "large")
        command("data", "export", data, "--split", "test", "--count", str(count), "-o", small)
        truth = read(small)
        measure("%d pictures of %dx%d" % (len(truth), truth[0].shape[1], truth[0].shape[0]), truth, models, small)
        os.mkdir(large)
        mosaics = []
        for i in range(0, len(truth) - 63, 64):
            rows = [numpy.concatenate(truth[i + 8 * r:i + 8 * r + 8], axis=1) for r in range(8)]
            mosaics.append(numpy.concatenate(rows, axis=0))
            Image.fromarray(mosaics[-1]).save(os.path.join(large, "%05d.png" % i))
        if mosaics:
            size = mosaics[0].shape
            measure("%d mosaics of 64 pictures, %dx%d" % (len(mosaics), size[1], size[0]), mosaics, models, large)


if __name__ == "__main__":
    main()
