#!/usr/bin/python3
"""Autoencoders as people write them, for test_onnx_runtimes.c to import: twenty exported from PyTorch, and ten laid out
as tf2onnx lays out Keras's, channels last.

usage: onnx_models.py DIRECTORY
Writes what onnx_torch.py writes, and prints the same lines; pictures are [n][c][h][w] whatever the file says."""
import os
import sys
import warnings
import numpy
import onnx
import onnx.numpy_helper
import torch
from onnx import helper
from torch import nn
from torch.nn import functional as F

warnings.simplefilter("ignore")
torch.manual_seed(1)
torch.set_num_threads(1)


# --- PyTorch ---

class MLP(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(144, 32), nn.ReLU(True), nn.Linear(32, 12), nn.ReLU(True), nn.Linear(12, 3))
        self.decoder = nn.Sequential(nn.Linear(3, 12), nn.ReLU(True), nn.Linear(12, 144), nn.Sigmoid())

    def forward(self, x):
        return self.decoder(self.encoder(x))


class Tutorial(nn.Module):
    """Strided convolutions down to one pixel, with kernels of 7."""

    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(nn.Conv2d(1, 8, 3, stride=2, padding=1), nn.ReLU(), nn.Conv2d(8, 12, 3, stride=2, padding=1),
                                     nn.ReLU(), nn.Conv2d(12, 16, 7))
        self.decoder = nn.Sequential(nn.ConvTranspose2d(16, 12, 7), nn.ReLU(),
                                     nn.ConvTranspose2d(12, 8, 3, stride=2, padding=1, output_padding=1), nn.ReLU(),
                                     nn.ConvTranspose2d(8, 1, 3, stride=2, padding=1, output_padding=1), nn.Sigmoid())

    def forward(self, x):
        return self.decoder(self.encoder(x))


def block(i, o):
    return nn.Sequential(nn.Conv2d(i, o, 3, padding=1), nn.BatchNorm2d(o), nn.ReLU(inplace=True),
                         nn.Conv2d(o, o, 3, padding=1), nn.BatchNorm2d(o), nn.ReLU(inplace=True))


class UNet(nn.Module):
    def __init__(self, bilinear):
        super().__init__()
        self.down1, self.down2, self.bottom = block(3, 4), block(4, 6), block(6, 8)
        self.pool = nn.MaxPool2d(2)
        self.up2 = nn.Upsample(scale_factor=2, mode="bilinear") if bilinear else nn.ConvTranspose2d(8, 8, 2, stride=2)
        self.conv2, self.up1, self.conv1, self.out = block(14, 6), nn.ConvTranspose2d(6, 4, 2, stride=2), block(8, 4), nn.Conv2d(4, 3, 1)

    def forward(self, x):
        a = self.down1(x)
        b = self.down2(self.pool(a))
        y = self.up2(self.bottom(self.pool(b)))
        y = F.pad(y, [0, b.size(3) - y.size(3), 0, b.size(2) - y.size(2)])
        y = self.conv2(torch.cat([b, y], dim=1))
        return self.out(self.conv1(torch.cat([a, self.up1(y)], dim=1)))


class Residual(nn.Module):
    def __init__(self, i, o, stride):
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(i, o, 3, stride, 1, bias=False), nn.BatchNorm2d(o), nn.ReLU(),
                                  nn.Conv2d(o, o, 3, 1, 1, bias=False), nn.BatchNorm2d(o))
        self.shortcut = nn.Sequential() if stride == 1 and i == o else nn.Sequential(
            nn.Conv2d(i, o, 1, stride, bias=False), nn.BatchNorm2d(o))

    def forward(self, x):
        return F.relu(self.body(x) + self.shortcut(x))


class VAE(nn.Module):
    """In evaluation mode the code is its mean."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Sequential(nn.Conv2d(3, 8, 4, 2, 1), nn.BatchNorm2d(8), nn.LeakyReLU(0.2),
                                  nn.Conv2d(8, 12, 4, 2, 1), nn.BatchNorm2d(12), nn.LeakyReLU(0.2))
        self.mu, self.logvar, self.fc = nn.Linear(12 * 16, 6), nn.Linear(12 * 16, 6), nn.Linear(6, 12 * 16)
        self.up = nn.Sequential(nn.ConvTranspose2d(12, 8, 4, 2, 1), nn.BatchNorm2d(8), nn.LeakyReLU(0.2),
                                nn.ConvTranspose2d(8, 3, 4, 2, 1), nn.Tanh())

    def forward(self, x):
        h = self.conv(x)
        mu = self.mu(h.view(h.size(0), -1))
        return self.up(self.fc(mu).view(-1, 12, 4, 4))


class Normal(nn.Module):
    """GroupNorm and SiLU, as in the autoencoders of diffusion models."""

    def __init__(self, i, o):
        super().__init__()
        self.norm1, self.conv1 = nn.GroupNorm(2, i, eps=1e-6), nn.Conv2d(i, o, 3, padding=1)
        self.norm2, self.conv2 = nn.GroupNorm(2, o), nn.Conv2d(o, o, 3, padding=1)
        self.shortcut = nn.Conv2d(i, o, 1) if i != o else nn.Identity()

    def forward(self, x):
        h = self.conv1(F.silu(self.norm1(x)))
        return self.shortcut(x) + self.conv2(F.silu(self.norm2(h)))


class Mobile(nn.Module):
    """Inverted residual blocks: depthwise convolutions, ReLU6 and Hardswish."""

    def __init__(self, act):
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(4, 8, 1, bias=False), nn.BatchNorm2d(8), act(), nn.Conv2d(8, 8, 3, 1, 1, groups=8, bias=False),
                                  nn.BatchNorm2d(8), act(), nn.Conv2d(8, 4, 1, bias=False), nn.BatchNorm2d(4))

    def forward(self, x):
        return x + self.body(x)


class Standardized(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("mean", torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1))
        self.net = nn.Sequential(nn.Conv2d(3, 6, 5, padding=2), nn.ReLU(), nn.Conv2d(6, 3, 5, padding=2))

    def forward(self, x):
        y = self.net((x - self.mean) / self.std)
        return (y * self.std + self.mean).clamp(0, 1)


class DnCNN(nn.Module):
    def __init__(self):
        super().__init__()
        layers = [nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(inplace=True)]
        for _ in range(3):
            layers += [nn.Conv2d(8, 8, 3, padding=1, bias=False), nn.BatchNorm2d(8), nn.ReLU(inplace=True)]
        self.dncnn = nn.Sequential(*layers, nn.Conv2d(8, 1, 3, padding=1, bias=False))

    def forward(self, x):
        return x - self.dncnn(x)


class Odd(nn.Module):
    """Pools that round up, and sizes that the decoder takes from the encoder."""

    def __init__(self):
        super().__init__()
        self.c1, self.c2, self.c3 = nn.Conv2d(1, 4, 3, padding=1), nn.Conv2d(4, 6, 3, padding=1), nn.Conv2d(6, 1, 3, padding=1)
        self.pool = nn.MaxPool2d(2, ceil_mode=True)

    def forward(self, x):
        y = self.pool(F.relu(self.c1(x)))
        y = F.relu(self.c2(self.pool(y)))
        return torch.sigmoid(self.c3(F.interpolate(y, scale_factor=4))[:, :, :x.size(2), :x.size(3)])


class Pooled(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(3, 6, 3, stride=2, padding=1), nn.SELU(), nn.Conv2d(6, 8, 3, padding=1), nn.ELU(0.5),
                                      nn.AdaptiveAvgPool2d(1))
        self.fc = nn.Sequential(nn.Linear(8, 5), nn.Softplus(), nn.Linear(5, 3 * 8 * 8))

    def forward(self, x):
        return self.fc(torch.flatten(self.features(x), 1)).reshape(-1, 3, 8, 8)


class ConvNeXt(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem, self.dw = nn.Conv2d(3, 6, 4, stride=4), nn.Conv2d(6, 6, 7, padding=3, groups=6)
        self.norm, self.up1, self.act, self.up2 = nn.BatchNorm2d(6), nn.Conv2d(6, 12, 1), nn.GELU(), nn.Conv2d(12, 6, 1)
        self.gamma, self.out = nn.Parameter(torch.rand(6, 1, 1)), nn.ConvTranspose2d(6, 3, 4, stride=4)

    def forward(self, x):
        x = self.stem(x)
        return self.out(x + self.gamma * self.up2(self.act(self.up1(self.norm(self.dw(x))))))


class Squeeze(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.fc1, self.fc2 = nn.Conv2d(3, 8, 3, padding=1), nn.Conv2d(8, 2, 1), nn.Conv2d(2, 8, 1)

    def forward(self, x):
        x = F.relu(self.conv(x))
        return x * torch.sigmoid(self.fc2(F.relu(self.fc1(F.adaptive_avg_pool2d(x, 1)))))


def norm_act(o, act):
    return nn.BatchNorm2d(o), act


TORCH = {
    "mlp": (MLP(), (4, 144), ["dense 3", "sigmoid", "reshape 1 12 12"]),
    "tutorial": (Tutorial(), (2, 1, 28, 28), ["conv 16 k=7", "sigmoid"]),
    "strided": (nn.Sequential(nn.Conv2d(3, 6, 4, stride=2, padding=1), nn.ReLU(), nn.Conv2d(6, 8, 4, stride=2, padding=1), nn.ReLU(),
                              nn.Conv2d(8, 12, 4, stride=2, padding=1), nn.ReLU(), nn.ConvTranspose2d(12, 8, 4, stride=2, padding=1),
                              nn.ReLU(), nn.ConvTranspose2d(8, 6, 4, stride=2, padding=1), nn.ReLU(),
                              nn.ConvTranspose2d(6, 3, 4, stride=2, padding=1), nn.Sigmoid()), (2, 3, 32, 32), ["deconv 3 k=4"]),
    "batchnorm": (nn.Sequential(nn.Conv2d(3, 6, 3, padding=1), *norm_act(6, nn.ReLU()), nn.MaxPool2d(2), nn.Dropout2d(0.2),
                                nn.Conv2d(6, 8, 3, padding=1), *norm_act(8, nn.ReLU()), nn.MaxPool2d(2), nn.Identity(),
                                nn.ConvTranspose2d(8, 6, 2, stride=2), *norm_act(6, nn.ReLU()),
                                nn.ConvTranspose2d(6, 3, 2, stride=2), nn.Sigmoid()), (2, 3, 16, 16), ["deconv 6 k=2 stride=2 relu"]),
    "dcgan": (nn.Sequential(nn.Conv2d(3, 6, 4, 2, 1, bias=False), nn.LeakyReLU(0.2, inplace=True), nn.Conv2d(6, 8, 4, 2, 1, bias=False),
                            *norm_act(8, nn.LeakyReLU(0.2, inplace=True)), nn.Conv2d(8, 10, 4, 1, 0, bias=False),
                            nn.ConvTranspose2d(10, 8, 4, 1, 0, bias=False), *norm_act(8, nn.ReLU(True)),
                            nn.ConvTranspose2d(8, 6, 4, 2, 1, bias=False), *norm_act(6, nn.ReLU(True)),
                            nn.ConvTranspose2d(6, 3, 4, 2, 1, bias=False), nn.Tanh()), (2, 3, 16, 16), ["prelu", "tanh"]),
    "unet": (UNet(False), (2, 3, 16, 16), ["load", "concat"]),
    "unet-bilinear": (UNet(True), (2, 3, 16, 20), ["bilinear"]),
    "resnet": (nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), Residual(4, 4, 1), Residual(4, 6, 2),
                             nn.Upsample(scale_factor=2), Residual(6, 4, 1), nn.Conv2d(4, 3, 3, padding=1)), (2, 3, 12, 12), ["load", "add"]),
    "vae": (VAE(), (2, 3, 16, 16), ["dense 6", "reshape 12 4 4"]),
    "groupnorm": (nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), Normal(4, 4), Normal(4, 6), nn.Conv2d(6, 6, 3, 2, 1),
                                nn.Upsample(scale_factor=2, mode="nearest"), Normal(6, 4), nn.GroupNorm(4, 4), nn.SiLU(),
                                nn.Conv2d(4, 3, 3, padding=1)), (2, 3, 8, 8), ["groupnorm 2"]),
    "instancenorm": (nn.Sequential(nn.Conv2d(3, 6, 9, padding=4), nn.InstanceNorm2d(6, affine=True), nn.ReLU(),
                                   nn.Conv2d(6, 8, 3, 2, 1), nn.InstanceNorm2d(8), nn.ReLU(), nn.Upsample(scale_factor=2),
                                   nn.Conv2d(8, 3, 9, padding=4)), (2, 3, 12, 12), ["groupnorm 6", "k=9"]),
    "mobile": (nn.Sequential(nn.Conv2d(3, 4, 3, 2, 1), nn.ReLU6(), Mobile(nn.ReLU6), Mobile(nn.Hardswish),
                             nn.ConvTranspose2d(4, 3, 2, 2), nn.Hardtanh()), (2, 3, 12, 12), ["relu6", "hardswish"]),
    "dilated": (nn.Sequential(nn.Conv2d(3, 6, 3, padding=2, dilation=2), nn.PReLU(), nn.Conv2d(6, 6, 3, padding=4, dilation=4, groups=2),
                              nn.PReLU(6), nn.AvgPool2d(2), nn.Upsample(scale_factor=2), nn.Conv2d(6, 3, 1)), (2, 3, 12, 12),
                ["conv 6 k=5", "conv 6 k=9", "prelu"]),
    "standardized": (Standardized(), (2, 3, 12, 12), ["relu6"]),
    "dncnn": (DnCNN(), (2, 1, 12, 12), ["add s1"]),
    "odd": (Odd(), (2, 1, 14, 14), ["pad 8 8", "crop"]),
    "pooled": (Pooled(), (2, 3, 12, 12), ["selu", "softplus", "avgpool 6"]),
    "convnext": (ConvNeXt(), (2, 3, 16, 16), ["gelu_erf"]),
    "squeeze": (Squeeze(), (2, 3, 8, 8), ["!", "(Mul; *, Multiply): of two values that are computed"]),
    "stem": (nn.Sequential(nn.Conv2d(3, 8, 7, 2, 3, bias=False), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(3, 2, 1),
                           nn.ConvTranspose2d(8, 3, 4, 4)), (2, 3, 16, 16), ["!", "(MaxPool): windows of 3 every 2 pixels"]),
}


# --- Keras ---

class Keras:
    """Layers of Keras's, computed by PyTorch in y [n, h, w, c] or [n, values], and as the nodes of tf2onnx."""

    def __init__(self, opset, batch, *shape):
        self.opset, self.nodes, self.weights, self.first = opset, [], [], False
        self.x = self.y = torch.rand(2, *shape)
        self.shape, self.value = [batch, *shape], "input"

    def random(self, *shape):
        """Numbers that half precision holds."""
        return torch.round(torch.rand(*shape) * 128) / 256 - 0.25

    def constant(self, values):
        name = "const_fold_opt__%d" % len(self.weights)
        self.weights.append(onnx.numpy_helper.from_array(numpy.array(values), name))
        return name

    def node(self, op, *inputs, **attributes):
        output = "StatefulPartitionedCall/model/%s_%d:0" % (op.lower(), len(self.nodes))
        self.nodes.append(helper.make_node(op, [self.value, *inputs], [output], **attributes))
        self.value = output

    def to(self, first):
        """Channels first, or back; with one channel it is a Reshape."""
        if first != self.first and len(self.y.shape) == 4:
            n, h, w, c = self.y.shape
            if first and c == 1:
                self.node("Reshape", self.constant(numpy.array([-1, 1, h, w])))
            else:
                self.node("Transpose", perm=[0, 3, 1, 2] if first else [0, 2, 3, 1])
        self.first = first
        return self.y.permute(0, 3, 1, 2) if len(self.y.shape) == 4 else self.y

    def set(self, y):
        self.y = y.permute(0, 2, 3, 1) if len(y.shape) == 4 else y
        return self

    def act(self, kind):
        ops = {"relu": ("Relu", F.relu), "sigmoid": ("Sigmoid", torch.sigmoid), "tanh": ("Tanh", torch.tanh), "elu": ("Elu", F.elu),
               "selu": ("Selu", F.selu), "softplus": ("Softplus", F.softplus)}
        if kind == "swish":
            x = self.value
            self.node("Sigmoid")
            self.node("Mul", x)
            self.y = F.silu(self.y)
        elif kind == "hard_sigmoid":
            self.node("HardSigmoid", alpha=0.2, beta=0.5)
            self.y = (self.y * 0.2 + 0.5).clamp(0, 1)
        elif kind:
            self.node(ops[kind][0])
            self.y = ops[kind][1](self.y)
        return self

    def conv(self, filters, k=3, stride=1, act="relu", padding="same", said=True):
        x = self.to(True)
        w, b = self.random(filters, x.shape[1], k, k), self.random(filters)
        total = [max((-(-n // stride) - 1) * stride + k - n, 0) if padding == "same" else 0 for n in x.shape[2:]]
        pads = [n // 2 for n in total] + [n - n // 2 for n in total]
        where = {"pads": pads} if said else {"auto_pad": "SAME_UPPER" if padding == "same" else "VALID"}
        self.node("Conv", self.constant(w.numpy()), self.constant(b.numpy()), kernel_shape=[k, k], strides=[stride] * 2,
                  dilations=[1, 1], group=1, **where)
        return self.set(F.conv2d(F.pad(x, [pads[1], pads[3], pads[0], pads[2]]), w, b, stride)).act(act)

    def deconv(self, filters, k=3, stride=2, act="relu", output_shape=False):
        x = self.to(True)
        w, b = self.random(x.shape[1], filters, k, k), self.random(filters)
        total, out = k - stride, [n * stride for n in x.shape[2:]]
        before = total // 2
        where = {"output_shape": out, "auto_pad": "SAME_UPPER"} if output_shape else {
            "pads": [before, before, total - before, total - before]}
        self.node("ConvTranspose", self.constant(w.numpy()), self.constant(b.numpy()), kernel_shape=[k, k],
                  strides=[stride] * 2, **where)
        y = F.conv_transpose2d(x, w, b, stride)
        return self.set(y[:, :, before:before + out[0], before:before + out[1]]).act(act)

    def pool(self, op="MaxPool", padding="valid"):
        x = self.to(True)
        odd = [n % 2 if padding == "same" else 0 for n in x.shape[2:]]
        self.node(op, kernel_shape=[2, 2], strides=[2, 2], auto_pad="SAME_UPPER" if padding == "same" else "VALID")
        function = F.max_pool2d if op == "MaxPool" else F.avg_pool2d
        return self.set(function(F.pad(x, [0, odd[1], 0, odd[0]], value=-1e9 if op == "MaxPool" else 0), 2))

    def up(self, mode="nearest"):
        x = self.to(True)
        scales = self.constant(numpy.array([1, 1, 2, 2], "f4"))
        if self.opset < 11:
            self.node("Upsample", scales, mode="nearest")
        else:
            how = {"coordinate_transformation_mode": "half_pixel", "mode": "linear"} if mode == "bilinear" else {
                "coordinate_transformation_mode": "tf_half_pixel_for_nn" if self.opset < 13 else "asymmetric",
                "mode": "nearest", "nearest_mode": "floor"}
            self.node("Resize", "", scales, **how)
        return self.set(F.interpolate(x, scale_factor=2, mode=mode))

    def normalize(self):
        x = self.to(True)
        c = x.shape[1]
        g, b, m, v = self.random(c) + 1, self.random(c), self.random(c), self.random(c) + 1
        self.node("BatchNormalization", *(self.constant(t.numpy()) for t in (g, b, m, v)), epsilon=0.001)
        return self.set(F.batch_norm(x, m, v, g, b, eps=0.001))

    def leaky(self, alpha=0.3):
        self.node("LeakyRelu", alpha=alpha)
        self.y = F.leaky_relu(self.y, alpha)
        return self

    def dense(self, n, act="relu"):
        w, b = self.random(self.y.shape[1], n), self.random(n)
        self.node("MatMul", self.constant(w.numpy()))
        self.node("Add", self.constant(b.numpy()))
        self.y = self.y @ w + b
        return self.act(act)

    def flatten(self):
        self.to(False)
        self.y = self.y.flatten(1)
        self.node("Reshape", self.constant(numpy.array([-1, self.y.shape[1]])))
        return self

    def reshape(self, *shape):
        self.node("Reshape", self.constant(numpy.array([-1, *shape])))
        self.y, self.first = self.y.reshape(-1, *shape), False
        return self

    def mean(self):
        x = self.to(True)
        self.node("ReduceMean", **({"axes": [2, 3], "keepdims": 0}))
        return self.set(x.mean((2, 3)))

    def scale(self, by, plus):
        self.node("Mul", self.constant(numpy.array(by, "f4")))
        self.node("Add", self.constant(numpy.array(plus, "f4")))
        self.y = self.y * by + plus
        return self

    def fork(self):
        return self.value, self.y, self.first

    def concat(self, other, kept_first=True):
        self.to(True)
        value, y = other[0], self.y
        assert other[2]
        self.nodes.append(helper.make_node("Concat", [value, self.value] if kept_first else [self.value, value], ["concat_%d" % len(self.nodes)],
                                           axis=1))
        self.value = self.nodes[-1].output[0]
        self.y = torch.cat([other[1], y] if kept_first else [y, other[1]], 3)
        return self

    def model(self, doc=None):
        y = self.to(False) if len(self.y.shape) == 4 else self.y
        port = [helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, shape) for name, shape in (
            ("input", self.shape), (self.value, [self.shape[0], *self.y.shape[1:]]))]
        graph = helper.make_graph(self.nodes, "tf2onnx", port[:1], port[1:], self.weights)
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", self.opset)], ir_version=7)


def blog(k):
    """The autoencoder of Keras's blog: pools with padding 'same' down to 4 x 4."""
    for n in (8, 4, 4):
        k.conv(n).pool(padding="same")
    k.conv(4).up().conv(4).up()
    return k.conv(8, padding="valid").up().conv(1, act="sigmoid")


def dense(k):
    k.conv(4, stride=2, said=False).conv(6, stride=2).flatten().dense(5, None).dense(6 * 3 * 4).reshape(3, 4, 6)
    return k.deconv(4).deconv(3, act="sigmoid", output_shape=True)


def normalized(k):
    for n in (4, 6):
        k.conv(n, act=None, stride=2).normalize().leaky()
    return k.deconv(4, act=None).normalize().leaky().deconv(4, k=4, act=None).normalize().leaky(0.2).conv(3, act="sigmoid")


def after(k):
    """BatchNormalization behind the activation."""
    k.conv(4).normalize().pool().conv(6).normalize().pool("AveragePool")
    return k.up().conv(4).normalize().up("bilinear").conv(3, act="sigmoid")


def skips(k, first):
    a = k.conv(4).fork()
    b = k.pool().conv(6).fork()
    k.pool().conv(8).up().conv(6, k=2).concat(b, first).conv(6).up().conv(4, k=2).concat(a, first)
    return k.conv(4).conv(3, k=1, act="sigmoid")


KERAS = {
    "blog": (lambda n: blog(Keras(11, n, 28, 28, 1)), ["pad 8 8", "sigmoid"]),
    "dense": (lambda n: dense(Keras(13, n, 12, 16, 3)), ["dense 72 relu", "reshape 6 3 4"]),
    "mlp": (lambda n: Keras(17, n, 144).dense(32).dense(144, "sigmoid"), ["reshape 1 12 12"]),
    "normalized": (lambda n: normalized(Keras(11, n, 16, 16, 3)), ["prelu"]),
    "after": (lambda n: after(Keras(17, n, 12, 12, 3)), ["conv 4 k=1"]),
    "skips": (lambda n: skips(Keras(13, n, 16, 16, 3), True), ["concat"]),
    "skips-last": (lambda n: skips(Keras(17, n, 16, 16, 1), False), ["concat s1"]),
    "rescaled": (lambda n: Keras(11, n, 8, 8, 3).scale(1 / 127.5, -1).conv(6, act="swish").conv(8, act="selu").conv(
        4, act="softplus").conv(3, act="hard_sigmoid"), ["silu", "selu", "softplus", "relu6"]),
    "pooled": (lambda n: Keras(13, n, 8, 12, 3).conv(6, act="elu").mean().dense(4).dense(8 * 12 * 3, "tanh").reshape(8, 12, 3),
               ["avgpool 12", "reshape 3 8 12"]),
    "old": (lambda n: Keras(9, n, 8, 8, 3).conv(4).pool().conv(4).up().conv(3, act="sigmoid"), ["upsample"]),
}


# --- All ---

def write(name, n, x, y, words):
    base = os.path.join(sys.argv[1], name)
    x.detach().numpy().tofile(base + ".in")
    y.detach().numpy().tofile(base + ".out")
    shape = tuple(x.shape) if len(x.shape) == 4 else (n, 1, 12, 12)
    print(name, *shape, "|".join(words), flush=True)


def of_type(model, kind):
    """The same with weights, input and output of another type."""
    number = getattr(onnx.TensorProto, kind)
    for t in model.graph.initializer:
        values = onnx.numpy_helper.to_array(t)
        if values.dtype == numpy.float32:
            t.raw_data = values.astype("f8" if kind == "DOUBLE" else "f2").tobytes() if kind != "BFLOAT16" else (
                values.view("u4") >> 16).astype("u2").tobytes()
            t.data_type = number
    for port in (*model.graph.input, *model.graph.output):
        port.type.tensor_type.elem_type = number
    return model


def main():
    for i, (name, (net, shape, words)) in enumerate(TORCH.items()):
        for module in net.modules():  # as if it had been trained
            if isinstance(module, nn.BatchNorm2d):
                module.running_mean, module.running_var = torch.rand(module.num_features) - 0.5, torch.rand(module.num_features) + 0.5
                module.weight.data, module.bias.data = torch.rand(module.num_features) + 0.5, torch.rand(module.num_features) - 0.5
        net.eval()
        x, opset, base = torch.rand(*shape), (11, 13, 17)[i % 3], "torch-" + name
        torch.onnx.export(net, x, os.path.join(sys.argv[1], base + ".onnx"), opset_version=opset, input_names=["input"],
                          dynamic_axes={"input": {0: "batch"}} if i % 2 else None)
        write(base, shape[0], x, net(x), words)
    for i, (name, (make, words)) in enumerate(KERAS.items()):
        k = make("unk__%d" % i if i % 2 else 2)
        first = [t.permute(0, 3, 1, 2).contiguous() if len(t.shape) == 4 else t for t in (k.x, k.y)]
        model, path = k.model(), os.path.join(sys.argv[1], "keras-%s.onnx" % name)
        onnx.save(model, path)
        write("keras-" + name, 2, *first, words)
        if name != "dense":
            continue
        for kind in ("FLOAT16", "BFLOAT16", "DOUBLE", "apart"):
            base = os.path.join(sys.argv[1], kind)
            if kind == "apart":
                onnx.save(onnx.load(path), base + ".onnx", save_as_external_data=True, location="weights.bin", size_threshold=0)
            else:
                onnx.save(of_type(onnx.load(path), kind), base + ".onnx")
            write(kind, 2, *first, words)


main()
