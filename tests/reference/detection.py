#!/usr/bin/python3
"""The figures of test_detection.c by scikit-learn, and AU-PRO as Bergmann et al. (2021) define it, at every threshold.

usage: detection.py FILE...
FILE: 32-bit numbers. The count of pictures, then of each its score (float) and whether it is bad; the count of maps,
then of each height, width, the scores (float) and the mask, all numbers of 32 bits. Prints each file's figures, a line each."""
import sys
import numpy as np
from scipy import ndimage
from sklearn import metrics


def au_pro(maps, masks, limit):
    scores = np.concatenate([m.ravel() for m in maps]).astype(np.float64)
    good = np.concatenate([m.ravel() == 0 for m in masks])
    share, regions = np.zeros(len(scores)), 0
    at = 0
    for mask in masks:
        labels, n = ndimage.label(mask, structure=np.ones((3, 3)))
        sizes = np.bincount(labels.ravel())
        flat = labels.ravel()
        share[at:at + flat.size] = np.where(flat > 0, 1 / sizes[flat], 0)
        at += flat.size
        regions += n
    order = np.argsort(-scores, kind="stable")
    last = np.append(np.diff(scores[order]) != 0, True)
    x = np.append(0, (np.cumsum(good[order]) / good.sum())[last])
    y = np.append(0, (np.cumsum(share[order]) / regions)[last])
    inside = x <= limit
    x, y = np.append(x[inside], limit), np.append(y[inside], np.interp(limit, x, y))
    return float(np.sum(np.diff(x) * (y[1:] + y[:-1]) / 2) / limit)


for path in sys.argv[1:]:
    words = np.fromfile(path, dtype=np.uint32)
    n, at = words[0], 1
    pairs = words[at:at + 2 * n].reshape(-1, 2)
    at += 2 * n
    scores, bad = np.ascontiguousarray(pairs[:, 0]).view(np.float32).astype(np.float64), pairs[:, 1] != 0
    precision, recall, thresholds = metrics.precision_recall_curve(bad, scores)
    f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-300)
    maps, masks = [], []
    count = words[at]
    at += 1
    for _ in range(count):
        h, w = words[at:at + 2]
        at += 2
        maps.append(words[at:at + h * w].view(np.float32).reshape(h, w))
        masks.append(words[at + h * w:at + 2 * h * w].reshape(h, w))
        at += 2 * h * w
    assert at == len(words)
    pixels = np.concatenate([m.ravel() for m in maps]).astype(np.float64)
    truth = np.concatenate([m.ravel() != 0 for m in masks])
    for value in [metrics.roc_auc_score(bad, scores), metrics.average_precision_score(bad, scores), f1.max(),
                  thresholds[f1[:-1] >= f1.max() - 1e-12].max(), metrics.roc_auc_score(truth, pixels),
                  metrics.average_precision_score(truth, pixels), au_pro(maps, masks, .3), au_pro(maps, masks, .05)]:
        print(f"{value:.9f}")
