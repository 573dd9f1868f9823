#!/usr/bin/python3
"""models/colorize.safetensors for pictures of 64x64 pixels: the network of colorize-photos.net with weights that make the same of a
picture as the smaller one makes of its half size. Needs python3-numpy.

usage: lift.py colorize.safetensors colorize-photos.net OUT.safetensors

Where squares of 2x2 pixels were cut, squares of 4x4 are: the first layer sees the mean of each 2x2 of them, the last one repeats
its colors."""
import json
import struct
import sys
import numpy

if len(sys.argv) != 4:
    sys.exit(__doc__)
whole = open(sys.argv[1], "rb").read()
length, = struct.unpack("<Q", whole[:8])
head = json.loads(whole[8:8 + length])
wanted = {"format": head["__metadata__"]["format"], "task": "colorize", "name": "lift", "height": "64", "width": "64",
          "network": "".join(line for line in open(sys.argv[2]) if not line.startswith("#"))}
tensors = {}
for name, t in head.items():
    if name != "__metadata__":
        first, end = t["data_offsets"]
        tensors[name] = numpy.frombuffer(whole[8 + length + first:8 + length + end], "<f2").reshape(t["shape"]).astype("<f4")


def twice(x, axis):
    return numpy.repeat(numpy.repeat(x, 2, axis), 2, axis + 1)


tensors["conv1.weight"] = (twice(tensors["conv1.weight"].reshape(32, 4, 2, 2, 3, 3), 2) / 4).reshape(32, 64, 3, 3)
tensors["conv20.weight"] = twice(tensors["conv20.weight"].reshape(2, 2, 2, 32, 3, 3), 1).reshape(32, 32, 3, 3)
tensors["conv20.bias"] = twice(tensors["conv20.bias"].reshape(2, 2, 2), 1).reshape(32)
head, data = {"__metadata__": wanted}, b""
for name, t in tensors.items():
    head[name] = {"dtype": "F32", "shape": list(t.shape), "data_offsets": [len(data), len(data) + t.nbytes]}
    data += numpy.ascontiguousarray(t, "<f4").tobytes()
text = json.dumps(head).encode()
text += b" " * (-len(text) % 8)
open(sys.argv[3], "wb").write(struct.pack("<Q", len(text)) + text + data)
