#!/usr/bin/python3
"""Losses, optimizers, schedules in PyTorch: the independent witness of test_options.c.

usage: torch_options.py DIR
DIR/weights.f32 and DIR/pictures.u8 are as torch_standard.py describes them. Trains the standard network anew for
each recipe below, 10 steps on minibatches of 50 in the given order, and writes DIR/options.txt: a line a recipe, its
name and its 10 losses. Double precision: rounding then decides a ReLU in one of the two programs only."""
import sys
import numpy
import torch
from torch import nn, optim
from torch.nn import functional

torch.manual_seed(0)
torch.set_num_threads(1)
directory = sys.argv[1]
weights = numpy.fromfile(directory + "/weights.f32", dtype="<f4").astype(numpy.float64)
pictures = numpy.fromfile(directory + "/pictures.u8", dtype=numpy.uint8).reshape(-1, 3, 32, 32)
x = torch.from_numpy(pictures.astype(numpy.float64)) / 255
STEPS, BATCH = 10, 50


def network():
    convs = [nn.Conv2d(3, 8, 3, padding=1), nn.Conv2d(8, 12, 3, padding=1), nn.Conv2d(12, 16, 3, padding=1),
             nn.Conv2d(16, 12, 3, padding=1), nn.Conv2d(12, 3, 3, padding=1)]
    at = 0
    for conv in convs:
        for tensor in (conv.weight, conv.bias):
            n = tensor.numel()
            tensor.data = torch.from_numpy(weights[at:at + n].reshape(tuple(tensor.shape)).copy())
            at += n
    assert at == len(weights)
    pool, up, relu = nn.MaxPool2d(2), nn.Upsample(scale_factor=2, mode="nearest"), nn.ReLU()
    return nn.Sequential(convs[0], relu, pool, convs[1], relu, pool, convs[2], relu, up, convs[3], relu, up, convs[4],
                         nn.Sigmoid())


def adam(p):
    return optim.Adam(p, lr=0.001)


# name: optimizer of the parameters, loss(output, target)
recipes = {
    "bce": (adam, functional.binary_cross_entropy),
    "l1": (adam, functional.l1_loss),
    "huber": (adam, lambda y, t: functional.huber_loss(y, t, delta=0.1)),
    "adam-decay": (lambda p: optim.Adam(p, lr=0.001, weight_decay=0.01), functional.mse_loss),
    "adamw": (lambda p: optim.AdamW(p, lr=0.001, weight_decay=0.3), functional.mse_loss),
    "sgd": (lambda p: optim.SGD(p, lr=0.5, momentum=0.9), functional.mse_loss),
    "sgd-decay": (lambda p: optim.SGD(p, lr=0.5, momentum=0, weight_decay=0.01), functional.mse_loss),
    "rmsprop": (lambda p: optim.RMSprop(p, lr=0.0003), functional.mse_loss),
}

with open(directory + "/options.txt", "w") as out:
    for name, (optimizer_of, loss_of) in recipes.items():
        net = network()
        optimizer = optimizer_of(net.parameters())
        out.write(name)
        for step in range(STEPS):
            batch = x[step * BATCH % len(x):][:BATCH]
            optimizer.zero_grad()
            loss = loss_of(net(batch), batch)
            loss.backward()
            optimizer.step()
            out.write(" %.9g" % loss.item())
        out.write("\n")
