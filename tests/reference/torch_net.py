#!/usr/bin/python3
"""Any network text in PyTorch, in double precision: the independent witness of test_random_nets.c.

usage: torch_net.py LIST [RECORD]
LIST names one case directory a line. A case holds `net.txt` (a comment line "# HEIGHT WIDTH", then the
network's text), little-endian f32 arrays `params` (the model's parameter array: per layer weight, then
bias), `input` [16][c][h][w] and `dy` [16][k][oh][ow], and one or more `got-NAME`: caelum's output followed by
its gradient of sum(output * dy) with respect to the parameters. Prints a line a case,
    PASS|FAIL|KINK DIRECTORY ERROR WHERE
with the largest error, as a share of the scale that BOUND is a share of. KINK is a failure that rounding may
explain: a ReLU or a max-pool is decided by less than MARGIN, or single precision in PyTorch is off, too.
With RECORD, a few true numbers of every case but those at kinks go into that file (see record)."""
import os
import sys
import numpy
import torch
from torch.nn import functional as F

torch.set_num_threads(1)
BOUND = 1e-4   # largest error, as a share of the tensor's scale
FLOOR = 1e-2   # a tensor's scale is its largest number, but at least this share of the largest gradient, up to 1
MARGIN = 2e-6  # distance from a kink that rounding may cross, as a share of the tensor's root mean square


class Net:
    """One evaluation of a text: `margin` is the smallest distance from a kink on the way."""

    def __init__(self, text, params, dtype):
        self.lines = [line.split("#")[0].split() for line in text.split("\n")]
        self.source = torch.from_numpy(params).to(dtype)
        self.used, self.params, self.saved, self.margin = 0, [], {}, float("inf")

    def param(self, *shape):
        n = int(numpy.prod(shape))
        p = self.source[self.used:self.used + n].reshape(shape).clone().requires_grad_()
        self.used += n
        self.params.append(p)
        return p

    def near(self, gap, x):
        """Gaps of exactly 0 are ties that every precision sees (zeros, copies of one pixel)."""
        gap = gap.detach().abs()
        gap = gap[gap > 0]
        if gap.numel():
            self.margin = min(self.margin, float(gap.min() / x.detach().square().mean().sqrt()))

    def act(self, x, words):
        name = next((w for w in words if w in ACTIVATIONS), "linear")
        for kink in KINKS.get(name, ()):
            self.near(x - kink, x)
        return ACTIVATIONS[name](x)

    def conv(self, x, words):
        k, size, stride, valid = options(words)
        w, b = self.param(k, x.shape[1], size, size), self.param(k)
        if not valid:  # Keras: ceil(h / s) outputs, the odd zero goes to the end
            pads = []
            for n in (x.shape[3], x.shape[2]):
                total = max((-(-n // stride) - 1) * stride + size - n, 0)
                pads += [total // 2, total - total // 2]
            x = F.pad(x, pads)
        return self.act(F.conv2d(x, w, b, stride), words)

    def deconv(self, x, words):
        k, size, stride, valid = options(words)
        w, b = self.param(x.shape[1], k, size, size), self.param(k)
        y = F.conv_transpose2d(x, w, stride=stride)
        for axis in (2, 3):
            n = x.shape[axis]
            length = (n - 1) * stride + max(size, stride) if valid else n * stride
            y = cut(y, axis, 0 if valid else max(size - stride, 0) // 2, length)
        return self.act(y + b[:, None, None], words)

    def dense(self, x, words):
        n, x = numbers(words)[0], x.flatten(1)
        w, b = self.param(n, x.shape[1]), self.param(n)
        return self.act(x @ w.T + b, words)[:, :, None, None]

    def maxpool(self, x, words):
        size = (numbers(words) or [2])[0]
        h, w = x.shape[2] // size, x.shape[3] // size
        windows = x[:, :, :h * size, :w * size].reshape(*x.shape[:2], h, size, w, size)
        windows = windows.transpose(3, 4).flatten(4)
        if size > 1:
            top = windows.topk(2, 4).values
            self.near(top[..., 0] - top[..., 1], x)
        return F.max_pool2d(x, size)

    def upsample(self, x, words):
        factor = (numbers(words) or [2])[0]
        if "bilinear" in words:
            return F.interpolate(x, scale_factor=factor, mode="bilinear", align_corners=False)
        return F.interpolate(x, scale_factor=factor, mode="nearest")

    def size(self, x, words):
        """crop and pad: centered, the odd row goes to the end."""
        for axis, to in zip((2, 3), numbers(words)):
            n = x.shape[axis]
            x = cut(x, axis, (n - to) // 2 if to <= n else -((to - n) // 2), to)
        return x

    def quantize(self, x, words):
        """Rounded forwards, passed through backwards; what it has to predict bits with is not used here."""
        k, step = x.shape[1], float(words[1])
        for shape in ((k, k, 5), (k,), (k, k, 5), (k,)):
            self.param(*shape)
        n = x / step
        self.near((n - n.floor() - 0.5) * step, x)
        return x + (n.round() * step - x).detach()

    def save(self, x, words):
        self.saved[words[1]] = x
        return x

    def forward(self, x):
        others = {
            "avgpool": lambda x, w: F.avg_pool2d(x, (numbers(w) or [2])[0]),
            "reshape": lambda x, w: x.reshape(-1, *numbers(w)),
            "noise": lambda x, w: x,
            "latent": lambda x, w: x,
            "add": lambda x, w: x + self.saved[w[1]],
            "load": lambda x, w: self.saved[w[1]],
            "concat": lambda x, w: torch.cat([x, self.saved[w[1]]], 1),
            "space_to_depth": lambda x, w: F.pixel_unshuffle(x, (numbers(w) or [2])[0]),
            "depth_to_space": lambda x, w: F.pixel_shuffle(x, (numbers(w) or [2])[0]),
            "crop": self.size, "pad": self.size, "conv": self.conv, "deconv": self.deconv, "dense": self.dense,
            "maxpool": self.maxpool, "upsample": self.upsample, "save": self.save, "act": self.act,
            "quantize": self.quantize,
        }
        for words in self.lines:
            if words and words[0] == "input":
                assert x.shape[1] == int(words[1])
            elif words:
                x = others[words[0]](x, words)
        assert self.used == len(self.source), "parameters: %d used, %d there" % (self.used, len(self.source))
        return x


ACTIVATIONS = {
    "linear": lambda x: x, "relu": F.relu, "leaky": lambda x: F.leaky_relu(x, 0.01), "elu": F.elu,
    "gelu": lambda x: F.gelu(x, approximate="tanh"), "silu": F.silu, "hardswish": F.hardswish, "sigmoid": torch.sigmoid,
    "tanh": torch.tanh, "relu6": F.relu6, "selu": F.selu, "softplus": F.softplus, "gelu_erf": F.gelu}
# where the derivative jumps
KINKS = {"relu": (0,), "leaky": (0,), "selu": (0,), "relu6": (0, 6), "hardswish": (-3, 3)}


def numbers(words):
    return [int(w) for w in words[1:] if w.isdigit()]


def options(words):
    """Output channels, kernel size, stride, and whether padding is `valid`."""
    keys = dict(w.split("=") for w in words[1:] if "=" in w)
    return numbers(words)[0], int(keys.get("k", 3)), int(keys.get("stride", 1)), keys.get("pad") == "valid"


def cut(x, axis, before, length):
    """`length` rows from `before` on; rows outside x are zeros."""
    ends = [-before, before + length - x.shape[axis]]
    return F.pad(x, ends if axis == 3 else [0, 0] + ends)


def evaluate(case, dtype):
    """Output and gradients of every parameter tensor, as doubles, and the margin."""
    net = Net(case["text"], case["params"], dtype)
    x = torch.from_numpy(case["input"]).to(dtype).reshape(16, -1, case["h"], case["w"])
    y = net.forward(x)
    dy = torch.from_numpy(case["dy"]).to(dtype)
    assert dy.numel() == y.numel(), "the output is %s" % (tuple(y.shape),)
    (y * dy.reshape(y.shape)).sum().backward()
    return [t.detach().double().numpy().ravel() for t in [y] + [
        torch.zeros_like(p) if p.grad is None else p.grad for p in net.params]], net.margin


def error(got, want):
    """Largest error of the tensors as a share of their scale, and the tensor in which it is."""
    floor = min(1, FLOOR * max(abs(t).max() for t in want[1:]))
    worst, where = 0.0, "nowhere"
    for i, tensor in enumerate(want):
        scale = max(abs(tensor).max(), floor if i else 0, 1e-30)
        e = abs(got[i] - tensor).max() / scale
        if not e <= worst:  # NaN is the worst of all
            worst, where = e, "output" if i == 0 else "parameters %d" % i
    return worst, where


def read(directory):
    case = {name: numpy.fromfile(os.path.join(directory, name), "<f4") for name in ("params", "input", "dy")}
    with open(os.path.join(directory, "net.txt")) as file:
        size, case["text"] = file.read().split("\n", 1)
    case["h"], case["w"] = (int(n) for n in size.split()[1:])
    return case


def judge(directory, case, want, margin):
    worst, where = 0.0, "nowhere"
    for name in sorted(n for n in os.listdir(directory) if n.startswith("got-")):
        got = numpy.fromfile(os.path.join(directory, name), "<f4").astype(float)
        assert len(got) == sum(len(t) for t in want), name + ": wrong length"
        e, tensor = error(numpy.split(got, numpy.cumsum([len(t) for t in want])[:-1]), want)
        if not e <= worst:
            worst, where = e, name[4:] + ", " + tensor
    verdict = "PASS" if worst <= BOUND else "FAIL"
    if verdict == "FAIL" and (margin < MARGIN or error(evaluate(case, torch.float32)[0], want)[0] > BOUND):
        verdict = "KINK"
    print(verdict, directory, "%.3g" % worst, where)
    return verdict


def record(file, directory, case, want):
    """Name and text; for the output and for the whole gradient: largest size, norm, eight numbers spread evenly."""
    print(os.path.basename(directory), ";".join(case["text"].strip().split("\n")), file=file)
    for t in (want[0], numpy.concatenate(want[1:])):
        some = [t[i * (len(t) - 1) // 7] for i in range(8)]
        print(*("%.17g" % v for v in [abs(t).max(), numpy.sqrt((t * t).sum())] + some), file=file)


def main():
    out = open(sys.argv[2], "w") if len(sys.argv) > 2 else None
    for directory in open(sys.argv[1]).read().split():
        case = read(directory)
        want, margin = evaluate(case, torch.float64)
        if judge(directory, case, want, margin) != "KINK" and out:
            record(out, directory, case, want)


main()
