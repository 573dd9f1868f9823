#!/usr/bin/python3
"""A peer: caelum's models trained and run by PyTorch, as python/caelum/torch.py makes them. Needs python3-torch.

    pytorch.py [--mode eager|channels_last|eager-bf16|channels_last-bf16] [--threads 2] [--seconds 0.3] MODEL FIGURE...
        FIGURE is train.bN or infer.bN; prints "NAME.FIGURE.tT PICTURES img/s"
    pytorch.py --dump DIR MODEL...
        DIR/NAME.weights.f32 (random), .input.f32 and .target.f32, and the losses of ten steps, .losses.pytorch"""
import argparse
import os
import sys
import time

import numpy
import torch
from torch.nn import functional as F

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../python"))
from caelum import modelfile  # noqa: E402
from caelum import torch as caelum_torch  # noqa: E402

SIDE, PICTURES, BATCH, STEPS = 32, 1000, 50, 10
LN_2 = 0.6931471805599453


class Net(caelum_torch.Net):
    """A network that trains as caelum trains it: rounding has a gradient, and the code's bits have a price."""

    def __init__(self, path):
        super().__init__(*modelfile.read(path))
        self.name, self.channels = os.path.basename(path).split(".")[0], self.lines[0].size

    def forward(self, x):
        self.price = 0  # of a batch's code, in squared errors
        return super().forward(x)

    def layer(self, x, own, line):
        """layers/quantize.c, in whose words this is."""
        y = super().layer(x, own, line)
        if line.word != "quantize":
            return y
        step, y = float(line.words[1]), x + (y - x).detach()
        if self.training:
            n = (y / step).float()
            mean = self.predict(n.detach(), own, "mean")
            scale = self.predict((1 + n.detach().abs()).log2(), own, "scale")
            u, s = (n - mean).abs(), scale.clamp(-4, 8).exp()
            near, far = torch.exp(-(u - 0.5).abs() / s) / 2, torch.exp(-(u + 0.5) / s) / 2
            mass = torch.where(u < 0.5, 1 - near, near) - far + 1e-6
            self.price = -mass.log2().sum() * step ** 2 * LN_2 / 6
        return y

    def predict(self, x, own, what):
        """A convolution that sees the pixels above and left of its own, and its own channels below k."""
        w = getattr(own, what + "_weight")
        w = torch.cat([w[:, :, :4], w[:, :, 4].tril(-1)[:, :, None], w.new_zeros(*w.shape[:2], 4)], 2)
        return F.conv2d(x, w.reshape(*w.shape[:2], 3, 3), getattr(own, what + "_bias"), padding=1).float()

    def task(self, rgb):
        """Input and target: the picture and itself, or luminance (without hints) and chroma (src/base/color.h)."""
        if self.channels == 3:
            return rgb, rgb
        r, g, b = rgb[:, 0:1], rgb[:, 1:2], rgb[:, 2:3]
        y = 0.299 * r + 0.587 * g + 0.114 * b
        return F.pad(y, (0, 0, 0, 0, 0, self.channels - 1)), torch.cat([0.492 * (b - y), 0.877 * (r - y)], 1)


def pictures(n):
    """Smooth noise: random 8x8 pictures blown up, and a little white noise."""
    generator = torch.Generator().manual_seed(7)
    x = torch.rand(n, 3, 8, 8, generator=generator)
    x = F.interpolate(x, size=SIDE, mode="bilinear", align_corners=False)
    return 0.9 * x + 0.1 * torch.rand(n, 3, SIDE, SIDE, generator=generator)


class Trainer:
    """Steps of Adam on batches of x and t that take turns."""

    def __init__(self, net, batch, x, t, bf16=False):
        self.net, self.batch, self.x, self.t, self.bf16 = net, batch, x, t, bf16
        self.adam = torch.optim.Adam(net.parameters(), lr=1e-3, foreach=True)

    def step(self, k):
        at = k % (len(self.x) // self.batch) * self.batch
        self.adam.zero_grad(set_to_none=True)
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=self.bf16):
            y = self.net(self.x[at:at + self.batch])
        loss = F.mse_loss(y.float(), self.t[at:at + self.batch]) + self.net.price / y.numel()
        loss.backward()
        self.adam.step()
        return loss


def rate(run, batch, seconds):
    """Pictures a second, after a warm-up of a third of the time."""
    start, k = time.perf_counter(), 0
    while k < 3 or time.perf_counter() - start < seconds / 3:
        run(k)
        k += 1
    start, k = time.perf_counter(), 0
    while True:
        run(k)
        k += 1
        elapsed = time.perf_counter() - start
        if elapsed > seconds:
            return k * batch / elapsed


def measure(path, figure, options):
    what, batch = figure.split(".b")
    batch, bf16 = int(batch), options.mode.endswith("-bf16")
    layout = torch.channels_last if options.mode.startswith("channels_last") else torch.contiguous_format
    net = Net(path).to(memory_format=layout)
    x, t = (v.contiguous(memory_format=layout) for v in net.task(pictures(PICTURES)))
    if what == "train":
        run = Trainer(net, batch, x, t, bf16).step
    else:
        dtype = torch.bfloat16 if bf16 else torch.float32
        net, x = net.eval().to(dtype), x.to(dtype)

        def run(k):  # autocast takes transposed convolutions back to float32, which fail otherwise
            at = k % (len(x) // batch) * batch
            with torch.inference_mode(), torch.autocast("cpu", dtype=torch.bfloat16, enabled=bf16):
                return net(x[at:at + batch])

    print("%s.%s.t%d %.0f img/s" % (net.name, figure, options.threads, rate(run, batch, options.seconds)), flush=True)


def dump(path, directory):
    """Small random weights: where losses fall steadily, rounding errors stay small."""
    net = Net(path)
    torch.manual_seed(1)
    for p in net.parameters():
        if p.dim() > 1:
            p.data.uniform_(-1, 1).div_(p[0].numel() ** 0.5)
    base, (x, t) = os.path.join(directory, net.name), net.task(pictures(2 * BATCH))
    weights = numpy.concatenate([p.detach().numpy().ravel() for p in net.parameters()])
    for name, values in ("weights", weights), ("input", x.numpy()), ("target", t.numpy()):
        values.tofile("%s.%s.f32" % (base, name))
    trainer = Trainer(net, BATCH, x, t)
    with open(base + ".losses.pytorch", "w") as out:
        for k in range(STEPS):
            out.write("%.9g\n" % trainer.step(k).item())


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--mode", default="channels_last")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=0.3)
    parser.add_argument("--dump")
    parser.add_argument("words", nargs="+")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    if options.dump:
        for path in options.words:
            dump(path, options.dump)
    else:
        for figure in options.words[1:]:
            measure(options.words[0], figure, options)


main()
