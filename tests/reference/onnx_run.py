#!/usr/bin/python3
"""An ONNX runtime of its own, in PyTorch with double precision: the operators that caelum writes, after
docs/Operators.md of github.com/onnx/onnx. The witness of test_onnx_runtimes.c.

usage: onnx_run.py LIST
LIST names one case a line: DIRECTORY PICTURES CHANNELS ROWS COLUMNS. The directory holds `net.onnx`,
little-endian f32 arrays `in` [n][c][h][w] and `got`, what caelum makes of it. The file must pass onnx.checker and strict
shape inference. The same model as `net.safetensors` goes through python/caelum/torch.py. Prints a line a case,
    PASS|FAIL DIRECTORY ERROR
with the largest error of either, as a share of the largest output or of 1."""
import os
import sys

sys.dont_write_bytecode = True  # nothing is left in the source
sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../../python"))
from caelum import torch as caelum_torch
import numpy
import onnx
import onnx.numpy_helper
import onnx.shape_inference
import torch
from torch.nn import functional as F

torch.set_num_threads(1)
BOUND = 1e-5


def same_upper(n, k, stride):
    total = max((-(-n // stride) - 1) * stride + k - n, 0)
    return total // 2, total - total // 2


def conv(x, a, w, b=None):
    top, left, bottom, right = a.get("pads", [0, 0, 0, 0])
    (kh, kw), (sh, sw) = a["kernel_shape"], a["strides"]
    if "auto_pad" in a:
        assert a["auto_pad"] == b"SAME_UPPER"
        (top, bottom), (left, right) = same_upper(x.shape[2], kh, sh), same_upper(x.shape[3], kw, sw)
    return F.conv2d(F.pad(x, (left, right, top, bottom)), w, b, (sh, sw))


def conv_transpose(x, a, w, b=None):
    """Without pads, then cut: PyTorch's own has them equal on both sides."""
    top, left, bottom, right = a.get("pads", [0, 0, 0, 0])
    more = a.get("output_padding", [0, 0])
    y = F.pad(F.conv_transpose2d(x, w, None, a["strides"]), (0, more[1], 0, more[0]))
    y = y[:, :, top:y.shape[2] - bottom, left:y.shape[3] - right]
    return y if b is None else y + b[:, None, None]


def pool(function):
    def run(x, a):
        assert a["kernel_shape"] == a["strides"]
        return function(x, a["kernel_shape"])
    return run


def resize(x, a, roi, scales):
    assert roi is None and scales[0] == scales[1] == 1
    size = [int(n * s) for n, s in zip(x.shape[2:], scales[2:])]
    if a["mode"] == b"linear":
        assert a["coordinate_transformation_mode"] == b"half_pixel"
        return F.interpolate(x, size, mode="bilinear", align_corners=False)
    assert a["coordinate_transformation_mode"] == b"asymmetric" and a["nearest_mode"] == b"floor"
    rows = torch.floor(torch.arange(size[0]) / scales[2]).long()
    columns = torch.floor(torch.arange(size[1]) / scales[3]).long()
    return x[:, :, rows][:, :, :, columns]


def space_to_depth(x, a):
    n, (b, c, h, w) = a["blocksize"], x.shape
    return x.reshape(b, c, h // n, n, w // n, n).permute(0, 3, 5, 1, 2, 4).reshape(b, c * n * n, h // n, w // n)


def depth_to_space(x, a):
    assert a["mode"] == b"CRD"
    n, (b, c, h, w) = a["blocksize"], x.shape
    return x.reshape(b, c // n // n, n, n, h, w).permute(0, 1, 4, 2, 5, 3).reshape(b, c // n // n, h * n, w * n)


def cut(x, a, starts, ends, axes):
    index = [slice(None)] * 4
    for start, end, axis in zip(starts, ends, axes):
        index[axis] = slice(int(start), int(end))
    return x[tuple(index)]


def pad(x, a, pads):
    assert a["mode"] == b"constant" and list(pads[:2]) == list(pads[4:6]) == [0, 0]
    return F.pad(x, (int(pads[3]), int(pads[7]), int(pads[2]), int(pads[6])))


def reshape(x, a, shape):
    return x.reshape([x.shape[i] if n == 0 else int(n) for i, n in enumerate(shape)])


def unsqueeze(x, a, axes):
    for axis in sorted(int(i) for i in axes):
        x = x.unsqueeze(axis)
    return x


def gemm(a, attributes, b, c):
    assert attributes == {"transB": 1}
    return a @ b.T + c


OPERATORS = {
    "Conv": conv, "ConvTranspose": conv_transpose, "MaxPool": pool(F.max_pool2d), "AveragePool": pool(F.avg_pool2d),
    "Resize": resize, "SpaceToDepth": space_to_depth, "DepthToSpace": depth_to_space, "Slice": cut, "Pad": pad,
    "Reshape": reshape, "Unsqueeze": unsqueeze, "Gemm": gemm,
    "Flatten": lambda x, a: x.flatten(1), "Identity": lambda x, a: x,
    "Gather": lambda x, a, i: x.index_select(a["axis"], i), "Concat": lambda x, a, *more: torch.cat((x,) + more, a["axis"]),
    "Add": lambda x, a, y: x + y, "Mul": lambda x, a, y: x * y, "Round": lambda x, a: torch.round(x),
    "Relu": lambda x, a: F.relu(x), "LeakyRelu": lambda x, a: F.leaky_relu(x, a["alpha"]),
    "Clip": lambda x, a, low, high: torch.clamp(x, low, high), "Erf": lambda x, a: torch.erf(x),
    "Selu": lambda x, a: F.selu(x), "Softplus": lambda x, a: F.softplus(x), "Div": lambda x, a, y: x / y,
    "Elu": lambda x, a: F.elu(x, a["alpha"]), "Sigmoid": lambda x, a: torch.sigmoid(x), "Tanh": lambda x, a: torch.tanh(x),
    "PRelu": lambda x, a, slope: F.prelu(x, slope.flatten()), "HardSigmoid": lambda x, a: (x * a["alpha"] + 0.5).clamp(0, 1),
    "InstanceNormalization": lambda x, a, g, b: F.instance_norm(x, weight=g, bias=b, eps=a["epsilon"]),
}


def run(model, x):
    graph = model.graph
    values = {"": None, graph.input[0].name: x}
    for t in graph.initializer:
        array = torch.from_numpy(onnx.numpy_helper.to_array(t).copy())
        values[t.name] = array.double() if array.dtype == torch.float32 else array
    for node in graph.node:
        attributes = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
        attributes = {k: list(v) if isinstance(v, list) else v for k, v in attributes.items()}
        inputs = [values[name] for name in node.input]
        values[node.output[0]] = OPERATORS[node.op_type](inputs[0], attributes, *inputs[1:])
    return values[graph.output[0].name]


def check(model, y):
    onnx.checker.check_model(model, full_check=True)
    inferred = onnx.shape_inference.infer_shapes(model, strict_mode=True)
    for said, is_so in zip(inferred.graph.output[0].type.tensor_type.shape.dim, y.shape):
        assert not said.dim_value or said.dim_value == is_so, "the file says another shape of the output"


def main():
    for line in open(sys.argv[1]):
        directory, *shape = line.split()
        n, c, h, w = (int(s) for s in shape)
        x = numpy.fromfile(os.path.join(directory, "in"), "<f4").reshape(n, c, h, w)
        got = numpy.fromfile(os.path.join(directory, "got"), "<f4").reshape(n, -1)
        model = onnx.load(os.path.join(directory, "net.onnx"))
        y = run(model, torch.from_numpy(x).double())
        check(model, y)
        want = y.reshape(n, -1).numpy()
        with torch.no_grad():
            module = caelum_torch.load(os.path.join(directory, "net.safetensors"))(torch.from_numpy(x)).reshape(n, -1).numpy()
        assert want.shape == got.shape == module.shape, "%s: %s and %s values, caelum has %s" % (
            directory, want.shape, module.shape, got.shape)
        error = max(abs(want - got).max(), abs(module - got).max()) / max(1, abs(want).max())
        print("PASS" if error <= BOUND else "FAIL", directory, "%.3g" % error)


main()
