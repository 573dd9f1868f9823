"""Model files and networks' texts, with NumPy: what torch.py and keras.py share.

docs/network.md says what the lines of a network mean, docs/formats.md how the file is laid out."""
import json
import struct

import numpy

TYPES = {"F16": numpy.float16, "F32": numpy.float32}
ACTIVATIONS = ("linear", "relu", "leaky", "elu", "gelu", "silu", "sigmoid", "tanh", "hardswish", "relu6", "selu", "softplus",
               "gelu_erf")


class Line:
    """One line: its word, its numbers, its options, and the name of its tensors, "conv1"."""

    def __init__(self, text, ordinal):
        self.text, self.words = text, text.split()
        self.word = self.words[0]
        ordinal[self.word] = ordinal.get(self.word, 0) + 1
        self.name = self.word + str(ordinal[self.word])
        self.numbers = [int(w) for w in self.words[1:] if w.isdigit()]
        self.size = (self.numbers or [2])[0]
        keys = dict(w.split("=") for w in self.words[1:] if "=" in w)
        self.k, self.stride, self.valid = int(keys.get("k", 3)), int(keys.get("stride", 1)), keys.get("pad") == "valid"
        self.bilinear = "bilinear" in self.words
        self.activation = next((w for w in self.words[1:] if w in ACTIVATIONS), "linear")
        self.slot = self.words[1] if self.word in ("save", "load", "add", "concat") else None


def lines(text):
    """The lines of a network's text that say something, the first of them `input`."""
    ordinal, said = {}, (line.split("#")[0].strip() for line in text.lstrip("\ufeff").split("\n"))
    return [Line(line, ordinal) for line in said if line]


def read(path):
    """Metadata (strings by name) and tensors (arrays by name, in single precision)."""
    with open(path, "rb") as file:
        header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
        data = file.read()
    metadata, tensors = header.pop("__metadata__"), {}
    for name, t in header.items():
        values = numpy.frombuffer(data[slice(*t["data_offsets"])], TYPES[t["dtype"]])
        tensors[name] = values.reshape(t["shape"]).astype(numpy.float32)
    return metadata, tensors


def write(path, metadata, tensors):
    """A model that caelum loads; arrays of half precision stay so."""
    header, data = {"__metadata__": metadata}, b""
    for name, values in tensors.items():
        ends = [len(data), len(data) + values.nbytes]
        header[name] = {"dtype": "F%d" % (8 * values.itemsize), "shape": values.shape, "data_offsets": ends}
        data += values.tobytes()
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + data)
