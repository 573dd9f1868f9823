#!/usr/bin/python3
"""The standard autoencoder in PyTorch: the independent witness of test_train.c.

usage: torch_standard.py DIR
DIR/weights.f32 holds the initial parameters in the order of the model file, DIR/pictures.u8 the pictures
as [n][3][32][32] bytes. Trains 50 steps of Adam (lr 0.001) on minibatches of 50 in the given order, no
shuffle, and writes the 50 losses to DIR/losses.txt."""
import sys
import numpy
import torch
from torch import nn

torch.manual_seed(0)
torch.set_num_threads(1)
directory = sys.argv[1]
convs = [nn.Conv2d(3, 8, 3, padding=1), nn.Conv2d(8, 12, 3, padding=1), nn.Conv2d(12, 16, 3, padding=1),
         nn.Conv2d(16, 12, 3, padding=1), nn.Conv2d(12, 3, 3, padding=1)]
pool, up, relu = nn.MaxPool2d(2), nn.Upsample(scale_factor=2, mode="nearest"), nn.ReLU()
net = nn.Sequential(convs[0], relu, pool, convs[1], relu, pool, convs[2], relu, up, convs[3], relu, up, convs[4],
                    nn.Sigmoid())

weights = numpy.fromfile(directory + "/weights.f32", dtype="<f4")
at = 0
for conv in convs:
    for tensor in (conv.weight, conv.bias):
        n = tensor.numel()
        tensor.data = torch.from_numpy(weights[at:at + n].reshape(tuple(tensor.shape)).copy())
        at += n
assert at == len(weights)

pictures = numpy.fromfile(directory + "/pictures.u8", dtype=numpy.uint8).reshape(-1, 3, 32, 32)
x = torch.from_numpy(pictures.astype(numpy.float32)) / 255
adam = torch.optim.Adam(net.parameters(), lr=0.001)
with open(directory + "/losses.txt", "w") as out:
    for step in range(50):
        batch = x[step * 50 % len(x):][:50]
        adam.zero_grad()
        loss = nn.functional.mse_loss(net(batch), batch)
        loss.backward()
        adam.step()
        out.write("%.9g\n" % loss.item())
