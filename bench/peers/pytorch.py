#!/usr/bin/python3
"""A peer: caelum's networks trained and run by PyTorch. Needs python3-torch and python3-numpy.

    pytorch.py --mode eager|channels_last|bf16|channels_last_bf16 --threads 2 --train 50,250 --infer 1,250 NET...
        prints "NETWORK.train.bN.tT PICTURES img/s"; --seconds: length of a measurement
    pytorch.py --dump DIR NET...
        weights and pictures for every peer, and the losses of ten steps: DIR/NETWORK.losses.pytorch
    pytorch.py --onnx DIR NET...
        DIR/NETWORK.onnx, any number of pictures

A transposed convolution of stride 2 reaches 2 n + 1 rows, of which caelum drops the last and PyTorch's fast form the
first: the same network in a mirror. Speed is the same; --dump turns pictures and kernels by 180 degrees."""
import argparse
import os
import time

import numpy
import torch
from torch import nn

ACTIVATIONS = {"relu": nn.ReLU, "sigmoid": nn.Sigmoid, "tanh": nn.Tanh}
SIDE, PICTURES, BATCH, STEPS = 32, 1000, 50, 10


class Job:
    """A network's text: its name and layers."""

    def __init__(self, path):
        self.name = os.path.basename(path).split(".")[0]
        with open(path) as file:
            lines = [line.split("#")[0].split() for line in file]
        self.lines = [words for words in lines if words and words[0] != "latent"]
        self.channels = int(self.lines[0][1])

    def network(self):
        torch.manual_seed(1)
        layers, c = [], self.channels
        for kind, *words in self.lines[1:]:
            number = int(words[0]) if words else 2
            if kind == "conv":
                layers.append(nn.Conv2d(c, number, 3, padding=1))
            elif kind == "deconv":
                assert "stride=2" in words, "transposed convolutions have stride 2 here"
                layers.append(nn.ConvTranspose2d(c, number, 3, stride=2, padding=1, output_padding=1))
            elif kind == "maxpool":
                layers.append(nn.MaxPool2d(number))
            elif kind == "upsample":
                layers.append(nn.Upsample(scale_factor=number, mode="nearest"))
            else:
                raise SystemExit("pytorch.py: %s: the peers don't do '%s'" % (self.name, kind))
            if kind in ("conv", "deconv"):
                c = number
                layers += [ACTIVATIONS[word]() for word in words if word in ACTIVATIONS]
        return nn.Sequential(*layers)

    def task(self, rgb):
        """Input and target: the picture and itself, or luminance and chroma (src/base/color.h)."""
        if self.channels == 3:
            return rgb, rgb
        r, g, b = rgb[:, 0:1], rgb[:, 1:2], rgb[:, 2:3]
        y = 0.299 * r + 0.587 * g + 0.114 * b
        return y, torch.cat([0.492 * (b - y), 0.877 * (r - y)], 1)


def pictures(n):
    """Smooth noise as bytes: random 8x8 pictures blown up, and a little white noise."""
    generator = torch.Generator().manual_seed(7)
    x = torch.rand(n, 3, 8, 8, generator=generator)
    x = nn.functional.interpolate(x, size=SIDE, mode="bilinear", align_corners=False)
    x = 0.9 * x + 0.1 * torch.rand(n, 3, SIDE, SIDE, generator=generator)
    return (x * 255).round().to(torch.uint8)


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
        loss = nn.functional.mse_loss(y.float(), self.t[at:at + self.batch])
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


def measure(job, options):
    bf16 = options.mode.endswith("bf16")
    layout = torch.channels_last if options.mode.startswith("channels_last") else torch.contiguous_format
    x, t = (v.contiguous(memory_format=layout) for v in job.task(pictures(PICTURES).float() / 255))

    def say(what, batch, value):
        print("%s.%s.b%d.t%d %.0f img/s" % (job.name, what, batch, options.threads, value), flush=True)

    for batch in numbers(options.train):
        trainer = Trainer(job.network().to(memory_format=layout), batch, x, t, bf16)
        say("train", batch, rate(trainer.step, batch, options.seconds))
    for batch in numbers(options.infer):
        net = job.network().eval().to(memory_format=layout)

        def run(k, net=net, batch=batch):
            at = k % (len(x) // batch) * batch
            with torch.inference_mode(), torch.autocast("cpu", dtype=torch.bfloat16, enabled=bf16):
                return net(x[at:at + batch])

        say("infer", batch, rate(run, batch, options.seconds))


def dump(job, directory):
    """Files for the others, in caelum's orientation; our own training sees everything mirrored."""
    base, net, rgb = os.path.join(directory, job.name), job.network(), pictures(2 * BATCH)
    x, t = job.task(rgb.float() / 255)
    rgb.numpy().tofile(base + ".pictures.u8")
    x.numpy().tofile(base + ".input.f32")
    t.numpy().tofile(base + ".target.f32")
    weights = [p.detach().flip(2, 3) if p.dim() == 4 else p.detach() for p in net.parameters()]
    numpy.concatenate([w.numpy().ravel() for w in weights]).tofile(base + ".weights.f32")
    trainer = Trainer(net, BATCH, x.flip(2, 3), t.flip(2, 3))
    with open(base + ".losses.pytorch", "w") as out:
        for k in range(STEPS):
            out.write("%.9g\n" % trainer.step(k).item())


def export(job, directory):
    torch.onnx.export(job.network().eval(), torch.zeros(1, job.channels, SIDE, SIDE),
                      os.path.join(directory, job.name + ".onnx"), input_names=["x"], output_names=["y"],
                      opset_version=13, dynamic_axes={"x": {0: "n"}, "y": {0: "n"}})


def numbers(text):
    return [int(word) for word in text.split(",") if word]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--mode", default="channels_last",
                        choices=["eager", "channels_last", "bf16", "channels_last_bf16"])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--train", default="50,250")
    parser.add_argument("--infer", default="1,250")
    parser.add_argument("--seconds", type=float, default=0.3)
    parser.add_argument("--dump")
    parser.add_argument("--onnx")
    parser.add_argument("nets", nargs="+")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    for job in map(Job, options.nets):
        if options.dump:
            dump(job, options.dump)
        elif options.onnx:
            export(job, options.onnx)
        else:
            measure(job, options)


main()
