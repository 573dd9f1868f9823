"""ctypes_module.py REPOSITORY - python/caelum/library.py against numpy: one convolution by hand, shared memory,
codes, pictures, errors."""

import gc
import sys

import numpy as np

root = sys.argv[1]
sys.dont_write_bytecode = True  # nothing is left in the source
sys.path.insert(0, root + "/python")
import caelum

model = caelum.Model(root + "/models/standard.safetensors")
weights = model.weights()
assert weights["conv1.weight"].shape == (8, 3, 3, 3) and sum(w.size for w in weights.values()) == 4911
assert model.weights()["conv1.weight"].ctypes.data == weights["conv1.weight"].ctypes.data, "weights are copies"

# arrays, and views of them, keep a model that nobody else holds; without any it is closed
alone = caelum.Model(root + "/models/standard.safetensors").weights()["conv1.weight"][2:, 1]
closed = []
close, caelum.Model.__del__ = caelum.Model.__del__, lambda self: (closed.append(1), close(self))
gc.collect()
more = [caelum.Model(root + "/models/best.safetensors") for _ in range(5)]  # take what was given back
assert np.array_equal(alone, weights["conv1.weight"][2:, 1]) and not closed, "the model is gone"
assert not alone.flags.writeable
del alone
gc.collect()
assert len(closed) == 1, "the model stays"
del more

pictures = np.random.default_rng(1).random((5, 3, 32, 32), np.float32)

padded = np.pad(pictures.astype(np.float64), ((0, 0), (0, 0), (1, 1), (1, 1)))
by_hand = np.zeros((5, 8, 32, 32)) + weights["conv1.bias"].astype(np.float64)[None, :, None, None]
for u in range(3):
    for v in range(3):
        by_hand += np.einsum("kc,ncij->nkij", weights["conv1.weight"][:, :, u, v].astype(np.float64),
                             padded[:, :, u:u + 32, v:v + 32])
assert np.abs(model.run(pictures, layer=1) - np.maximum(by_hand, 0)).max() < 1e-5

out = np.empty_like(pictures)
assert model.run(pictures, out=out) is out and np.isfinite(out).all()
assert np.array_equal(out, model.run(pictures, threads=1)), "threads change the result"
assert model.run(pictures, layer=model.latent).shape == (5, 16, 8, 8)
assert np.array_equal(model.run(pictures, layer=0), pictures)

picture = np.ascontiguousarray((pictures[0].transpose(1, 2, 0) * 255).round().astype(np.uint8))
whole = (model.run(np.ascontiguousarray(picture.transpose(2, 0, 1)[None] / np.float32(255))) * 255).round()
assert np.abs(model.reconstruct(picture).astype(int) - whole[0].transpose(1, 2, 0)).max() <= 1

colorizer = caelum.Model(root + "/models/colorize.safetensors")
red = colorizer.colorize(picture, vivid=1, hints=[(16, 16, (220, 30, 30))])
assert red.shape == picture.shape and red[..., 0].mean() > red[..., 2].mean()

for wrong in (lambda: caelum.Model("missing.safetensors"), lambda: model.colorize(picture),
              lambda: model.run(pictures, layer=99, out=pictures)):
    try:
        wrong()
    except (caelum.Error, ValueError, IndexError) as error:
        assert str(error)
    else:
        raise AssertionError("an error was expected")
print("ctypes module: all as expected")
