"""caelum's models in PyTorch, with nothing but the standard library, NumPy and PyTorch.

    module = load("best.safetensors")   # a torch.nn.Module: [n, channels, rows, columns] -> the same
    save(module, "tuned.safetensors")   # a model that caelum loads; module.half() first: in half precision

docs/network.md says what the lines of a network mean, docs/formats.md how the file is laid out."""
import json
import struct

import numpy
import torch
from torch import nn
from torch.nn import functional as F

TYPES = {"F16": numpy.float16, "F32": numpy.float32}
ACTIVATIONS = {
    "linear": lambda x: x, "relu": F.relu, "leaky": lambda x: F.leaky_relu(x, 0.01), "elu": F.elu,
    "gelu": lambda x: F.gelu(x, approximate="tanh"), "silu": F.silu, "sigmoid": torch.sigmoid, "tanh": torch.tanh,
    "hardswish": F.hardswish}


class Net(nn.Module):
    """A network's text and its tensors; state_dict() has caelum's names, "conv1.weight"."""

    def __init__(self, metadata, tensors):
        super().__init__()
        self.metadata, self.lines, ordinal = metadata, [], {}
        for line in metadata["network"].split("\n"):
            words = line.split("#")[0].split()
            if words:
                ordinal[words[0]] = ordinal.get(words[0], 0) + 1
                self.lines.append((words[0] + str(ordinal[words[0]]), words))
        for name, values in tensors.items():
            layer, tensor = name.split(".")
            if layer not in self._modules:
                self.add_module(layer, nn.Module())
            self._modules[layer].register_parameter(tensor, nn.Parameter(torch.from_numpy(values)))

    def forward(self, x):
        saved = {}
        for name, words in self.lines:
            if words[0] == "save":
                saved[words[1]] = x
            elif words[0] == "add":
                x = x + saved[words[1]]
            elif words[0] == "concat":
                x = torch.cat([x, saved[words[1]]], 1)
            elif words[0] not in ("input", "latent", "noise"):  # noise is for training in caelum
                x = self.layer(x, self._modules.get(name), words)
                x = ACTIVATIONS[next((w for w in words[1:] if w in ACTIVATIONS), "linear")](x)
        return x

    def layer(self, x, own, words):
        """What a line does, without its activation; `own` has its weights."""
        numbers = [int(w) for w in words[1:] if w.isdigit()]
        keys = dict(w.split("=") for w in words[1:] if "=" in w)
        size, (h, w) = (numbers or [2])[0], x.shape[2:]
        stride, valid = int(keys.get("stride", 1)), keys.get("pad") == "valid"
        if words[0] == "conv":  # pad=same: ceil(n / stride) outputs, the odd zero at the end
            pads = [0 if valid else max((-(-n // stride) - 1) * stride + own.weight.shape[3] - n, 0) for n in (w, h)]
            return F.conv2d(F.pad(x, [p for n in pads for p in (n // 2, n - n // 2)]), own.weight, own.bias, stride)
        if words[0] == "deconv":
            k = own.weight.shape[3]
            y, before = F.conv_transpose2d(x, own.weight, stride=stride), 0 if valid else max(k - stride, 0) // 2
            ends = [(n - 1) * stride + max(k, stride) if valid else n * stride for n in (w, h)]
            return cut(y, before, before, ends[1], ends[0]) + own.bias[:, None, None]
        if words[0] == "dense":
            return F.linear(x.flatten(1), own.weight, own.bias)[:, :, None, None]
        if words[0] == "quantize":
            return torch.round(x / float(words[1])) * float(words[1])
        if words[0] == "upsample":
            bilinear = {"mode": "bilinear", "align_corners": False}
            return F.interpolate(x, scale_factor=size, **(bilinear if "bilinear" in words else {"mode": "nearest"}))
        if words[0] in ("crop", "pad"):  # in the middle, the odd row at the end
            return cut(x, *(int((n - to) / 2) for n, to in zip((h, w), numbers)), *numbers)
        return {"maxpool": lambda: F.max_pool2d(x, size), "avgpool": lambda: F.avg_pool2d(x, size), "act": lambda: x, "groupnorm": lambda: F.group_norm(x, (numbers or [1])[0]) * own.weight + own.bias, "prelu": lambda: torch.where(x > 0, x, own.weight * x),
                "reshape": lambda: x.reshape(-1, *numbers), "space_to_depth": lambda: F.pixel_unshuffle(x, size),
                "depth_to_space": lambda: F.pixel_shuffle(x, size)}[words[0]]()


def cut(x, top, left, h, w):
    """h x w pixels from (top, left) on; outside of x there are zeros."""
    return F.pad(x, [-left, left + w - x.shape[3], -top, top + h - x.shape[2]])


def load(path):
    with open(path, "rb") as file:
        header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
        data = file.read()
    metadata, tensors = header.pop("__metadata__"), {}
    for name, t in header.items():
        values = numpy.frombuffer(data[slice(*t["data_offsets"])], TYPES[t["dtype"]])
        tensors[name] = values.reshape(t["shape"]).astype(numpy.float32)
    return Net(metadata, tensors)


def save(module, path):
    header, data = {"__metadata__": module.metadata}, b""
    for name, tensor in module.state_dict().items():
        values = tensor.cpu().numpy()
        ends = [len(data), len(data) + values.nbytes]
        header[name] = {"dtype": "F%d" % (8 * values.itemsize), "shape": values.shape, "data_offsets": ends}
        data += values.tobytes()
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + data)
