"""Keras's files as caelum's models, and back, with h5py and NumPy alone.

    python3 -m caelum.keras model.keras model.safetensors      (.keras, or .h5 of Keras 2)
    python3 -m caelum.keras model.safetensors model.keras

docs/formats.md has the layers that both know. A network's text is one chain of lines with skips, and its tensors are
in the order channel, row, column, Keras's in the order row, column, channel. So a tensor of Keras's is an array of
places here: where each of its numbers is in caelum's tensor. Reshape, Permute, Flatten and Concatenate change the
places; before a layer that looks at pixels there must be a line that explains them, and what looks at all numbers, or
at channels, takes the order into its weights."""
import io
import json
import os
import re
import sys
import zipfile

import h5py
import numpy

from . import modelfile

ACTIVATIONS = {"relu": "relu", "elu": "elu", "silu": "silu", "sigmoid": "sigmoid", "tanh": "tanh",
               "hardswish": "hard_silu", "relu6": "relu6", "selu": "selu", "softplus": "softplus",
               "gelu_erf": "gelu"}  # caelum's words, Keras 3's names; leaky and gelu are layers
WORDS = dict({name: word for word, name in ACTIVATIONS.items()}, linear="", swish="silu", hard_swish="hardswish")
IDENTITIES = "Dropout", "SpatialDropout2D", "GaussianDropout", "AlphaDropout", "ActivityRegularization"
# Keras has no tanh form of GELU; it is x sigmoid(x (GELU_SCALE x^2 + GELU_OFFSET)), for 1 + tanh z = 2 sigmoid(2 z)
GELU_OFFSET = 2 * numpy.sqrt(2 / numpy.pi)
GELU_SCALE = 0.044715 * GELU_OFFSET
GELU = ["Multiply", "Rescaling", "Multiply", "Activation", "Multiply"]


class Error(Exception):
    """What can't be converted, and why."""


class Layer:
    """A layer of Keras's, with Keras 3's configuration; arrays are its kernel and its bias."""

    def __init__(self, kind, name, config, inputs=(), arrays=(), shape=None):
        self.kind, self.name, self.config, self.inputs, self.arrays = kind, name, config, list(inputs), arrays
        self.shape = shape  # of its output, known when writing

    def fail(self, why):
        raise Error(f"layer '{self.name}' ({self.kind}): {why}")

    def whole(self, key, value, most):
        if not isinstance(value, int) or not 1 <= value <= most:
            self.fail(f"its {key} is {value}, expected a whole number from 1 to {most}")
        return value

    def square(self, key, otherwise, most=64):
        """A number for rows and columns: 2, [2, 2], or null."""
        value = self.config.get(key)
        pair = value if isinstance(value, list) else [otherwise if value is None else value] * 2
        if len(pair) != 2 or pair[0] != pair[1]:
            self.fail(f"its {key} is {value}; rows and columns must have the same")
        return self.whole(key, pair[0], most)

    def array(self, i, shape):
        if i >= len(self.arrays):
            self.fail("its weights are missing")
        if self.arrays[i].shape != tuple(shape):
            self.fail(f"weights of shape {self.arrays[i].shape}, expected {tuple(shape)}")
        return numpy.asarray(self.arrays[i], numpy.float32)

    def activation(self):
        name = self.config.get("activation") or "linear"
        if name not in WORDS:
            self.fail(f"activation '{name}': expected linear, " + ", ".join(ACTIVATIONS.values()))
        return WORDS[name]


def snake(kind):
    kind = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", kind)
    return re.sub("([a-z])([A-Z])", r"\1_\2", kind).lower()


def after(line, h, w, c, saved=0):
    """Rows, columns and channels behind a line; `saved`: the channels of the tensor that it names."""
    n, k, s = line.size, line.k, line.stride

    def sides(of):
        return of(h), of(w)
    shapes = {
        "conv": lambda: (*sides(lambda x: (x - k) // s + 1 if line.valid else -(-x // s)), n),
        "deconv": lambda: (*sides(lambda x: (x - 1) * s + max(k, s) if line.valid else x * s), n),
        "maxpool": lambda: (h // n, w // n, c), "avgpool": lambda: (h // n, w // n, c),
        "upsample": lambda: (h * n, w * n, c), "dense": lambda: (1, 1, n),
        "reshape": lambda: (*line.numbers[1:], line.numbers[0]),
        "space_to_depth": lambda: (h // n, w // n, c * n * n),
        "depth_to_space": lambda: (h * n, w * n, c // (n * n)),
        "crop": lambda: (*line.numbers, c), "pad": lambda: (*line.numbers, c), "concat": lambda: (h, w, c + saved)}
    return shapes.get(line.word, lambda: (h, w, c))()


def shuffle(word, n, h, w, c):
    """space_to_depth and depth_to_space as Keras does them: Reshape, Permute, Reshape."""
    if word == "space_to_depth":
        return (h // n, n, w // n, n, c), (1, 3, 5, 2, 4), (h // n, w // n, c * n * n)
    return (h, w, c // (n * n), n, n), (1, 4, 2, 5, 3), (h * n, w * n, c // (n * n))


def places(h, w, c):
    return numpy.arange(h * w * c).reshape(c, h, w).transpose(1, 2, 0)


# --- From Keras ---

class Reader:
    """The text and the tensors that grow while layers are read."""

    def __init__(self, shape):
        self.text, self.tensors, self.ordinal, self.saved = ["input %d" % shape[2]], {}, {}, {}
        self.shape, self.at = shape, places(*shape)  # caelum's, and Keras's places in it
        self.open = False  # an activation can be appended to the last line
        self.dense = None  # the dense line whose outputs can still change places
        self.latent = False

    def line(self, text, saved=0, keeps=False):
        """Adds a line. keeps: it does the same to each number, so that their places stay."""
        line = modelfile.Line(text, self.ordinal)
        self.text.append(text)
        self.open = line.word in ("conv", "deconv", "dense") and line.activation == "linear"
        if not keeps:
            self.shape, self.dense = after(line, *self.shape, saved), None
            if min(self.shape) < 1:
                self.layer.fail("nothing is left of the picture")
            self.at = places(*self.shape)
        return line.name

    def explain(self):
        """Adds the line that makes pixels of the places, if there is one."""
        if self.at.ndim != 3:
            return
        (h, w, c), (old_h, old_w, _) = self.at.shape, self.shape
        if numpy.array_equal(self.at, places(h, w, c)):
            if self.at.shape != self.shape:
                self.line(f"reshape {c} {h} {w}")
            return
        for word, n in ("space_to_depth", old_h // h), ("depth_to_space", h // old_h):
            if n > 1 and self.at.shape == after(modelfile.Line(f"{word} {n}", {}), *self.shape):
                first, order, last = shuffle(word, n, *self.shape)
                moved = places(*self.shape).reshape(first).transpose([d - 1 for d in order]).reshape(last)
                if numpy.array_equal(self.at, moved):
                    return self.line(f"{word} {n}")

    def pixels(self):
        """The current tensor is a picture then, in caelum's order."""
        if self.at.ndim == 1:
            self.at = self.at.reshape(1, 1, -1)
        self.explain()
        if self.at.shape == self.shape and numpy.array_equal(self.at, places(*self.shape)):
            return
        if not self.dense or self.at.ndim != 3:
            self.layer.fail("what Reshape, Permute or Concatenate have put in another order can't be said here")
        h, w, c = self.at.shape
        for name in self.dense + ".weight", self.dense + ".bias":
            rows = self.tensors[name].copy()
            self.tensors[name][places(h, w, c).ravel()] = rows[self.at.ravel()]
        self.line(f"reshape {c} {h} {w}")

    def channels(self):
        """For each of Keras's channels caelum's, of pixels in their order."""
        self.explain()
        if self.at.shape == self.shape:
            order = self.at[0, 0] // (self.shape[0] * self.shape[1])
            if numpy.array_equal(self.at, places(*self.shape)[:, :, order]):
                return order
        self.pixels()
        return numpy.arange(self.shape[2])

    def bias(self, layer, name, count):
        used = layer.config.get("use_bias", True)
        self.tensors[name + ".bias"] = layer.array(1, [count]) if used else numpy.zeros(count, numpy.float32)

    def convolution(self, layer):
        k, stride = layer.square("kernel_size", 1, 16), layer.square("strides", 1, 8)
        filters, act = layer.whole("filters", layer.config.get("filters"), 65536), layer.activation()
        if layer.square("dilation_rate", 1) != 1 or layer.config.get("groups", 1) != 1:
            layer.fail("dilation or groups other than 1")
        if layer.config.get("output_padding") is not None:
            layer.fail("an output_padding")
        order, padding = self.channels(), layer.config.get("padding", "valid")
        if padding not in ("same", "valid"):
            layer.fail(f"padding '{padding}'")
        options = [f"k={k}"] * (k != 3) + ["pad=valid"] * (padding == "valid") + [f"stride={stride}"] * (stride != 1)
        if layer.kind == "Conv2D":
            weight = numpy.empty((filters, len(order), k, k), numpy.float32)
            weight[:, order] = layer.array(0, (k, k, len(order), filters)).transpose(3, 2, 0, 1)
        else:
            weight = numpy.empty((len(order), filters, k, k), numpy.float32)
            weight[order] = layer.array(0, (k, k, filters, len(order))).transpose(3, 2, 0, 1)
        name = self.line(" ".join(["conv" if layer.kind == "Conv2D" else "deconv", str(filters), *options, act]).strip())
        self.tensors[name + ".weight"] = weight
        self.bias(layer, name, filters)

    def fully(self, layer):
        units, act = layer.whole("units", layer.config.get("units"), 65536), layer.activation()
        flat = self.at.ndim == 1  # else Keras multiplies along the last axis: the channels of each pixel
        order = self.at if flat else self.channels()
        weight = numpy.empty((units, len(order)), numpy.float32)
        weight[:, order] = layer.array(0, (len(order), units)).T
        name = self.line((f"dense {units} {act}" if flat else f"conv {units} k=1 {act}").strip())
        self.tensors[name + ".weight"] = weight if flat else weight[:, :, None, None]
        self.bias(layer, name, units)
        if flat:
            self.at, self.dense = numpy.arange(units), name

    def act(self, word):
        if word and self.open:
            self.text[-1] += " " + word
            self.open = False
        elif word:
            self.line("act " + word, keeps=True)

    def activation(self, layer):
        slope = layer.config.get("negative_slope", layer.config.get("alpha"))
        if layer.kind == "Activation":
            return self.act(layer.activation())
        if layer.kind == "gelu":
            return self.act("gelu")
        if layer.kind == "ELU":
            return self.act("elu") if slope in (None, 1) else layer.fail("alpha other than 1")
        if layer.kind == "ReLU" and (layer.config.get("max_value") is not None or layer.config.get("threshold")):
            layer.fail("a max_value or a threshold")
        slope = (0.3 if layer.kind == "LeakyReLU" else 0) if slope is None else slope
        if slope and abs(slope - 0.01) > 1e-6:
            layer.fail(f"slope {slope:g} below zero, expected 0.01 or 0")
        self.act("leaky" if slope else "relu")

    def pool(self, layer):
        size = layer.square("pool_size", 2)
        if layer.square("strides", size) != size:
            layer.fail("windows must lie side by side: strides other than pool_size")
        self.pixels()
        if layer.config.get("padding", "valid") != "valid" and (self.shape[0] % size or self.shape[1] % size):
            layer.fail("windows over the edge: padding must be valid")
        self.line(("maxpool" if layer.kind == "MaxPooling2D" else "avgpool") + f" {size}" * (size != 2))

    def whole_pool(self, layer):
        self.pixels()
        h, w, _ = self.shape
        if h != w:
            layer.fail(f"{h} x {w} pixels; only squares can be pooled")
        self.line(f"{'maxpool' if layer.kind == 'GlobalMaxPooling2D' else 'avgpool'} {h}")
        if not layer.config.get("keepdims"):
            self.at = self.at.ravel()

    def upsampling(self, layer):
        size, way = layer.square("size", 2), layer.config.get("interpolation", "nearest")
        if way not in ("nearest", "bilinear"):
            layer.fail(f"interpolation '{way}': expected nearest or bilinear")
        self.pixels()
        self.line("upsample" + f" {size}" * (size != 2) + " bilinear" * (way == "bilinear"))

    def place(self, layer):
        """Rows and columns before and behind: 1, [1, 2] or [[0, 1], [0, 1]]."""
        key, sign = ("cropping", -1) if layer.kind == "Cropping2D" else ("padding", 1)
        given, sums = layer.config.get(key, 1), []
        for side in given if isinstance(given, list) else [given] * 2:
            before, behind = side if isinstance(side, list) else [side] * 2
            if not 0 <= before <= behind <= before + 1:
                layer.fail(f"its {key} must be the same on both sides, the odd one below and to the right")
            sums.append(sign * (before + behind))
        self.pixels()
        self.line("%s %d %d" % ("crop" if sign < 0 else "pad", self.shape[0] + sums[0], self.shape[1] + sums[1]))

    def order(self, layer):
        try:
            if layer.kind == "Flatten":
                self.at = self.at.ravel()
            elif layer.kind == "Reshape":
                self.at = self.at.reshape(layer.config["target_shape"])
            else:
                self.at = self.at.transpose([d - 1 for d in layer.config["dims"]])
        except ValueError:
            layer.fail(f"its numbers don't fit the shape {self.at.shape} that comes in")
        self.explain()

    def merge(self, layer):
        if len(layer.inputs) != 2:
            layer.fail(f"two inputs are expected, got {len(layer.inputs)}")
        first = layer.inputs[0] is self.now
        other = layer.inputs[first]
        self.pixels()
        if other not in self.saved:
            layer.fail("its inputs are on two branches; a network's text is one chain")
        (number, shape), own = self.saved[other], self.shape[2]
        if layer.kind == "Concatenate" and layer.config.get("axis", -1) not in (-1, 3):
            layer.fail(f"axis {layer.config['axis']}, expected the channels, -1")
        if shape[:2] != self.shape[:2] or (layer.kind == "Add" and shape != self.shape):
            layer.fail(f"its inputs have the shapes {self.shape} and {shape}")
        self.line(f"{'add' if layer.kind == 'Add' else 'concat'} s{number}", saved=shape[2])
        if layer.kind == "Concatenate" and not first:  # Keras has the saved ones first
            self.at = numpy.roll(self.at, -own, axis=2)

    READERS = {
        "Conv2D": convolution, "Conv2DTranspose": convolution, "Dense": fully, "Activation": activation,
        "LeakyReLU": activation, "ReLU": activation, "ELU": activation, "gelu": activation, "MaxPooling2D": pool,
        "AveragePooling2D": pool, "GlobalMaxPooling2D": whole_pool, "GlobalAveragePooling2D": whole_pool,
        "UpSampling2D": upsampling, "Cropping2D": place, "ZeroPadding2D": place, "Flatten": order, "Reshape": order,
        "Permute": order, "Add": merge, "Concatenate": merge,
        "GaussianNoise": lambda self, layer: self.line("noise %.9g" % layer.config.get("stddev", 0), keeps=True)}

    def layer_after(self, layer):
        """What comes next: it must take what the layer before it has made."""
        self.layer = layer
        if self.now not in layer.inputs:
            layer.fail("does not follow the layer before it; a network's text is one chain with skips")
        if layer.kind not in self.READERS:
            layer.fail("a network's text has no line for this class")
        if layer.config.get("data_format", "channels_last") != "channels_last":
            layer.fail("data_format channels_first: only channels_last is read")
        self.READERS[layer.kind](self, layer)

    def finish(self, layer, uses):
        """Marks the code; a tensor that two layers take is saved."""
        self.now = layer
        if layer.name == "latent" and len(self.text) > 1 and not self.latent:
            self.latent = True
            self.line("latent", keeps=True)
        if uses > 1:
            self.pixels()
            self.saved[layer] = len(self.saved) + 1, self.shape
            self.line(f"save s{len(self.saved)}")


def is_gelu(square, scaled, product, sigmoid, whole):
    x = square.inputs[0]
    return (square.inputs == [x, x] and scaled.inputs == [square] and set(product.inputs) == {scaled, x} and
            sigmoid.inputs == [product] and set(whole.inputs) == {sigmoid, x} and
            sigmoid.config.get("activation") == "sigmoid" and abs(scaled.config.get("scale", 0) - GELU_SCALE) < 1e-6 and
            abs(scaled.config.get("offset", 0) - GELU_OFFSET) < 1e-6)


def simplified(layers, output):
    """Without layers that do nothing but in training, and with one layer for what makes a GELU."""
    instead, kept = {}, []
    for i, layer in enumerate(layers):
        layer.inputs = [instead.get(x, x) for x in layer.inputs]
        if layer.kind in IDENTITIES:
            instead[layer] = layer.inputs[0]
            continue
        kept.append(layer)
        if [part.kind for part in kept[-5:]] == GELU and is_gelu(*kept[-5:]):
            layer.kind, layer.inputs = "gelu", kept[-5].inputs[:1]
            del kept[-5:-1]
    return kept, instead.get(output, output)


def to_model(layers, output):
    """Metadata and tensors of the model."""
    layers, output = simplified(layers, output)
    first, shape = layers[0], layers[0].config.get("batch_shape", layers[0].config.get("batch_input_shape"))
    if first.kind != "InputLayer" or not isinstance(shape, list) or len(shape) != 4 or not all(shape[1:]):
        first.fail("expected an InputLayer first, for pictures of a fixed size: [null, rows, columns, channels]")
    reader, taken = Reader(tuple(shape[1:])), [x for layer in layers for x in layer.inputs]
    reader.layer = first
    for layer in layers:
        if layer is not first:
            reader.layer_after(layer)
        reader.finish(layer, taken.count(layer))
        if layer is output:
            break
    reader.layer = output
    if reader.now is not output or layer is not layers[-1]:
        output.fail("is the output, but not the last of one chain of layers")
    reader.pixels()
    metadata = {"format": "caelum model 1", "network": "\n".join(reader.text) + "\n", "height": str(shape[1]),
                "width": str(shape[2])}
    return metadata, reader.tensors


# --- To Keras ---

class Writer:
    """Keras's layers as they are made of a network's lines."""

    def __init__(self, h, w, c):
        self.layers, self.saved, self.shape = [], {}, (h, w, c)  # caelum's shape
        self.add("InputLayer", {"batch_shape": [None, h, w, c]}, self.shape)

    def add(self, kind, config, shape=None, arrays=(), other=None):
        inputs = self.layers[-1:] + ([other] if other else [])
        number = sum(layer.kind == kind for layer in self.layers)
        name = snake(kind) + (f"_{number}" if number else "")
        self.layers.append(Layer(kind, name, config, inputs, arrays, shape or self.layers[-1].shape))

    def reshape(self, *shape):
        self.add("Reshape", {"target_shape": list(shape)}, shape)

    def permute(self, *dims):
        self.add("Permute", {"dims": list(dims)}, tuple(self.layers[-1].shape[d - 1] for d in dims))

    def separate_activation(self, line):
        x = self.layers[-1]
        if line.activation == "leaky":
            self.add("LeakyReLU", {"negative_slope": 0.01})
        elif line.activation == "gelu":
            self.add("Multiply", {}, other=x)
            self.add("Rescaling", {"scale": GELU_SCALE, "offset": GELU_OFFSET})
            self.add("Multiply", {}, other=x)
            self.add("Activation", {"activation": "sigmoid"})
            self.add("Multiply", {}, other=x)

    def convolution(self, line, tensors):
        weight, bias = tensors[line.name + ".weight"], tensors[line.name + ".bias"]
        self.add("Conv2D" if line.word == "conv" else "Conv2DTranspose", {
            "filters": line.size, "kernel_size": [line.k] * 2, "strides": [line.stride] * 2,
            "padding": "valid" if line.valid else "same", "data_format": "channels_last", "dilation_rate": [1, 1],
            **({"groups": 1} if line.word == "conv" else {}), "use_bias": True,
            "activation": ACTIVATIONS.get(line.activation, "linear")}, self.to, (weight.transpose(2, 3, 1, 0), bias))

    def fully(self, line, tensors):
        weight, bias = tensors[line.name + ".weight"], tensors[line.name + ".bias"]
        if len(self.layers[-1].shape) > 1:
            self.add("Flatten", {"data_format": "channels_last"}, (weight.shape[1],))
        self.add("Dense", {"units": line.size, "activation": ACTIVATIONS.get(line.activation, "linear"),
                           "use_bias": True}, (line.size,), (weight[:, places(*self.shape).ravel()].T, bias))

    def resample(self, line, tensors):
        config, size = {"data_format": "channels_last"}, [line.size] * 2
        if line.word == "upsample":
            config.update(size=size, interpolation="bilinear" if line.bilinear else "nearest")
            return self.add("UpSampling2D", config, self.to)
        config.update(pool_size=size, strides=size, padding="valid")
        self.add("MaxPooling2D" if line.word == "maxpool" else "AveragePooling2D", config, self.to)

    def place(self, line, tensors):
        both = [abs(self.shape[d] - self.to[d]) for d in (0, 1)]
        kind, key = ("Cropping2D", "cropping") if line.word == "crop" else ("ZeroPadding2D", "padding")
        self.add(kind, {key: [[n // 2, n - n // 2] for n in both], "data_format": "channels_last"}, self.to)

    def reshape_line(self, line, tensors):
        if len(self.layers[-1].shape) > 1:
            self.permute(3, 1, 2)
        self.reshape(*line.numbers)
        self.permute(2, 3, 1)

    def shuffle(self, line, tensors):
        first, order, last = shuffle(line.word, line.size, *self.shape)
        self.reshape(*first)
        self.permute(*order)
        self.reshape(*last)

    def merge(self, line, tensors):
        other = self.saved[line.slot][0]
        if line.word == "add":
            return self.add("Add", {}, self.to, other=other)
        self.add("Concatenate", {"axis": -1}, self.to, other=other)

    def act(self, line, tensors):
        if line.activation in ACTIVATIONS or line.activation == "linear":
            self.add("Activation", {"activation": ACTIVATIONS.get(line.activation, "linear")})

    WRITERS = {"conv": convolution, "deconv": convolution, "dense": fully, "maxpool": resample, "avgpool": resample,
               "upsample": resample, "crop": place, "pad": place, "reshape": reshape_line, "space_to_depth": shuffle,
               "depth_to_space": shuffle, "add": merge, "concat": merge, "act": act,
               "noise": lambda self, line, tensors: self.add("GaussianNoise", {"stddev": float(line.words[1])})}

    def line(self, line, tensors):
        if line.word == "latent":
            if len(self.layers) > 1:
                self.layers[-1].name = "latent"
            return
        # behind a Dense Keras has a row of numbers, caelum a picture of one pixel
        if len(self.layers[-1].shape) == 1 and line.word not in ("dense", "act", "reshape", "noise"):
            self.reshape(1, 1, *self.layers[-1].shape)
        if line.word == "save":
            self.saved[line.slot] = self.layers[-1], self.shape
            return
        if line.word not in self.WRITERS:
            raise Error(f"{line.text}: Keras has no layer for this")
        self.to = after(line, *self.shape, self.saved[line.slot][1][2] if line.slot else 0)
        self.WRITERS[line.word](self, line, tensors)
        if line.word in ("conv", "deconv", "dense", "act"):
            self.separate_activation(line)
        self.shape = self.to


def from_model(metadata, tensors):
    first, *rest = modelfile.lines(metadata["network"])
    writer = Writer(int(metadata["height"]), int(metadata["width"]), first.size)
    for line in rest:
        writer.line(line, tensors)
    return writer.layers


# --- Files ---

def histories(value):
    """The tensors that a node names, [layer, node, tensor]: in lists of any depth."""
    if isinstance(value, dict):
        return [value["config"]["keras_history"]] if "config" in value else []
    if isinstance(value, list) and value and isinstance(value[0], str):
        return [value[:3]]
    return [h for item in value for h in histories(item)] if isinstance(value, list) else []


def graph(root):
    """The layers of a configuration in their order, and the model's output."""
    kind, config = root["class_name"], root["config"]
    if kind not in ("Sequential", "Functional", "Model"):
        raise Error(f"a model of class '{kind}', expected Sequential or Functional")
    items, layers, named = config if isinstance(config, list) else config["layers"], [], {}
    if kind == "Sequential" and items[0]["class_name"] != "InputLayer":
        own = items[0]["config"]
        shape = own.get("batch_input_shape") or own.get("batch_shape") or config.get("build_input_shape")
        layers.append(Layer("InputLayer", "input", {"batch_shape": shape}))
    for item in items:
        layer = Layer(item["class_name"], item.get("name") or item["config"]["name"], dict(item["config"]))
        act = layer.config.get("activation")
        if isinstance(act, dict):  # a function, or a layer
            layer.config["activation"] = act["config"] if isinstance(act["config"], str) else act["class_name"]
        if kind == "Sequential":
            layer.inputs = layers[-1:]
        elif layers:
            nodes = item["inbound_nodes"]
            if len(nodes) != 1:
                layer.fail(f"is called {len(nodes)} times; once, behind one input, is expected")
            for name, *number in histories(nodes[0]["args"] if isinstance(nodes[0], dict) else nodes[0]):
                if name not in named or number != [0, 0]:
                    layer.fail(f"takes '{name}', which is not above it or is used twice")
                layer.inputs.append(named[name])
        named[layer.name] = layer
        layers.append(layer)
    if kind == "Sequential":
        return layers, layers[-1]
    output = config["output_layers"]
    output = output[0] if len(output) == 1 else output
    if len(output) != 3 or output[0] not in named:
        raise Error("one output is expected")
    return layers, named[output[0]]


def groups(layers):
    """Each layer's place in a Keras 3 file: "conv2d_1", its class and its number among those of it."""
    count = {}
    for layer in layers:
        count[layer.kind] = number = count.get(layer.kind, -1) + 1
        yield layer, snake(layer.kind) + (f"_{number}" if number else "")


def read(path):
    """The layers of a file of Keras 2 (.h5) or 3 (.keras) with their arrays, and the output."""
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as z, h5py.File(io.BytesIO(z.read("model.weights.h5")), "r") as f:
            layers, output = graph(json.loads(z.read("config.json")))
            top = f.get("layers", f.get("_layer_checkpoint_dependencies", {}))  # the latter up to Keras 2.13
            for layer, group in groups(layers):
                own = top.get(group + "/vars", {})
                layer.arrays = [own[str(i)][()] for i in range(len(own))]
        return layers, output
    with h5py.File(path, "r") as f:
        layers, output = graph(json.loads(f.attrs["model_config"]))
        for layer in layers:
            own = f["model_weights"].get(layer.name)
            layer.arrays = [own[name][()] for name in own.attrs["weight_names"]] if own else []
    return layers, output


def described(layer, sequential, three):
    """A layer as JSON has it."""
    config = {"name": layer.name, "trainable": True, "dtype": "float32", **layer.config}
    if layer.kind == "InputLayer":
        del config["trainable"]
    if not three:
        old = {"negative_slope": "alpha", "batch_shape": "batch_input_shape"}
        config = {old.get(key, key): "swish" if value == "silu" else value for key, value in config.items()}
        if config.get("activation") in ("hard_silu", "relu6"):
            word = WORDS[config["activation"]]
            raise Error(f"{word}: Keras 2 has no activation for this, Keras 3 (.keras) has")
    item = {"class_name": layer.kind, "config": config}
    if three:
        item.update(module="keras.layers", registered_name=None)
    if not sequential and three:
        tensors = [{"class_name": "__keras_tensor__", "config": {
            "shape": [None, *x.shape], "dtype": "float32", "keras_history": [x.name, 0, 0]}} for x in layer.inputs]
        nodes = [{"args": [tensors] if len(tensors) > 1 else tensors, "kwargs": {}}] if tensors else []
        item.update(name=layer.name, inbound_nodes=nodes)
    elif not sequential:
        tensors = [[x.name, 0, 0, {}] for x in layer.inputs]
        item.update(name=layer.name, inbound_nodes=[tensors] if tensors else [])
    return item


def configuration(layers, three):
    sequential = all(len(layer.inputs) < 2 for layer in layers)
    kind = "Sequential" if sequential else "Functional"
    config = {"name": kind.lower(), "layers": [described(layer, sequential, three) for layer in layers]}
    if three or not sequential:
        config["trainable"] = True
    if not sequential:
        config.update(input_layers=[[layers[0].name, 0, 0]], output_layers=[[layers[-1].name, 0, 0]])
    root = {"class_name": kind, "config": config}
    if three:
        root.update(module="keras" if sequential else "keras.src.models.functional", registered_name=kind)
    return json.dumps(root), layers[1:] if sequential else layers


def write(path, layers):
    """The same layers give the same bytes."""
    three, image = path.endswith(".keras"), io.BytesIO()
    config, named = configuration(layers, three)
    with h5py.File(image, "w") as f:
        top = f.create_group("layers" if three else "model_weights")
        if three:
            f.create_group("vars")
            for layer, group in groups(named):
                own = top.create_group(group + "/vars")
                for i, values in enumerate(layer.arrays):
                    own[str(i)] = values
        else:
            for place in f, top:
                place.attrs["keras_version"], place.attrs["backend"] = "2.15.0", "tensorflow"
            f.attrs["model_config"] = config
            top.attrs["layer_names"] = [layer.name.encode() for layer in named]
            for layer in named:
                own, names = top.create_group(layer.name), [layer.name + n for n in ("/kernel:0", "/bias:0")]
                own.attrs["weight_names"] = [n.encode() for n in names[:len(layer.arrays)]]
                for name, values in zip(names, layer.arrays):
                    own[name] = values
            top.create_group("top_level_model_weights").attrs["weight_names"] = []
    if three:
        weights, image = image.getvalue(), io.BytesIO()
        metadata = json.dumps({"keras_version": "3.0.0", "date_saved": ""})
        with zipfile.ZipFile(image, "w") as z:
            for name, data in ("metadata.json", metadata), ("config.json", config), ("model.weights.h5", weights):
                z.writestr(zipfile.ZipInfo(name), data)
    with open(path, "wb") as file:
        file.write(image.getvalue())


def main(words):
    if len(words) != 3 or words[1].endswith(".safetensors") == words[2].endswith(".safetensors"):
        sys.exit("usage: python3 -m caelum.keras MODEL.keras|MODEL.h5 MODEL.safetensors, or the other way round")
    try:
        if words[2].endswith(".safetensors"):
            modelfile.write(words[2], *to_model(*read(words[1])))
        elif words[2].endswith((".keras", ".h5")):
            write(words[2], from_model(*modelfile.read(words[1])))
        else:
            raise Error("expected a name that ends in .keras or .h5: " + words[2])
    except Error as why:
        sys.exit(f"{words[1]}: {why}")
    except (OSError, LookupError, TypeError, ValueError, AttributeError, zipfile.BadZipFile) as why:
        sys.exit(f"{words[1]}: damaged, or no such file: {type(why).__name__}: {why}")


if __name__ == "__main__":
    main(sys.argv)
