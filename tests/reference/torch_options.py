#!/usr/bin/python3
"""Losses, optimizers, schedules in PyTorch: the independent witness of test_options.c.

usage: torch_options.py DIR
DIR/weights.f32 and DIR/pictures.u8 are as torch_standard.py describes them, DIR/classifier.f32 holds the weights of the
classifier below. Trains the standard network, or for "xent" the classifier, anew for each recipe below, 10 steps on minibatches of 50 in the given order, and writes DIR/options.txt: a line a recipe, its
name and its 10 losses; then a line a schedule, its name and its step sizes over 4 epochs of 10 steps. Double precision: rounding then decides a ReLU in one of the two programs only."""
import sys
import numpy
import torch
from torch import nn, optim
from torch.nn import functional

torch.manual_seed(0)
torch.set_num_threads(1)
directory = sys.argv[1]
pictures = numpy.fromfile(directory + "/pictures.u8", dtype=numpy.uint8).reshape(-1, 3, 32, 32)
x = torch.from_numpy(pictures.astype(numpy.float64)) / 255
labels = torch.arange(len(x)) % 10
STEPS, BATCH = 10, 50


def fill(layers, name):
    """Weights and biases from a file, in this order."""
    weights = numpy.fromfile(directory + "/" + name, dtype="<f4").astype(numpy.float64)
    at = 0
    for layer in layers:
        for tensor in (layer.weight, layer.bias):
            n = tensor.numel()
            tensor.data = torch.from_numpy(weights[at:at + n].reshape(tuple(tensor.shape)).copy())
            at += n
    assert at == len(weights)


def network():
    convs = [nn.Conv2d(3, 8, 3, padding=1), nn.Conv2d(8, 12, 3, padding=1), nn.Conv2d(12, 16, 3, padding=1),
             nn.Conv2d(16, 12, 3, padding=1), nn.Conv2d(12, 3, 3, padding=1)]
    fill(convs, "weights.f32")
    pool, up, relu = nn.MaxPool2d(2), nn.Upsample(scale_factor=2, mode="nearest"), nn.ReLU()
    return nn.Sequential(convs[0], relu, pool, convs[1], relu, pool, convs[2], relu, up, convs[3], relu, up, convs[4],
                         nn.Sigmoid())


def classifier():
    conv, dense = nn.Conv2d(3, 8, 3, padding=1), nn.Linear(8 * 8 * 8, 10)
    fill([conv, dense], "classifier.f32")
    return nn.Sequential(conv, nn.ReLU(), nn.MaxPool2d(4), nn.Flatten(), dense)


def adam(p):
    return optim.Adam(p, lr=0.001)


class Muon(optim.AdamW):
    """Kernels by Muon as its authors publish it, sized as by Liu and others 2025; biases by AdamW with a fifth of the step."""

    def __init__(self, parameters, lr, weight_decay):
        parameters = list(parameters)
        super().__init__([p for p in parameters if p.dim() < 2], lr=lr / 5, weight_decay=weight_decay)
        self.kernels, self.lr, self.decay = [p for p in parameters if p.dim() == 4], lr, weight_decay
        self.mean = [torch.zeros_like(p) for p in self.kernels]

    def zero_grad(self):
        super().zero_grad()
        for p in self.kernels:
            p.grad = None

    @torch.no_grad()
    def step(self):
        super().step()
        for p, mean in zip(self.kernels, self.mean):
            mean.lerp_(p.grad, 0.05)
            m = p.grad.lerp(mean, 0.95).flatten(1)
            x = m.T if m.size(0) > m.size(1) else m
            x = x / (x.norm() + 1e-7)
            for _ in range(5):
                a = x @ x.T
                x = 3.4445 * x + (-4.7750 * a + 2.0315 * a @ a) @ x
            x = x.T if m.size(0) > m.size(1) else x
            p.mul_(1 - self.lr * self.decay)
            p.add_(x.reshape(p.shape), alpha=-self.lr * 0.2 * max(m.shape) ** 0.5)


# name: optimizer of the parameters, loss(output, target), norm to clip at
recipes = {
    "bce": (adam, functional.binary_cross_entropy, None),
    "l1": (adam, functional.l1_loss, None),
    "huber": (adam, lambda y, t: functional.huber_loss(y, t, delta=0.1), None),
    "adam-decay": (lambda p: optim.Adam(p, lr=0.001, weight_decay=0.01), functional.mse_loss, None),
    "adamw": (lambda p: optim.AdamW(p, lr=0.001, weight_decay=0.3), functional.mse_loss, None),
    "sgd": (lambda p: optim.SGD(p, lr=0.5, momentum=0.9), functional.mse_loss, None),
    "sgd-decay": (lambda p: optim.SGD(p, lr=0.5, momentum=0, weight_decay=0.01), functional.mse_loss, None),
    "rmsprop": (lambda p: optim.RMSprop(p, lr=0.0003), functional.mse_loss, None),
    "muon": (lambda p: Muon(p, lr=0.003, weight_decay=0.3), functional.mse_loss, None),
    "clip": (lambda p: optim.SGD(p, lr=0.5), functional.mse_loss, 0.05),
    "xent": (adam, functional.cross_entropy, None),
}


def chain(o):
    """Three steps of linear rise, then a cosine, as SequentialLR would step them."""
    rise = optim.lr_scheduler.LinearLR(o, start_factor=1 / 3, total_iters=2)
    return optim.lr_scheduler.SequentialLR(o, [rise, optim.lr_scheduler.CosineAnnealingLR(o, T_max=37)], [3])


# name: scheduler of the optimizer, stepped after every step; the losses that the plateau sees after its epochs
BATCHES, EPOCHS = 10, 4
VALIDATION = [1.0, 0.9, 0.95, 0.89999]
schedules = {
    "step": lambda o: optim.lr_scheduler.StepLR(o, step_size=2 * BATCHES, gamma=0.1),
    "cosine": lambda o: optim.lr_scheduler.CosineAnnealingLR(o, T_max=BATCHES * EPOCHS),
    "onecycle": lambda o: optim.lr_scheduler.OneCycleLR(o, max_lr=0.4, total_steps=BATCHES * EPOCHS,
                                                        cycle_momentum=False),
    "warmup-cosine": chain,
    "plateau": lambda o: optim.lr_scheduler.ReduceLROnPlateau(o, factor=0.1, patience=0),
}


def step_sizes(scheduler_of):
    optimizer = optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.4)
    scheduler = scheduler_of(optimizer)
    for step in range(BATCHES * EPOCHS):
        yield optimizer.param_groups[0]["lr"]
        optimizer.step()
        if not isinstance(scheduler, optim.lr_scheduler.ReduceLROnPlateau):
            scheduler.step()
        elif step % BATCHES == BATCHES - 1:
            scheduler.step(VALIDATION[step // BATCHES])

with open(directory + "/options.txt", "w") as out:
    for name, (optimizer_of, loss_of, clip) in recipes.items():
        net, targets = (classifier(), labels) if name == "xent" else (network(), x)
        optimizer = optimizer_of(net.parameters())
        out.write(name)
        for step in range(STEPS):
            batch = slice(step * BATCH % len(x), step * BATCH % len(x) + BATCH)
            optimizer.zero_grad()
            loss = loss_of(net(x[batch]), targets[batch])
            loss.backward()
            if clip:
                nn.utils.clip_grad_norm_(net.parameters(), clip)
            optimizer.step()
            out.write(" %.9g" % loss.item())
        out.write("\n")
    for name, scheduler_of in schedules.items():
        out.write(name + "".join(" %.12g" % lr for lr in step_sizes(scheduler_of)) + "\n")
