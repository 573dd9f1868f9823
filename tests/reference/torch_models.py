#!/usr/bin/python3
"""python/caelum/torch.py against caelum's own outputs, and its files back into caelum.

usage: torch_models.py CAELUM DATA MODEL...
For each model: the largest difference of the outputs for 100 pictures of DATA, generated ones if it takes them larger, at most 1e-5 (times the largest
output, if that is more than 1: logits); and save() after load() gives a file that caelum loads, with the same
outputs to the bit. Then the same for a text with every line there is but quantize, and random
weights, which also come in as another program's .npz: names of its own, 64-bit."""
import os
import subprocess
import sys
import tempfile

import numpy
import torch

sys.dont_write_bytecode = True  # nothing is left in the source
sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../../python"))
from caelum import torch as caelum_torch  # noqa: E402

torch.set_num_threads(1)
CAELUM, DATA, MODELS = sys.argv[1], sys.argv[2], sys.argv[3:]
EVERYTHING = """input 3
noise 0.1
conv 4 k=5 stride=2 leaky  # odd zeros
save a
conv 4 gelu
add a
conv 6 k=2 pad=valid elu
deconv 4 k=5 stride=2 silu
deconv 3 k=2 stride=3 pad=valid tanh
crop 31 30
maxpool 2
upsample 3 bilinear
pad 47 46
avgpool
upsample 2 nearest
crop 16 12
save b
space_to_depth
act relu
depth_to_space 2
concat b
dense 24 sigmoid
latent
reshape 6 2 2
deconv 2 k=3 stride=2 pad=valid
"""


def caelum(*words):
    subprocess.run([CAELUM] + list(words), check=True, stdout=subprocess.DEVNULL)


def outputs(model, out):
    """caelum's input and output for the pictures."""
    last = subprocess.run([CAELUM, "inspect", model, "--json"], check=True, stdout=subprocess.PIPE)
    rows = last.stdout.count(b'"cut"')
    side = caelum_torch.load(model).metadata["height"]
    caelum("activations", model, "--data", DATA if side == "32" else "synthetic:1500:" + side, "--layer", str(rows), "-o", out, "--force")
    with numpy.load(out) as arrays:
        x, name = arrays["input"], [n for n in arrays.files if n != "input"]
        return x, arrays[name[0]]


def check(model, work):
    module = caelum_torch.load(model)
    x, want = outputs(model, os.path.join(work, "a.npz"))
    assert len(x) == 100
    with torch.no_grad():
        got = module(torch.from_numpy(x)).numpy()
    difference = numpy.sort(abs(got - want).reshape(100, -1).max(1))
    print("%.2g" % difference[-1], os.path.basename(model))
    # a number half way between two steps may be rounded either way
    if "quantize" in module.metadata["network"]:
        difference = difference[:-2]
    assert got.shape == want.shape and difference[-1] <= 1e-5 * max(1, abs(want).max())
    assert want.std(0).max() > 1e-3, "outputs that say nothing of the pictures"
    with torch.no_grad():
        next(module.parameters()).mul_(2)
    back = os.path.join(work, "back.safetensors")
    caelum_torch.save(module, back)
    changed = outputs(back, os.path.join(work, "b.npz"))[1]
    with torch.no_grad():
        difference = numpy.median(abs(module(torch.from_numpy(x)).numpy() - changed).reshape(100, -1).max(1))
    assert difference <= 1e-5 * max(1, abs(changed).max()), "changed weights: %g" % difference
    caelum_torch.save(caelum_torch.load(model), back)
    assert (outputs(back, os.path.join(work, "b.npz"))[1] == want).all()


def random_model(work):
    """Weights as another program might have them, through caelum import."""
    net, foreign, model = (os.path.join(work, n) for n in ("all.net", "foreign.npz", "all.safetensors"))
    with open(net, "w") as file:
        file.write(EVERYTHING)
    rng, shapes = numpy.random.default_rng(1), (
        (4, 3, 5, 5), (4,), (4, 4, 3, 3), (4,), (6, 4, 2, 2), (6,), (6, 4, 5, 5), (4,), (4, 3, 2, 2), (3,),
        (24, 1152), (24,), (6, 2, 3, 3), (2,))
    scale = [numpy.prod(s[1:]) if len(s) > 1 else 100 for s in shapes]  # small biases
    arrays = {"tensor_%d" % i: 2 * rng.normal(size=s) / numpy.sqrt(n) for i, (s, n) in enumerate(zip(shapes, scale))}
    arrays["tensor_10"] = numpy.asfortranarray(arrays["tensor_10"])
    numpy.savez_compressed(foreign, **arrays)
    caelum("import", foreign, "--net", net, "-o", model)
    named = caelum_torch.load(model).state_dict()
    for tensor, array in zip(named.values(), arrays.values()):
        assert (tensor.numpy() == array.astype(numpy.float32)).all()
    return model


with tempfile.TemporaryDirectory() as scratch:
    for path in MODELS + [random_model(scratch)]:
        check(path, scratch)
