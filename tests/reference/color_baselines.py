#!/usr/bin/python3
"""The figures of colorization's baselines on CIFAR-10's official split in NumPy and PyTorch: the independent
witness of test_color.c. Fitted on the 50,000 training pictures.

usage: color_baselines.py DIR [COUNT] >color_baselines.txt
DIR holds the batches of the binary version. Measures grey on all test pictures and every baseline on the first COUNT
(1000; a multiple of 1000). Prints a line for each: name, pictures, then the figures in the order of the heading."""
import sys
import numpy as np
import torch


def read(name):
    records = np.fromfile(f"{sys.argv[1]}/{name}.bin", dtype=np.uint8).reshape(-1, 3073)
    return records[:, 1:].reshape(-1, 3, 1024)


def yuv(rgb):  # [n, 3, pixels] in [0, 1]; the differences make U and V of a grey exactly 0
    r, g, b = rgb[:, 0], rgb[:, 1], rgb[:, 2]
    return np.stack([.299 * r + .587 * g + .114 * b, .492 * (.299 * (b - r) + .587 * (b - g)),
                     .877 * (.587 * (r - g) + .114 * (r - b))], 1)


def lab(rgb):
    matrix = np.array([[.4124564, .3575761, .1804375], [.2126729, .7151522, .0721750], [.0193339, .1191920, .9503041]])
    linear = np.where(rgb <= .04045, rgb / 12.92, ((rgb + .055) / 1.055) ** 2.4)
    t = np.einsum("ij,njp->nip", matrix, linear) / matrix.sum(1)[None, :, None]
    f = np.where(t > 216 / 24389, np.cbrt(t), (24389 / 27 * t + 16) / 116)
    return np.stack([116 * f[:, 1] - 16, 500 * (f[:, 0] - f[:, 1]), 200 * (f[:, 1] - f[:, 2])], 1)


def ciede2000(x, y):
    """With hues as complex numbers: their mean is the direction of the sum of the unit vectors. Only opposite ones need
    the definition: mean and difference of the two angles in [0, 360)."""
    def seven(c):
        return np.sqrt(c ** 7 / (c ** 7 + 25. ** 7))
    g = .5 * (1 - seven((np.hypot(x[:, 1], x[:, 2]) + np.hypot(y[:, 1], y[:, 2])) / 2))
    z1, z2 = (1 + g) * x[:, 1] + 1j * x[:, 2], (1 + g) * y[:, 1] + 1j * y[:, 2]
    c1, c2 = abs(z1), abs(z2)
    colored = (c1 > 1e-9) & (c2 > 1e-9)  # rounding leaves greys a chroma of 1e-14
    u1, u2 = [np.where(c > 1e-9, z / np.maximum(c, 1e-300), 0) for z, c in ((z1, c1), (z2, c2))]
    turned = np.where(colored, np.angle(u2 * u1.conj()), 0)
    h = np.degrees(np.angle(u1 + u2)) % 360
    h1, h2, opposite = np.angle(u1) % (2 * np.pi), np.angle(u2) % (2 * np.pi), abs(turned) > np.pi - 1e-11
    h, turned = np.where(opposite, np.degrees(h1 + h2) / 2, h), np.where(opposite, h2 - h1, turned)
    l, c = (x[:, 0] + y[:, 0]) / 2, (c1 + c2) / 2
    rad = np.radians
    t = (1 - .17 * np.cos(rad(h - 30)) + .24 * np.cos(rad(2 * h)) + .32 * np.cos(rad(3 * h + 6))
         - .2 * np.cos(rad(4 * h - 63)))
    dl = (y[:, 0] - x[:, 0]) / (1 + .015 * (l - 50) ** 2 / np.sqrt(20 + (l - 50) ** 2))
    dc = (c2 - c1) / (1 + .045 * c)
    dh = np.where(colored, 2 * np.sqrt(c1 * c2) * np.sin(turned / 2), 0) / (1 + .015 * c * t)
    rotation = -2 * seven(c) * np.sin(rad(60 * np.exp(-((h - 275) / 25) ** 2)))
    return np.sqrt(dl ** 2 + dc ** 2 + dh ** 2 + rotation * dc * dh)


def ssim(x, y):
    g = torch.exp(-(torch.arange(11, dtype=torch.float64) - 5) ** 2 / 4.5)
    window = torch.outer(g, g)[None, None] / g.sum() ** 2
    a, b = [torch.from_numpy(v.reshape(-1, 1, 32, 32)) for v in (x, y)]
    ma, mb, aa, bb, ab = [torch.nn.functional.conv2d(v, window) for v in (a, b, a * a, b * b, a * b)]
    s = ((2 * ma * mb + 1e-4) * (2 * (ab - ma * mb) + 9e-4)
         / ((ma * ma + mb * mb + 1e-4) * (aa - ma * ma + bb - mb * mb + 9e-4)))
    return s.mean().item()


def colorfulness(rgb):
    r, g, b = 255 * rgb[:, 0], 255 * rgb[:, 1], 255 * rgb[:, 2]
    rg, yb = r - g, (r + g) / 2 - b
    return (np.hypot(rg.std(1), yb.std(1)) + .3 * np.hypot(rg.mean(1), yb.mean(1))).mean()


def figures(pictures, uv):
    truth, uv = pictures / 255., uv.astype(np.float32).astype(float)  # networks give floats
    true = yuv(truth)
    r, b = uv[:, 1] / .877, uv[:, 0] / .492
    y = true[:, 0]
    merged = np.stack([y + r, y - (.299 * r + .114 * b) / .587, y + b], 1)
    merged = np.floor(merged.clip(0, 1) * 255 + .5) / 255
    got, mse = yuv(merged), ((merged - truth) ** 2).mean((1, 2))
    uv_mse = ((got - true)[:, 1:] ** 2).mean()
    lx, ly = lab(truth), lab(merged)
    distance = np.hypot(*(ly - lx)[:, 1:].swapaxes(0, 1))
    off = abs(np.rint(lx) - np.rint(ly))
    close = [((off[:, 0] <= e) & (off[:, 1:].max(1) <= 2.2 * e)).mean() for e in (2, 5)]
    return [uv_mse, ((uv - true[:, 1:]) ** 2).mean(), 1 - uv_mse / (true[:, 1:] ** 2).mean(), mse.mean(),
            -10 * np.log10(mse.mean()), -10 * np.log10(mse.clip(1e-10)).mean(), ssim(truth, merged),
            abs(merged - truth).mean(),
            np.searchsorted(np.sort(distance.ravel()), np.arange(151), side="right").mean() / distance.size,
            ciede2000(lx, ly).mean(), colorfulness(merged), colorfulness(truth),
            ((true[:, 2] > true[:, 1]) == (uv[:, 1] > uv[:, 0])).mean(), *close]


def fit(train):
    sums, counts = np.zeros((2, 256)), np.zeros(256)
    parts = [yuv(train[i:i + 5000] / 255.) for i in range(0, len(train), 5000)]
    bins = [(p[:, 0] * 255 + .5).astype(int) for p in parts]
    constant = np.mean([p[:, 1:].mean((0, 2)) for p in parts], 0)
    for p, b in zip(parts, bins):
        counts += np.bincount(b.ravel(), minlength=256)
        for c in range(2):
            sums[c] += np.bincount(b.ravel(), p[:, c + 1].ravel(), 256)
    table = (sums + 40 * constant[:, None]) / (counts + 40)
    rest, cells = np.zeros((2, 32 * 1024)), np.zeros(32 * 1024)
    for p, b in zip(parts, bins):
        cell = (b // 8 * 1024 + np.arange(1024)).ravel()
        cells += np.bincount(cell, minlength=32 * 1024)
        for c in range(2):
            rest[c] += np.bincount(cell, (p[:, c + 1] - table[c][b]).ravel(), 32 * 1024)
    return constant, table, rest / (cells + 40)


def blocks(uv, side):
    n = 32 // side
    means = uv.reshape(-1, 2, n, side, n, side).mean((3, 5))
    return means.repeat(side, 2).repeat(side, 3).reshape(-1, 2, 1024)


test = read("test_batch")
constant, table, place = fit(np.concatenate([read(f"data_batch_{i}") for i in range(1, 6)]))


def line(name, count, predict):
    rows = []
    for i in range(0, count, 1000):
        true = yuv(test[i:i + 1000] / 255.)
        bins = (true[:, 0] * 255 + .5).astype(int)
        rows.append(figures(test[i:i + 1000], predict(true[:, 1:], bins)) + [(true[:, 1:] ** 2).mean()])
    mean = np.mean(rows, 0)
    mean[2], mean[4] = 1 - mean[0] / mean[-1], -10 * np.log10(mean[3])  # of all pictures, not means of thousands
    print(f"{name}\t{count}\t" + "\t".join(f"{v:.9f}" for v in mean[:-1]), flush=True)


print("# name, pictures, uv_mse, uv_mse_float, r2, rgb_mse, psnr, psnr_mean, ssim, mae, auc, ciede2000, "
      "colorfulness, colorfulness_truth, accuracy, acc2, acc5")
count = int(sys.argv[2]) if len(sys.argv) > 2 else 1000
line("grey copy", 10000, lambda uv, b: 0 * uv)
line("grey copy", count, lambda uv, b: 0 * uv)
line("constant", count, lambda uv, b: 0 * uv + constant[None, :, None])
line("table by luminance", count, lambda uv, b: table[:, b].swapaxes(0, 1))
line("table by luminance and place", count, lambda uv, b: (
    table[:, b] + place[:, b // 8 * 1024 + np.arange(1024)]).swapaxes(0, 1))
line("oracle: one color a picture", count, lambda uv, b: blocks(uv, 32))
line("oracle: UV of 8x8 blocks", count, lambda uv, b: blocks(uv, 8))
