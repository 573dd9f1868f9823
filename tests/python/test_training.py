"""Training and measuring, against the program; and how a training is stopped."""
import signal
import subprocess
import sys
import time

import caelum
import numpy as np
import pytest

DATA = "synthetic:300"


@pytest.fixture
def net(models):
    return models / "standard.net"


def same(a, b):
    return all(np.array_equal(a.arrays[name], b.arrays[name]) for name in a.arrays)


def test_like_the_program(net, program, tmp_path):
    program("train", net, "-d", DATA, "-o", tmp_path / "theirs", "-e", 3, "--flip", "--lr", 0.002, "--loss", "bce",
            "--split-seed", 7)
    run = caelum.train(net, DATA, out=tmp_path / "ours", epochs=3, flip=True, lr=0.002, loss="bce", split_seed=7)
    assert same(run.model, caelum.Model(tmp_path / "theirs"))
    assert [epoch.epoch for epoch in run.history] == [1, 2, 3] and run.history[-1].val_loss == run.best_val_loss
    told = program("eval", tmp_path / "theirs", "--no-baselines", "--json")
    found = caelum.evaluate(run.model, DATA)
    assert [found.count, found.psnr, found.ssim] == pytest.approx([told["count"], told["psnr"], told["ssim"]], rel=1e-8)


def test_colorizers(models, program):
    told = program("eval", models / "colorize.safetensors", "-d", DATA, "--no-baselines", "--hints", 4, "--json")
    found = caelum.evaluate("colorize", DATA, hints=4)
    assert isinstance(found, caelum.ColorMetrics)
    assert [found.uv_mse, found.auc] == pytest.approx([told["uv_mse"], told["auc"]], rel=1e-8)
    with pytest.raises(caelum.UsageError, match="hints: of colorizers and denoisers alone"):
        caelum.evaluate("standard", DATA, hints=4)
    with pytest.raises(caelum.UsageError, match="^split: expected one of train, validation, test, all; got 'tests'$"):
        caelum.evaluate("standard", DATA, "tests")
    assert found == caelum.evaluate("colorize", caelum.Data(DATA), hints=4) != caelum.evaluate("colorize", DATA)


def test_data(program):
    told, data = program("data", "info", "synthetic:300:16", "--json"), caelum.Data("synthetic:300:16")
    info = caelum.data_info(data)
    assert [info.channels, info.height, info.width] == told["shape"]
    assert info.mean == pytest.approx(told["mean"], abs=1e-9) and info.classes == told["classes"] == {}
    assert list(info.split_count.values()) == told["split"] == [data.count(split) for split in info.split_count]
    assert data.count() == 300 and data.picture("test", 29).shape == (16, 16, 3)
    with pytest.raises(IndexError):
        data.picture("test", 30)
    for call, kind, words in ((lambda: caelum.Data("missing"), caelum.FileError, "missing"),
                              (lambda: caelum.Data("synthetic", limit=-1), ValueError, "limit: -1 is out of range"),
                              (lambda: caelum.Data("synthetic", limi=1), TypeError, "there are: split_seed"),
                              (lambda: data.count("tests"), ValueError, "one of train, validation, test, all")):
        with pytest.raises(kind, match=words):
            call()


def test_callback_and_resume(net, tmp_path):
    """A callback that asks to stop, an exception in it, and what was stopped taken up again."""
    whole = caelum.train(net, DATA, epochs=3)
    run = caelum.train(net, DATA, out=tmp_path / "run", epochs=3, progress=lambda now: (now.epoch, now.batch) == (2, 3))
    assert run.stopped and len(run.history) == 1 and run.model.metadata["epoch"] == "1"

    def fails(now):
        if now.finished:
            raise LookupError("enough")
    with pytest.raises(LookupError, match="enough"):
        caelum.resume(tmp_path / "run", progress=fails)
    last = caelum.resume(tmp_path / "run")
    assert [epoch.epoch for epoch in last.history] == [3] and same(last.model, whole.model)
    at_once = caelum.train(net, DATA, out=tmp_path / "none", progress=lambda now: True)
    assert at_once.stopped and at_once.model is None and (tmp_path / "none/checkpoint.safetensors").exists()


def test_interrupt(net, tmp_path):
    """Ctrl-C ends it after the batch under way, saved, as KeyboardInterrupt; the handler is Python's again."""
    script = ("import caelum, signal, sys\ntry:\n"
              "    caelum.train(*sys.argv[1:3], out=sys.argv[3], epochs=100000, batch=240,\n"
              "                 progress=lambda now: now.epoch == 2 and now.finished and print(flush=True))\n"
              "except KeyboardInterrupt as stop:\n"
              "    print(stop.run.stopped, signal.getsignal(signal.SIGINT) is signal.default_int_handler)\n")
    child = subprocess.Popen([sys.executable, "-c", script, net, DATA, tmp_path / "run"], stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, text=True)
    try:
        assert child.stdout.readline() == "\n"
        time.sleep(0.05)  # it is in the library then, not in Python's function
        child.send_signal(signal.SIGINT)
        assert child.communicate(timeout=60)[0] == "True True\n" and child.returncode == 0
    finally:
        child.kill()
    assert caelum.resume(tmp_path / "run", progress=lambda now: now.finished is not None).epochs > 2


def test_errors(net, tmp_path):
    for settings, kind, words in (({"lrr": 1}, TypeError, "unexpected setting 'lrr'; there are: epochs, task"),
                                  ({"epochs": 0}, caelum.UsageError, "epochs: expected 1 to 1000000, got 0"),
                                  ({"loss": "best"}, caelum.UsageError, "loss can't be 'best'"),
                                  ({"early_stop": 1.5}, caelum.UsageError, "early-stop can't be '1.5'"),
                                  ({"init": "missing"}, caelum.FileError, "missing"),
                                  ({"lr": float("nan")}, caelum.UsageError, "lr")):
        with pytest.raises(kind, match=words):
            caelum.train(net, DATA, **settings)
    with pytest.raises(caelum.FileError, match="exists already"):
        caelum.train(net, DATA, out=tmp_path)
    linear = tmp_path / "linear.net"
    linear.write_text("input 3\n" + 6 * "conv 8\n" + "conv 3\n")
    with pytest.raises(caelum.DivergedError, match="no longer finite in epoch 1"):
        caelum.train(linear, DATA, optimizer="sgd", lr=100)
    with pytest.raises(OSError, match="missing.net"):
        caelum.train("missing.net", DATA)


def test_bar(net, capfd):
    caelum.train(net, DATA, epochs=2, progress=True)
    said = capfd.readouterr().err
    assert "[" in said and "\repoch 2/2  loss 0.0" in said
    caelum.train(net, DATA, epochs=1)
    assert capfd.readouterr() == ("", "")  # no terminal


def test_fetch(program, tmp_path):
    """What can be said without a server; tests/cli/fetch.sh has the rest."""
    if b" curl" not in program("version"):
        pytest.skip("a build without libcurl")
    for name, url, kind, words in (("cifar10", None, caelum.UsageError, "did you mean 'cifar-10'?"),
                                   ("mnist", "nearby", ValueError, "expected http://"),
                                   ("mnist", (tmp_path / "none").as_uri(), caelum.NetworkError, "train-images")):
        with pytest.raises(kind, match=words):
            caelum.data_fetch(name, to=tmp_path / "to", url=url)


def test_files(net, program, tmp_path, photo):
    """Whole pictures of files in two classes, brought to one size, and evaluated as they were trained on."""
    for i in range(40):
        folder = tmp_path / "pictures" / ("even", "odd")[i % 2]
        folder.mkdir(parents=True, exist_ok=True)
        caelum.save_picture(np.roll(photo, 3 * i, 1), folder / f"{i}.png")
    settings = {"resize": "fit", "crop": 32, "cache_dir": tmp_path / "cache"}
    info = caelum.data_info(tmp_path / "pictures", **settings)
    assert (info.count, info.height, info.width, info.classes) == (40, 32, 32, {"even": 20, "odd": 20})
    run = caelum.train(net, tmp_path / "pictures", epochs=1, **settings)
    run.model.save(tmp_path / "model.safetensors")
    told = program("eval", tmp_path / "model.safetensors", "-d", tmp_path / "pictures", "--no-baselines", "--json")
    assert caelum.evaluate(run.model, tmp_path / "pictures").psnr == pytest.approx(told["psnr"], rel=1e-8)
