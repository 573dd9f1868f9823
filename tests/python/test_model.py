"""Models against NumPy, against the program, and against themselves."""
import gc
import threading

import caelum
import numpy as np
import pytest


@pytest.fixture
def model(models):
    return caelum.Model(models / "standard.safetensors")


@pytest.fixture
def x():
    return np.random.default_rng(1).random((5, 3, 32, 32), np.float32)


def test_what_it_is(model, models, program):
    told = program("inspect", models / "standard.safetensors", "--json")
    assert model.info.parameters == told["parameters"] == sum(array.size for array in model.arrays.values())
    assert [layer.text for layer in model.layers] == [row["layer"] for row in told["layers"]]
    assert model.metadata["task"] == model.task == "reconstruct" and model.network == model.metadata["network"]
    assert model.layers[model.latent - 1].latent and repr(model).endswith("3 x 32 x 32, 4,911 parameters>")
    assert caelum.Model("standard").metadata == model.metadata  # by the name of what comes with the library


def test_convolution_by_hand(model, x):
    weight, bias = model.arrays["conv1.weight"].astype(float), model.arrays["conv1.bias"].astype(float)
    padded = np.pad(x.astype(float), ((0, 0), (0, 0), (1, 1), (1, 1)))
    y = np.zeros((5, 8, 32, 32)) + bias[:, None, None]
    for u in range(3):
        for v in range(3):
            y += np.einsum("kc,ncij->nkij", weight[:, :, u, v], padded[:, :, u:u + 32, v:v + 32])
    assert np.abs(model.run(x, layer=1) - np.maximum(y, 0)).max() < 1e-5


def test_run(model, x):
    out = np.empty_like(x)
    assert model.run(x, out=out) is out and np.array_equal(out, model.run(x, threads=1))
    assert np.array_equal(out, model.run(x.astype(float))) and np.array_equal(out, model.run(x[::-1])[::-1])
    assert model.run(x, layer=model.latent).shape == (5, 16, 8, 8)
    assert np.array_equal(model.run(x, layer=0), x) and model.run(x[:0]).shape == (0, 3, 32, 32)


def test_threads(model, x):
    expected, found = model.run(x), [None] * 8

    def work(i):
        found[i] = all(np.array_equal(model.run(x), expected) for _ in range(5))
    threads = [threading.Thread(target=work, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(found)


def test_arrays_keep_the_model(models):
    """Arrays share its memory and hold on to it; without any it is closed."""
    model, closed = caelum.Model(models / "standard.safetensors"), []
    model._close = lambda handle, close=model._close: (closed.append(1), close(handle))
    assert model.arrays["conv1.weight"].ctypes.data == model.arrays["conv1.weight"].ctypes.data
    part, expected = model.arrays["conv1.weight"][2:, 1], model.arrays["conv1.weight"].copy()[2:, 1]
    del model
    gc.collect()
    more = [caelum.Model(models / "best.safetensors") for _ in range(5)]  # take what was given back
    assert np.array_equal(part, expected) and not closed and not part.flags.writeable and more
    del part
    gc.collect()
    assert closed


def test_set_array(x):
    model = caelum.Model.create("input 1\nconv 1 k=1\n", 4, 5)
    model.set_array("conv1.weight", [[[[2]]]])
    model.set_array("conv1.bias", np.ones(1))
    assert np.array_equal(model.run(x[:, :1, :4, :5]), 2 * x[:, :1, :4, :5] + 1)
    for name, values, words in (("conv1.bias", [1, 2], r"expected an array of shape \[1\], got \[2\]"),
                                ("conv2.bias", [1], "there are: conv1.weight, conv1.bias")):
        with pytest.raises(caelum.UsageError, match=words):
            model.set_array(name, values)


@pytest.mark.parametrize("ending", ["safetensors", "onnx", "npz"])
def test_files(model, x, tmp_path, ending):
    file = tmp_path / f"model.{ending}"
    model.save(file)
    back = caelum.Model(file, **({"network": "models/standard.net"} if ending == "npz" else {}))
    assert np.array_equal(back.run(x), model.run(x))
    model.save(tmp_path / "half.safetensors", half=True)
    half = caelum.Model.load(tmp_path / "half.safetensors").arrays["conv1.weight"]
    assert np.array_equal(half, back.arrays["conv1.weight"].astype(np.float16))


def test_errors(model, x, models, photo, tmp_path):
    for call, kind, words in (
            (lambda: model.run(x[0]), ValueError, r"expected float32 \[n, 3, 32, 32\], got float32 \[3, 32, 32\]"),
            (lambda: model.run((x * 255).astype(np.uint8)), ValueError, "got uint8 .*; divide by 255"),
            (lambda: model.run(x, layer=99), caelum.UsageError, "layer: expected 0 to 9, got 99"),
            (lambda: model.run(x, out=np.empty((5, 3, 32))), ValueError,
             r"out: expected contiguous, writable float32 \[5, 3, 32, 32\], got float64 \[5, 3, 32\]"),
            (lambda: model.run(x, threads=1 << 40), caelum.UsageError, "threads: 1099511627776 is out of range"),
            (lambda: caelum.Model("missing"), FileNotFoundError.__base__, "missing"),
            (lambda: caelum.Model("wrong.onnx\0"), caelum.UsageError, "zero byte"),
            (lambda: caelum.Model.create("input 3\nconv x\n"), caelum.FormatError, "network:2"),
            (lambda: caelum.Model(models / "standard.net"), caelum.FormatError, "standard.net"),
            (lambda: model.save(tmp_path / "a.xyz"), caelum.UsageError, "expected a name that ends in"),
            (lambda: model.colorize(photo), caelum.FormatError, "to colorize it must turn luminance"),
            (lambda: model.encode(photo), caelum.FormatError, "quantize layer")):
        with pytest.raises(kind, match=words) as caught:
            call()
        assert isinstance(caught.value, caelum.Error) and caught.value.code in (-2, -3, -4)
