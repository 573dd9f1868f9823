"""Pictures in memory: each layout trains as the same pixels of another data set do; and what feeds a training."""
import gc
import subprocess
import sys

import caelum
import numpy as np
import pytest

from conftest import ROOT

NET = "input 3\nconv 4 stride=2 relu\nlatent\nupsample\nconv 3 sigmoid\n"


@pytest.fixture(scope="module")
def pictures():
    """Generated ones, [300, 16, 16, 3], in their order before they are shuffled, which numbered ones tell."""
    numbered = caelum.Data(np.arange(300, dtype=np.uint16).view(np.uint8).reshape(300, 1, 2))
    data, all_of_them = caelum.Data("synthetic:300:16"), np.empty((300, 16, 16, 3), np.uint8)
    for i in range(300):
        low, high = numbered.picture("all", i)[0, :, 0]
        all_of_them[low + 256 * int(high)] = data.picture("all", i)
    return all_of_them


def trained(data, **settings):
    return caelum.train(NET, data, epochs=2, **settings).model.arrays


def same(a, b):
    return all(np.array_equal(a[name], b[name]) for name in a)


def test_layouts(pictures):
    expected = trained("synthetic:300:16")
    planes = np.ascontiguousarray(pictures.transpose(0, 3, 1, 2))
    padded = np.pad(pictures, ((0, 0), (1, 2), (3, 0), (0, 0)))[:, 1:-2, 3:]
    for array in (pictures, planes, np.asfortranarray(pictures), pictures[::-1].copy()[::-1], padded, list(pictures)):
        assert same(trained(array), expected)
    assert same(trained(pictures, split_seed=3), trained("synthetic:300:16", split_seed=3))
    data = caelum.Data(pictures, split=(200, 60, 40))
    test = sorted(data.picture("test", i).tobytes() for i in range(data.count("test")))
    assert test == sorted(picture.tobytes() for picture in pictures[260:])


def test_pillow(pictures):
    image = pytest.importorskip("PIL.Image", reason="no Pillow here")
    assert same(trained([image.fromarray(picture) for picture in pictures]), trained(pictures))


def test_in_place(pictures):
    """Planes are used where they are, and stay as long as the data."""
    planes = np.ascontiguousarray(pictures.transpose(0, 3, 1, 2))
    data = caelum.Data(planes)
    planes[:] = 7
    assert (data.picture("test", 0) == 7).all()
    del planes
    gc.collect()
    copies = [np.full((300, 3, 16, 16), 9, np.uint8) for _ in range(3)]  # take what was given back
    assert (data.picture("test", 0) == 7).all() and copies


def test_grey_and_labels(pictures):
    grey, labels = pictures[..., 1], np.arange(300) % 3
    info = caelum.data_info(grey, labels=labels)
    assert (info.name, info.channels, info.count, info.classes) == ("memory", 1, 300, {"0": 100, "1": 100, "2": 100})
    assert info.mean[0] == pytest.approx(grey.mean() / 255)
    net = "input 1\nconv 1 k=1\n"
    assert same(*(caelum.train(net, array, epochs=1).model.arrays for array in (grey, grey[..., None])))
    classifier = caelum.train("input 3\nconv 4 relu\ndense 3\n", caelum.Data(pictures, labels=labels), epochs=1,
                              task="classify", loss="xent").model
    found = caelum.evaluate(classifier, caelum.Data(pictures, labels=labels), "all")
    assert isinstance(found, caelum.ClassMetrics) and found.count == 300


def test_evaluate(pictures):
    """A network of no layers but one that copies: errors are what NumPy says they are."""
    half = caelum.Model.create("input 3\nconv 3 k=1\n", 16, 16)
    half.set_array("conv1.weight", np.eye(3)[:, :, None, None] / 2)
    half.set_array("conv1.bias", np.zeros(3))
    x = pictures.astype(float) / 255
    assert caelum.evaluate(half, pictures, "all").mse_float == pytest.approx(np.mean((x / 2) ** 2), rel=1e-5)


def test_run_directory(pictures, tmp_path):
    data = caelum.Data(pictures)
    run = caelum.train(NET, data, out=tmp_path / "run", epochs=2, progress=lambda now: now.finished is not None)
    assert run.stopped and run.out == tmp_path / "run"
    with pytest.raises(caelum.UsageError, match="resumed by a program that gives them as open_data"):
        caelum.resume(tmp_path / "run")
    assert same(caelum.resume(tmp_path / "run", data).model.arrays, trained(pictures))


def test_feed(pictures, tmp_path):
    steps = []

    def feed(step, x):
        steps.append((step, x.shape))
        return x
    assert same(trained(pictures, feed=feed), trained(pictures))
    assert steps == [(i, (50 if i % 5 < 4 else 40, 3, 16, 16)) for i in range(10)]
    last = {"out": tmp_path / "run", "feed": feed, "progress": lambda now: now.finished is not None}
    data = caelum.Data(pictures)
    assert caelum.train(NET, data, epochs=2, **last).stopped
    with pytest.raises(TypeError, match="feed: expected a caelum.Data"):
        caelum.resume(tmp_path / "run", feed=feed)
    assert same(caelum.resume(tmp_path / "run", data, feed=feed).model.arrays, trained(pictures))
    assert not same(trained(pictures, feed=lambda step, x: x[:, :, ::-1]), trained(pictures))
    for wrong in (lambda step, x: x / 255), (lambda step, x: x[:1]), (lambda step, x: None):
        with pytest.raises(caelum.UsageError, match=r"feed: expected uint8 \[50, 3, 16, 16\], got"):
            trained(pictures, feed=wrong)


def test_exceptions_have_the_run(pictures):
    def fails(now):
        if now.finished:
            raise KeyboardInterrupt
    with pytest.raises(KeyboardInterrupt) as caught:
        trained(pictures, progress=fails)
    run = caught.value.run
    assert run.stopped and len(run.history) == 1 and run.model.run(np.zeros((1, 3, 16, 16))).shape == (1, 3, 16, 16)


def test_errors(pictures):
    for source, settings, words in (
            (pictures / 255, {}, r"got float64 \[300, 16, 16, 3\]; round 255 times the values"),
            (pictures.astype(int), {}, "got int64"), (pictures[..., :2], {}, "with 1 or 3 channels, got uint8"),
            (np.uint8(3), {}, r"got uint8 \[\]"), ([], {}, r"got float64 \[0\]"), (pictures[:3], {}, "pictures"),
            ([pictures[0], pictures[0][:9]], {}, "picture 1 is 9 x 16, the first 16 x 16"),
            (pictures, {"labels": [0]}, r"labels: expected \[300\] whole numbers from 0 to 65535, got int64 \[1\]"),
            (pictures, {"labels": np.full(300, -1)}, "whole numbers from 0"),
            (pictures, {"labels": np.full(300, 0.5)}, "whole numbers from 0"),
            (pictures, {"split": (1, 2)}, r"expected \(train, validation, test\)"),
            (pictures, {"split": (200, 50, 51)}, "expected a split of all 300"),
            (pictures, {"crop": 16, "resize": "fit"}, "crop, resize: of files and generated"),
            ("synthetic", {"resize": "fill"}, "resize: expected one of no, fit, crop, stretch; got 'fill'")):
        with pytest.raises(ValueError, match=words):
            caelum.Data(source, **settings)
    for call, words in ((lambda: caelum.Data("synthetic", labels=[1]), "of pictures in memory"),
                        (lambda: caelum.train(NET, caelum.Data(pictures), crop=9), "crop: of caelum.Data")):
        with pytest.raises(TypeError, match=words):
            call()


def test_example():
    done = subprocess.run([sys.executable, ROOT / "examples/frames.py"], check=True, stdout=subprocess.PIPE, text=True)
    assert done.stdout.endswith("the strangest of the next 100 frames is number 37\n")
    assert int(done.stdout.split()[0]) < 200  # validation rose
