"""caelum's models in PyTorch, with nothing but the standard library, NumPy and PyTorch.

    from caelum.torch import load, save
    module = load("best.safetensors")   # a torch.nn.Module: [n, channels, rows, columns] -> the same
    save(module, "tuned.safetensors")   # a model that caelum loads; module.half() first: in half precision

docs/network.md says what the lines of a network mean."""
import torch
from torch import nn
from torch.nn import functional as F

from . import modelfile

ACTIVATIONS = {
    "linear": lambda x: x, "relu": F.relu, "leaky": lambda x: F.leaky_relu(x, 0.01), "elu": F.elu,
    "gelu": lambda x: F.gelu(x, approximate="tanh"), "silu": F.silu, "sigmoid": torch.sigmoid, "tanh": torch.tanh,
    "hardswish": F.hardswish, "relu6": F.relu6, "selu": F.selu, "softplus": F.softplus, "gelu_erf": F.gelu}


class Net(nn.Module):
    """A network's text and its tensors; state_dict() has caelum's names, "conv1.weight"."""

    def __init__(self, metadata, tensors):
        super().__init__()
        self.metadata, self.lines = metadata, modelfile.lines(metadata["network"])
        for name, values in tensors.items():
            layer, tensor = name.split(".")
            if layer not in self._modules:
                self.add_module(layer, nn.Module())
            self._modules[layer].register_parameter(tensor, nn.Parameter(torch.from_numpy(values)))

    def forward(self, x):
        saved = {}
        for line in self.lines:
            if line.word == "save":
                saved[line.slot] = x
            elif line.word == "load":
                x = saved[line.slot]
            elif line.word == "add":
                x = x + saved[line.slot]
            elif line.word == "concat":
                x = torch.cat([x, saved[line.slot]], 1)
            elif line.word not in ("input", "latent", "noise"):  # noise is for training in caelum
                x = ACTIVATIONS[line.activation](self.layer(x, self._modules.get(line.name), line))
        return x

    def layer(self, x, own, line):
        """What a line does, without its activation; `own` has its weights."""
        word, size, stride, valid, (h, w) = line.word, line.size, line.stride, line.valid, x.shape[2:]
        if word == "conv":  # pad=same: ceil(n / stride) outputs, the odd zero at the end
            pads = [0 if valid else max((-(-n // stride) - 1) * stride + line.k - n, 0) for n in (h, w)]
            odd = [p % 2 for p in pads]
            x = F.pad(x, (0, odd[1], 0, odd[0])) if any(odd) else x
            return F.conv2d(x, own.weight, own.bias, stride, [p // 2 for p in pads])
        if word == "deconv":
            y, before = F.conv_transpose2d(x, own.weight, stride=stride), 0 if valid else max(line.k - stride, 0) // 2
            ends = [(n - 1) * stride + max(line.k, stride) if valid else n * stride for n in (w, h)]
            return cut(y, before, before, ends[1], ends[0]) + own.bias[:, None, None]
        if word == "dense":
            return F.linear(x.flatten(1), own.weight, own.bias)[:, :, None, None]
        if word == "quantize":
            return torch.round(x / float(line.words[1])) * float(line.words[1])
        if word == "upsample":
            bilinear = {"mode": "bilinear", "align_corners": False}
            return F.interpolate(x, scale_factor=size, **(bilinear if line.bilinear else {"mode": "nearest"}))
        if word in ("crop", "pad"):  # in the middle, the odd row at the end
            return cut(x, *(int((n - to) / 2) for n, to in zip((h, w), line.numbers)), *line.numbers)
        return {"maxpool": lambda: F.max_pool2d(x, size), "avgpool": lambda: F.avg_pool2d(x, size), "act": lambda: x,
                "prelu": lambda: torch.where(x > 0, x, own.weight * x),
                "groupnorm": lambda: F.group_norm(x, (line.numbers or [1])[0]) * own.weight + own.bias,
                "reshape": lambda: x.reshape(-1, *line.numbers), "space_to_depth": lambda: F.pixel_unshuffle(x, size),
                "depth_to_space": lambda: F.pixel_shuffle(x, size)}[word]()


def cut(x, top, left, h, w):
    """h x w pixels from (top, left) on; outside of x there are zeros."""
    return F.pad(x, [-left, left + w - x.shape[3], -top, top + h - x.shape[2]])


def load(path):
    return Net(*modelfile.read(path))


def save(module, path):
    modelfile.write(path, module.metadata, {name: t.cpu().numpy() for name, t in module.state_dict().items()})
