#!/usr/bin/python3
"""Networks exported from PyTorch 1.13, for test_onnx_runtimes.c to import.

usage: onnx_torch.py DIRECTORY
Writes NAME.onnx, NAME.in [n][c][h][w] and NAME.out, what PyTorch makes of it, little-endian f32, and prints a line
each:  NAME n c h w WORDS... - the words being of the text that caelum must come to, or, after "!", of its
refusal."""
import os
import sys
import warnings
import onnx
import torch
from torch import nn
from torch.nn import functional as F

warnings.simplefilter("ignore")
torch.manual_seed(1)


class Apply(nn.Module):
    """A function of several modules and the input."""

    def __init__(self, function, *modules):
        super().__init__()
        self.function, self.part = function, nn.ModuleList(modules)

    def forward(self, x):
        return self.function(x, *self.part)


def unet(x, first, down, up, last):
    high = F.relu(first(x))
    return torch.sigmoid(last(torch.cat([up(F.relu(down(high))), high], 1)))


CASES = {
    "plain": (nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(8, 4, 3, padding=1), nn.ReLU(),
        nn.MaxPool2d(2), nn.Upsample(scale_factor=2), nn.Conv2d(4, 8, 3, padding=1), nn.LeakyReLU(),
        nn.Upsample(scale_factor=2, mode="bilinear"), nn.Conv2d(8, 3, 3, padding=1), nn.Sigmoid()),
        (2, 3, 12, 16), ["conv 8 relu", "conv 8 leaky", "upsample bilinear", "conv 3 sigmoid"]),
    "strided": (nn.Sequential(
        nn.Conv2d(3, 6, 3, stride=2, padding=1), nn.ELU(), nn.Conv2d(6, 8, 4, stride=2, padding=1), nn.SiLU(),
        nn.ConvTranspose2d(8, 6, 4, stride=2, padding=1), nn.GELU(approximate="tanh"),
        nn.ConvTranspose2d(6, 3, 3, stride=2, padding=1, output_padding=1), nn.Tanh()),
        (2, 3, 16, 20), ["pad=valid elu", "silu", "deconv 6 k=4 stride=2 gelu", "tanh"]),
    "odd": (nn.Sequential(
        nn.Conv2d(2, 5, 3, stride=2, padding=1), nn.Conv2d(5, 4, 5, padding=(2, 2), bias=False),
        nn.Conv2d(4, 4, 1), nn.Conv2d(4, 4, 3), nn.ConvTranspose2d(4, 3, 2, stride=2),
        nn.ConvTranspose2d(3, 3, 5, stride=3, padding=2, bias=False), nn.AvgPool2d(3), nn.Conv2d(3, 2, 3, padding=2)),
        (2, 2, 15, 17), ["conv 5 stride=2", "conv 4 k=5", "conv 4 k=1", "pad=valid", "avgpool 3"]),
    "dense": (Apply(lambda x, e, a, b, c, d: torch.sigmoid(d(b(F.relu(a(torch.flatten(F.relu(e(x)), 1)))).view(-1, 4, 3, 5)
                                                            ) + c(x)),
                    nn.Conv2d(1, 4, 3, padding=1), nn.Linear(60, 7), nn.Linear(7, 60, bias=False),
                    nn.Conv2d(1, 2, 1), nn.Conv2d(4, 2, 1)), (3, 1, 3, 5), ["load s1", "add s2"]),
    "linear": (Apply(lambda x, a, b, d: torch.sigmoid(d(b(F.relu(a(torch.flatten(x, 1)))).view(x.size(0), 4, 3, 5))),
                     nn.Linear(15, 7), nn.Linear(7, 60, bias=False), nn.ConvTranspose2d(4, 1, 3, padding=1)),
               (3, 1, 3, 5), ["dense 7 relu", "dense 60", "reshape 4 3 5", "deconv 1 sigmoid"]),
    "classifier": (nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.Dropout(), nn.MaxPool2d(2), nn.Identity(), nn.Flatten(),
                                 nn.Linear(64, 10)), (2, 3, 8, 8), ["maxpool", "dense 10"]),
    "flat": (nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.Flatten()), (2, 3, 4, 4), ["reshape 64 1 1"]),
    "shuffle": (nn.Sequential(nn.PixelUnshuffle(2), nn.Conv2d(12, 18, 3, padding=1), nn.PixelShuffle(3)), (2, 3, 4, 6),
                ["space_to_depth", "depth_to_space 3"]),
    "residual": (Apply(lambda x, a, b, c: c(F.relu(a(x) + b(F.relu(a(x))))), nn.Conv2d(3, 3, 3, padding=1),
                       nn.Conv2d(3, 3, 3, padding=1), nn.Conv2d(3, 3, 1)), (2, 3, 6, 6),
                 ["save s1", "add s1"]),
    "skip": (Apply(lambda x, a, b: F.relu(x + b(F.relu(a(x)))) + x, nn.Conv2d(3, 5, 3, padding=1),
                   nn.Conv2d(5, 3, 3, padding=1)), (2, 3, 6, 6), ["save s1", "add s1", "act relu", "add s1"]),
    "unet": (Apply(unet, nn.Conv2d(3, 4, 3, padding=1), nn.Conv2d(4, 6, 3, stride=2, padding=1),
                   nn.ConvTranspose2d(6, 5, 2, stride=2), nn.Conv2d(9, 3, 3, padding=1)), (2, 3, 8, 8),
             ["save s1", "concat s1", "conv 3 sigmoid"]),
    "borders": (Apply(lambda x, a: F.pad(a(F.pad(x, (1, 2, 0, 3)))[:, :, 1:-1, 2:], (-1, 0, 1, 1)), nn.Conv2d(2, 3, 3)),
                (2, 2, 7, 9), ["pad", "crop"]),
    "sized": (Apply(lambda x, a: a(F.interpolate(x, size=(12, 18))), nn.Conv2d(2, 2, 3, padding=1)), (2, 2, 4, 6),
              ["upsample 3"]),
    "erf": (nn.Sequential(nn.Conv2d(2, 3, 3), nn.GELU()), (1, 2, 6, 6), ["gelu_erf"]),
    "grouped": (nn.Conv2d(4, 4, 3, groups=2), (1, 4, 6, 6), ["conv 4 pad=valid"]),
    "dilated": (nn.Conv2d(4, 4, 3, dilation=2), (1, 4, 6, 6), ["conv 4 k=5 pad=valid"]),
    "overlapping": (nn.MaxPool2d(3, 2), (1, 4, 7, 7), ["!", "windows of 3 every 2"]),
    "negated": (Apply(lambda x, a: 1 - torch.sigmoid(-a(x)[:, 1:3]) + x.chunk(2, 1)[0], nn.Conv2d(4, 4, 3, padding=1)),
                (2, 4, 6, 6), ["conv 2 k=1 sigmoid", "add"]),
    "corners": (nn.Upsample(scale_factor=2, mode="bilinear", align_corners=True), (1, 2, 4, 4), ["!", "align_corners"]),
    "slope": (nn.LeakyReLU(0.2), (1, 2, 4, 4), ["prelu"]),
    "softmax": (nn.Softmax(1), (1, 2, 4, 4), ["!", "Softmax"]),
    "reflected": (nn.Conv2d(2, 2, 3, padding=1, padding_mode="reflect"), (1, 2, 4, 4), ["!", "pads with zeros"]),
    "reaching": (nn.ConvTranspose2d(2, 2, 2, stride=3, output_padding=2), (1, 2, 4, 4), ["!", "output_padding beyond"]),
}


def main():
    for name, (net, shape, words) in CASES.items():
        for kind, axes in (("fixed", None), ("free", {"input": {0: "n"}})):
            base = os.path.join(sys.argv[1], "%s-%s" % (name, kind))
            x = torch.rand(*shape)
            net.eval()
            torch.onnx.export(net, x, base + ".onnx", input_names=["input"], dynamic_axes=axes)
            x.numpy().tofile(base + ".in")
            net(x).detach().numpy().tofile(base + ".out")
            print(os.path.basename(base), *shape, "|".join(words), flush=True)
    for name, key, value, why in (("nowhere", "location", "nowhere.bin", "nowhere.bin"),
                                  ("above", "location", "../weights.bin", "the name of one beside this"),
                                  ("absolute", "location", "/etc/passwd", "the name of one beside this"),
                                  ("offset", "offset", "1000000", "ends before its data"),
                                  ("length", "length", "12", "12 bytes, 864 expected"),
                                  ("number", "length", "-1", "where in it")):
        model, base = onnx.load(os.path.join(sys.argv[1], "plain-fixed.onnx")), os.path.join(sys.argv[1], name)
        onnx.save(model, base + ".onnx", save_as_external_data=True, location="weights.bin", size_threshold=0)
        first = onnx.load(base + ".onnx", load_external_data=False)
        for entry in first.graph.initializer[0].external_data:
            if entry.key == key:
                entry.value = value
        onnx.save(first, base + ".onnx")
        print(name, 2, 3, 12, 16, "!|" + why, flush=True)


main()
