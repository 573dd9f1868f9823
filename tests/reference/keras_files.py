#!/usr/bin/python3
"""Keras's files without Keras: h5py and NumPy as independent witnesses of what caelum reads and writes.

usage: keras_files.py CAELUM DATA STANDARD SCRATCH
1. Writes the standard network with the weights of STANDARD (a model) as Keras 2.15 writes an .h5 and as Keras 3
   writes a .keras, in an older and in a newer form; caelum imports them, and finds the same weights; what it
   exports again has the same datasets. The figures of `caelum eval` are the same.
2. Exports a network with every line that Keras has layers for, and computes its outputs from the file alone, by
   what Keras's documentation says of each layer and in Keras's own order of rows, columns, channels: they must be
   caelum's. The same for a network that comes in with skips and orders that caelum does not write itself.
3. Layers that do nothing but in training vanish; what can't be said is refused, by the layer's name.
Files are converted by python3 -m caelum.keras, which PYTHONPATH leads to."""
import io
import json
import math
import os
import struct
import subprocess
import sys
import zipfile

import h5py
import numpy

CAELUM, DATA, STANDARD, SCRATCH = sys.argv[1:]
os.chdir(SCRATCH)


def caelum(*words):
    return subprocess.run([CAELUM] + list(words), check=True, stdout=subprocess.PIPE).stdout


def convert(there, back):
    """By the module's command; what it says when it fails."""
    return subprocess.run([sys.executable, "-B", "-m", "caelum.keras", there, back], stderr=subprocess.PIPE, text=True).stderr


def converted(there, back):
    said = convert(there, back)
    assert not said, said


# --- 1. Files as Keras writes them ---

def conv2d(name, filters, activation, keras3):
    def initializer(kind, **config):
        own = {"class_name": kind, "config": config, "registered_name": None}
        return dict(own, module="keras.initializers")
    config = {
        "name": name, "trainable": True, "dtype": "float32", "filters": filters, "kernel_size": [3, 3],
        "strides": [1, 1], "padding": "same", "data_format": "channels_last", "dilation_rate": [1, 1], "groups": 1,
        "activation": activation, "use_bias": True, "kernel_initializer": initializer("GlorotUniform", seed=None),
        "bias_initializer": initializer("Zeros"), "kernel_regularizer": None, "bias_regularizer": None,
        "activity_regularizer": None, "kernel_constraint": None, "bias_constraint": None}
    if keras3:
        config["dtype"] = {"module": "keras", "class_name": "DTypePolicy", "config": {"name": "float32"},
                           "registered_name": None}
    return "Conv2D", config


def pool(name):
    return "MaxPooling2D", {"name": name, "trainable": True, "dtype": "float32", "pool_size": [2, 2],
                            "padding": "valid", "strides": [2, 2], "data_format": "channels_last"}


def up(name):
    return "UpSampling2D", {"name": name, "trainable": True, "dtype": "float32", "size": [2, 2],
                            "data_format": "channels_last", "interpolation": "nearest"}


def standard_layers(keras3):
    return [conv2d("conv2d", 8, "relu", keras3), pool("max_pooling2d"), conv2d("conv2d_1", 12, "relu", keras3),
            pool("max_pooling2d_1"), conv2d("latent", 16, "relu", keras3), up("up_sampling2d"),
            conv2d("conv2d_3", 12, "relu", keras3), up("up_sampling2d_1"), conv2d("conv2d_4", 3, "sigmoid", keras3)]


def standard_weights():
    caelum("export", STANDARD, "-o", "weights.npz", "--force")
    arrays = numpy.load("weights.npz")
    return [(arrays["conv%d.weight" % i].transpose(2, 3, 1, 0), arrays["conv%d.bias" % i]) for i in range(1, 6)]


def write_keras2(path, functional):
    layers = standard_layers(False)
    shape = {"batch_input_shape": [None, 32, 32, 3], "dtype": "float32", "sparse": False, "ragged": False,
             "name": "input_1"}
    dicts = [{"class_name": c, "config": config} for c, config in [("InputLayer", shape)] + layers]
    config = {"name": "sequential", "layers": dicts}
    if functional:
        for i, d in enumerate(dicts):
            d["name"] = d["config"]["name"]
            d["inbound_nodes"] = [[[dicts[i - 1]["name"], 0, 0, {}]]] if i else []
        config = {"name": "model", "trainable": True, "layers": dicts, "input_layers": [["input_1", 0, 0]],
                  "output_layers": [[dicts[-1]["name"], 0, 0]]}
    with h5py.File(path, "w") as f:
        f.attrs["backend"] = b"tensorflow"
        f.attrs["keras_version"] = b"2.15.0"
        root = {"class_name": "Functional" if functional else "Sequential", "config": config}
        f.attrs["model_config"] = json.dumps(root).encode("utf8") if functional else json.dumps(root)
        group = f.create_group("model_weights")
        names = [d["config"]["name"] for d in dicts][0 if functional else 1:]
        group.attrs["layer_names"] = [n.encode("utf8") for n in names]
        group.attrs["backend"], group.attrs["keras_version"] = b"tensorflow", b"2.15.0"
        left = standard_weights()
        for d in dicts[0 if functional else 1:]:
            name = d["config"]["name"]
            own = group.create_group(name)
            has = left.pop(0) if d["class_name"] == "Conv2D" else ()
            own.attrs["weight_names"] = [(name + n).encode() for n in ("/kernel:0", "/bias:0")[:len(has)]]
            for n, values in zip(("/kernel:0", "/bias:0"), has):
                own.create_dataset(name + n, data=values)
        group.create_group("top_level_model_weights").attrs["weight_names"] = []


def write_keras3(path, newer):
    layers = standard_layers(True)
    dicts = [{"module": "keras.layers", "class_name": c, "config": config, "registered_name": None,
              "build_config": {"input_shape": [None, 32, 32, 3]}} for c, config in [
                  ("InputLayer", {"batch_shape": [None, 32, 32, 3], "dtype": "float32", "sparse": False,
                                  "name": "input_layer"})] + layers]
    if newer:  # a Functional
        for i, d in enumerate(dicts):
            d["name"] = d["config"]["name"]
            history = {"shape": [None, 1, 1, 1], "dtype": "float32", "keras_history": [dicts[i - 1]["config"]["name"], 0, 0]}
            args = [{"class_name": "__keras_tensor__", "config": history}]
            d["inbound_nodes"] = [{"args": args, "kwargs": {}}] if i else []
        config = {"name": "functional", "trainable": True, "layers": dicts, "input_layers": ["input_layer", 0, 0],
                  "output_layers": [dicts[-1]["name"], 0, 0]}
        root = {"module": "keras.src.models.functional", "class_name": "Functional", "config": config,
                "registered_name": "Functional", "build_config": {"input_shape": None}}
    else:
        root = {"module": "keras", "class_name": "Sequential", "registered_name": None,
                "config": {"name": "sequential", "trainable": True, "layers": dicts,
                           "build_input_shape": [None, 32, 32, 3]}}
    image = io.BytesIO()
    with h5py.File(image, "w") as f:
        left, count = standard_weights(), {}
        if not newer:
            f.create_group("vars")
        for d in dicts[1:]:
            snake = {"Conv2D": "conv2d", "MaxPooling2D": "max_pooling2d", "UpSampling2D": "up_sampling2d"}[d["class_name"]]
            number = count[snake] = count.get(snake, -1) + 1
            if newer and snake != "conv2d":
                continue  # no group where there are no variables
            group = f.create_group("layers/" + snake + ("_%d" % number if number else "")).create_group("vars")
            if newer:
                group.attrs["name"] = d["config"]["name"]
            if snake == "conv2d":
                group["0"], group["1"] = left.pop(0)
    with zipfile.ZipFile(path, "w") as z:
        z.writestr("metadata.json", json.dumps({"keras_version": "3.5.0", "date_saved": "2024-09-01@12:00:00"}))
        z.writestr("config.json", json.dumps(root))
        z.writestr("model.weights.h5", image.getvalue())


def open_weights(path):
    if path.endswith(".h5"):
        return h5py.File(path, "r")
    with zipfile.ZipFile(path) as z:
        return h5py.File(io.BytesIO(z.read("model.weights.h5")), "r")


def datasets(path):
    found = {}
    with open_weights(path) as f:
        f.visititems(lambda name, o: found.update({name: o[()]}) if isinstance(o, h5py.Dataset) else None)
    return found


def check_standard():
    figures = json.loads(caelum("eval", STANDARD, "--data", DATA, "--no-baselines", "--json"))
    writers = {"two.h5": (write_keras2, False), "two_functional.h5": (write_keras2, True),
               "three.keras": (write_keras3, False), "three_newer.keras": (write_keras3, True)}
    for path, (write, flag) in writers.items():
        write(path, flag)
        model, again = path + ".safetensors", "again_" + path
        converted(path, model)
        got = json.loads(caelum("eval", model, "--data", DATA, "--no-baselines", "--json"))
        for key in figures:
            assert key in ("model", "split_seed") or got[key] == figures[key], (path, key, got[key], figures[key])
        converted(model, again)
        want, have = datasets(path), datasets(again)
        assert len(want) == 10
        if "functional" not in path and "newer" not in path:  # names are the layers', numbered as Keras does
            assert path.endswith(".h5") or want.keys() == have.keys()
        for a, b in zip(want.values(), have.values()):
            assert a.dtype == b.dtype and a.shape == b.shape and (a == b).all(), path
        print("same weights and figures:", path)


# --- 2. Keras's layers in NumPy, [n, row, column, channel] ---

ACTIVATIONS = {
    "linear": lambda x: x, "relu": lambda x: numpy.maximum(x, 0), "elu": lambda x: numpy.where(x > 0, x, numpy.expm1(numpy.minimum(x, 0))),
    "silu": lambda x: x / (1 + numpy.exp(-x)),
    "hard_silu": lambda x: x * numpy.clip(x / 6 + 0.5, 0, 1), "swish": lambda x: x / (1 + numpy.exp(-x)),
    "sigmoid": lambda x: 1 / (1 + numpy.exp(-x)), "tanh": numpy.tanh, "relu6": lambda x: numpy.clip(x, 0, 6),
    "selu": lambda x: 1.05070098 * numpy.where(x > 0, x, 1.67326324 * numpy.expm1(numpy.minimum(x, 0))),
    "softplus": lambda x: numpy.logaddexp(0, x), "gelu": lambda x: x * (1 + numpy.vectorize(math.erf)(x / math.sqrt(2))) / 2}


def run_conv(x, c, kernel, bias):
    k, s = kernel.shape[0], c["strides"][0]
    if c["padding"] == "same":
        pads = [max((-(-n // s) - 1) * s + k - n, 0) for n in x.shape[1:3]]
        x = numpy.pad(x, [(0, 0)] + [(p // 2, p - p // 2) for p in pads] + [(0, 0)])
    windows = numpy.lib.stride_tricks.sliding_window_view(x, (k, k), (1, 2))[:, ::s, ::s]
    return numpy.einsum("nijcuv,uvcf->nijf", windows, kernel) + bias


def run_transpose(x, c, kernel, bias):
    k, s, (n, h, w, _) = kernel.shape[0], c["strides"][0], x.shape
    y = numpy.zeros((n, (h - 1) * s + max(k, s), (w - 1) * s + max(k, s), kernel.shape[2]))
    for u in range(k):
        for v in range(k):
            y[:, u:u + (h - 1) * s + 1:s, v:v + (w - 1) * s + 1:s] += x @ kernel[u, v].T
    if c["padding"] == "same":
        before = max(k - s, 0) // 2
        y = y[:, before:before + h * s, before:before + w * s]
    return y + bias


def run_pool(x, c, function):
    s, (n, h, w, ch) = c["pool_size"][0], x.shape
    return function(x[:, :h // s * s, :w // s * s].reshape(n, h // s, s, w // s, s, ch), (2, 4))


def run_up(x, c):
    s = c["size"][0]
    if c["interpolation"] == "nearest":
        return x.repeat(s, 1).repeat(s, 2)
    for axis in (1, 2):
        n = x.shape[axis]
        at = numpy.clip((numpy.arange(n * s) + 0.5) / s - 0.5, 0, n - 1)
        low = numpy.floor(at).astype(int)
        share = (at - low).reshape([-1 if a == axis else 1 for a in range(4)])
        x = x.take(low, axis) * (1 - share) + x.take(numpy.minimum(low + 1, n - 1), axis) * share
    return x


def run_layer(kind, c, inputs, kernel, bias):
    x = inputs[0]
    simple = {
        "GaussianNoise": lambda: x, "Flatten": lambda: x.reshape(len(x), -1), "Activation": lambda: x,
        "Reshape": lambda: x.reshape([len(x)] + c["target_shape"]), "Permute": lambda: x.transpose([0] + c["dims"]),
        "Add": lambda: x + inputs[1], "Multiply": lambda: x * inputs[1],
        "Concatenate": lambda: numpy.concatenate(inputs, c["axis"]),
        "Rescaling": lambda: x * c["scale"] + c["offset"],
        "LeakyReLU": lambda: numpy.where(x > 0, x, x * c.get("negative_slope", c.get("alpha"))),
        "ZeroPadding2D": lambda: numpy.pad(x, [(0, 0)] + c["padding"] + [(0, 0)]),
        "Cropping2D": lambda: x[:, c["cropping"][0][0]:x.shape[1] - c["cropping"][0][1],
                                c["cropping"][1][0]:x.shape[2] - c["cropping"][1][1]],
        "MaxPooling2D": lambda: run_pool(x, c, numpy.max), "AveragePooling2D": lambda: run_pool(x, c, numpy.mean),
        "UpSampling2D": lambda: run_up(x, c), "Conv2D": lambda: run_conv(x, c, kernel, bias),
        "Conv2DTranspose": lambda: run_transpose(x, c, kernel, bias), "Dense": lambda: x @ kernel + bias}
    return ACTIVATIONS[c.get("activation", "linear")](simple[kind]())


def run_file(path, x):
    """The outputs for x [n, channel, row, column] by the file's configuration and weights alone."""
    with open_weights(path) as f:
        if path.endswith(".h5"):
            root = json.loads(f.attrs["model_config"])
        else:
            with zipfile.ZipFile(path) as z:
                root = json.loads(z.read("config.json"))
        values, count, last = {}, {}, None
        for layer in root["config"]["layers"]:
            kind, c, kernel, bias = layer["class_name"], layer["config"], None, None
            assert kind != "Lambda"
            if kind in ("Conv2D", "Conv2DTranspose", "Dense") and path.endswith(".h5"):
                group = f["model_weights"][c["name"]]
                kernel, bias = (group[n][()].astype(float) for n in group.attrs["weight_names"])
            elif kind in ("Conv2D", "Conv2DTranspose", "Dense"):
                snake = {"Conv2D": "conv2d", "Conv2DTranspose": "conv2d_transpose", "Dense": "dense"}[kind]
                number = count[snake] = count.get(snake, -1) + 1
                group = f["layers/" + snake + ("_%d" % number if number else "") + "/vars"]
                kernel, bias = group["0"][()].astype(float), group["1"][()].astype(float)
            if kind == "InputLayer":
                values[c["name"]] = x.transpose(0, 2, 3, 1).astype(float)
            else:
                nodes = layer.get("inbound_nodes")
                names = [last] if nodes is None else sources(nodes)
                values[c["name"]] = run_layer(kind, c, [values[n] for n in names], kernel, bias)
            last = c["name"]
    y = values[last]
    return y.transpose(0, 3, 1, 2) if y.ndim == 4 else y[:, :, None, None]


def sources(nodes):
    if isinstance(nodes, dict) and nodes.get("class_name") == "__keras_tensor__":
        return [nodes["config"]["keras_history"][0]]
    if isinstance(nodes, list) and nodes and isinstance(nodes[0], str):
        return [nodes[0]]
    return sum((sources(n) for n in (nodes.values() if isinstance(nodes, dict) else nodes) if n), []) \
        if isinstance(nodes, (dict, list)) else []


EVERYTHING = """input 3
noise 0.1
conv 4 k=5 stride=2 leaky
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
conv 6
reshape 4 12 24
conv 3 k=1
dense 24 sigmoid
latent
dense 24
act gelu
reshape 6 2 2
deconv 2 k=3 stride=2 pad=valid
"""


def outputs(model):
    rows = caelum("inspect", model, "--json").count(b'"cut"')
    caelum("activations", model, "--data", DATA, "--count", "10", "--layer", str(rows), "-o", "run.npz", "--force")
    arrays = numpy.load("run.npz")
    return arrays["input"], arrays[[n for n in arrays.files if n != "input"][0]]


def compare(path, model):
    x, want = outputs(model)
    got = run_file(path, x)
    error = abs(got - want).max() / abs(want).max()
    assert got.shape == want.shape and error < 1e-5, "%s: off by %g" % (path, error)
    assert want.std(0).max() > 1e-3 * abs(want).max(), "outputs that say nothing"
    print("same outputs, to %.1g: %s" % (error, path))


def check_layers():
    with open("all.net", "w") as f:
        f.write(EVERYTHING)
    rng, shapes = numpy.random.default_rng(1), (
        (4, 3, 5, 5), (4,), (4, 4, 3, 3), (4,), (6, 4, 2, 2), (6,), (6, 4, 5, 5), (4,), (4, 3, 2, 2), (3,),
        (6, 6, 3, 3), (6,), (3, 4, 1, 1), (3,), (24, 864), (24,), (24, 24), (24,), (6, 2, 3, 3), (2,))
    scale = [numpy.prod(s[1:]) if len(s) > 1 else 100 for s in shapes]  # small biases
    arrays = {"t%d" % i: 2 * rng.normal(size=s) / numpy.sqrt(n) for i, (s, n) in enumerate(zip(shapes, scale))}
    numpy.savez("all.npz", **arrays)
    caelum("import", "all.npz", "--net", "all.net", "-o", "all.safetensors")
    for ending in ".h5", ".keras":
        converted("all.safetensors", "all" + ending)
        compare("all" + ending, "all.safetensors")


def check_foreign():
    """Dense before a Reshape, Concatenate with the saved tensor first, a Dense on pixels, no bias."""
    def layer(kind, name, before, **config):
        nodes = [[[b, 0, 0, {}] for b in before]] if before else []
        return {"class_name": kind, "name": name, "config": dict(config, name=name), "inbound_nodes": nodes}
    conv = {"padding": "same", "kernel_size": [3, 3], "strides": [1, 1], "activation": "relu"}
    layers = [
        layer("InputLayer", "in", [], batch_input_shape=[None, 32, 32, 3]),
        layer("Conv2D", "first", ["in"], filters=4, **conv),
        layer("MaxPooling2D", "pool", ["first"], pool_size=[4, 4], strides=None, padding="valid"),
        layer("Flatten", "flat", ["pool"]),
        layer("Dense", "code", ["flat"], units=20, activation="elu"),
        layer("Dense", "wide", ["code"], units=8 * 8 * 3, activation="linear"),
        layer("LeakyReLU", "leaky", ["wide"], alpha=0.009999999776482582),
        layer("Reshape", "shape", ["leaky"], target_shape=[8, 8, 3]),
        layer("UpSampling2D", "up", ["shape"], size=[4, 4], interpolation="nearest"),
        layer("Concatenate", "both", ["first", "up"], axis=3),
        layer("Conv2D", "mixed", ["both"], filters=5, **conv),
        layer("Dense", "points", ["mixed"], units=3, activation="sigmoid")]
    config = {"name": "model", "layers": layers, "input_layers": [["in", 0, 0]], "output_layers": [["points", 0, 0]]}
    rng = numpy.random.default_rng(2)
    shapes = {"first": (3, 3, 3, 4), "code": (256, 20), "wide": (20, 192), "mixed": (3, 3, 7, 5), "points": (5, 3)}
    with h5py.File("foreign.h5", "w") as f:
        f.attrs["model_config"] = json.dumps({"class_name": "Model", "config": config})
        for name, shape in shapes.items():
            group = f.create_group("model_weights/" + name)
            group.attrs["weight_names"] = [(name + n).encode() for n in ("/kernel:0", "/bias:0")]
            group[name + "/kernel:0"] = rng.normal(size=shape).astype("f4") / numpy.sqrt(numpy.prod(shape[:-1]))
            group[name + "/bias:0"] = rng.normal(size=shape[-1:]).astype("f4")
    converted("foreign.h5", "foreign.safetensors")
    compare("foreign.h5", "foreign.safetensors")


def convolution(name, **more):
    config = {"name": name, "filters": 4, "kernel_size": [3, 3], "padding": "same", "activation": "linear"}
    return {"class_name": "Conv2D", "config": dict(config, **more)}


def write_sequential(path, *layers):
    """Layers behind an input of 3 channels; each Conv2D has 4."""
    first = {"class_name": "InputLayer", "config": {"name": "in", "batch_input_shape": [None, 8, 8, 3]}}
    rng, channels = numpy.random.default_rng(3), 3
    with h5py.File(path, "w") as f:
        f.attrs["model_config"] = json.dumps({"class_name": "Sequential", "config": {"layers": [first, *layers]}})
        for layer in layers:
            name = layer["config"]["name"]
            group = f.create_group("model_weights/" + name)
            group.attrs["weight_names"] = []
            if layer["class_name"] == "Conv2D":
                group.attrs["weight_names"] = [b"kernel:0", b"bias:0"]
                group["kernel:0"], group["bias:0"] = rng.normal(size=(3, 3, channels, 4)).astype("f4"), numpy.zeros(4, "f4")
                channels = 4


def text_of(model):
    with open(model, "rb") as f:
        return json.loads(f.read(struct.unpack("<Q", f.read(8))[0]))["__metadata__"]["network"]


def check_identities():
    kinds = ["Dropout", "SpatialDropout2D", "GaussianDropout", "AlphaDropout", "ActivityRegularization"]
    drops = [{"class_name": kind, "config": {"name": "drop%d" % i, "rate": 0.5}} for i, kind in enumerate(kinds)]
    relu = {"class_name": "ReLU", "config": {"name": "relu"}}
    write_sequential("drops.h5", drops[0], convolution("a"), *drops[1:3], relu, convolution("latent"), *drops[3:])
    converted("drops.h5", "drops.safetensors")
    assert text_of("drops.safetensors") == "input 3\nconv 4 relu\nconv 4\nlatent\n", text_of("drops.safetensors")
    caelum("inspect", "drops.safetensors")
    print("layers of training vanish")


def check_hardswish():
    with open("hard.net", "w") as f:
        f.write("input 3\nconv 4 hardswish\nconv 3 relu6\nact softplus\nact selu\nact gelu_erf\n")
    rng, shapes = numpy.random.default_rng(4), ((4, 3, 3, 3), (4,), (3, 4, 3, 3), (3,))
    numpy.savez("hard.npz", **{"t%d" % i: rng.normal(size=s) for i, s in enumerate(shapes)})
    caelum("import", "hard.npz", "--net", "hard.net", "-o", "hard.safetensors")
    converted("hard.safetensors", "hard.keras")
    compare("hard.keras", "hard.safetensors")
    assert "Keras 2 has no activation" in convert("hard.safetensors", "hard.h5")


def check_refusals():
    cases = [
        ("'a' (Conv2D): dilation or groups other than 1", convolution("a", dilation_rate=[2, 2])),
        ("'a' (Conv2D): its strides is [1, 2]", convolution("a", strides=[1, 2])),
        ("'a' (Conv2D): its kernel_size is 17, expected a whole number from 1 to 16", convolution("a", kernel_size=[17, 17])),
        ("'a' (Conv2D): data_format channels_first", convolution("a", data_format="channels_first")),
        ("'a' (Conv2D): activation 'softsign'", convolution("a", activation="softsign")),
        ("'a' (Conv2D): weights of shape (3, 3, 3, 4), expected (3, 3, 3, 5)", convolution("a", filters=5)),
        ("'b' (BatchNormalization): a network's text has no line", {"class_name": "BatchNormalization", "config": {"name": "b"}}),
        ("'p' (Permute): what Reshape", {"class_name": "Permute", "config": {"name": "p", "dims": [2, 1, 3]}}),
        ("'r' (Reshape): its numbers don't fit", {"class_name": "Reshape", "config": {"name": "r", "target_shape": [5, 5, 5]}}),
        ("'m' (MaxPooling2D): windows must", {"class_name": "MaxPooling2D", "config": {"name": "m", "strides": [1, 1]}}),
        ("'c' (Cropping2D): nothing is left", {"class_name": "Cropping2D", "config": {"name": "c", "cropping": 4}}),
        ("'l' (LeakyReLU): slope 0.3 below zero", {"class_name": "LeakyReLU", "config": {"name": "l"}})]
    for words, layer in cases:
        write_sequential("refused.h5", layer)
        said = convert("refused.h5", "refused.safetensors")
        assert said.startswith("refused.h5: layer " + words), said
    assert not os.path.exists("refused.safetensors")
    print("refused by name: %d kinds" % len(cases))


check_standard()
check_layers()
check_foreign()
check_identities()
check_hardswish()
check_refusals()
