"""Finders of defects: the same as by the program, on pictures of soft stripes."""
import subprocess
import sys

import caelum
import numpy as np
import pytest
from conftest import ROOT

QUICK = {"steps": 1, "false_alarms": 0.5}


def stripes(seed):
    y, x = np.mgrid[:96, :96]
    noise = np.random.default_rng(seed).random((96, 96))
    return (128 + 40 * np.sin(x / 5) * np.cos(y / 7) + 8 * noise).astype(np.uint8)


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    folder = tmp_path_factory.mktemp("good")
    for i in range(6):
        caelum.save_picture(stripes(i), folder / f"{i}.png")
    return folder


@pytest.fixture(scope="module")
def finder(good):
    return caelum.Anomaly.train(good, **QUICK)


def test_like_the_program(good, finder, program, tmp_path):
    black = np.zeros((40, 50), np.uint8)
    caelum.save_picture(black, tmp_path / "black.png")
    finder.save(tmp_path / "ours.safetensors")
    program("anomaly", "train", good, "-o", tmp_path / "theirs.safetensors", "--steps", 1, "--false-alarms", "50%", "-q")
    theirs = caelum.Anomaly(tmp_path / "theirs.safetensors")
    assert theirs.info == finder.info and finder.info.good == 1
    held_out = next(path for path in sorted(good.iterdir()) if not finder.score(path).bad)
    said = program("anomaly", "find", tmp_path / "ours.safetensors", held_out, "--json")
    verdict = finder.score(held_out)
    assert said["score"] == pytest.approx(verdict.score, rel=1e-8) and said["bad"] == verdict.bad
    assert said["p"] == verdict.p
    assert verdict.map.shape == (96, 96) and verdict.map.max() == np.float32(verdict.score)
    assert np.array_equal(theirs.score(held_out).map, verdict.map)


def test_verdict(finder, tmp_path):
    black = np.zeros((40, 50), np.uint8)
    verdict = finder.score(black)
    assert verdict.bad and verdict.p == 0.5
    assert [(box.x, box.y, box.width, box.height) for box in verdict.boxes] == [(0, 0, 50, 40)]
    heat = finder.heat(black, verdict)
    assert heat.shape == (40, 50, 3) and (heat[..., 0] > heat[..., 2]).all()
    with pytest.raises(ValueError, match=r"\[40, 50\], the picture \[96, 96\]"):
        finder.heat(stripes(1), verdict)


def test_calibrate(good, finder, tmp_path):
    finder.save(tmp_path / "other.safetensors")
    other = caelum.Anomaly.load(tmp_path / "other.safetensors")
    (good / "damaged.png").write_bytes(b"damaged")
    other.calibrate(good)
    assert other.info.good == 6 and other.info.false_alarms == 0.5 and finder.info.good == 1
    assert [path.endswith("damaged.png") for path, _ in other.left_out] == [True]
    (good / "damaged.png").unlink()


def test_evaluate(good, finder, program, tmp_path):
    for i, name in enumerate(("test/good/a", "test/spot/b", "ground_truth/spot/b_mask")):
        picture = stripes(10 + i) if i < 2 else np.zeros((96, 96), np.uint8)
        if i > 0:
            picture[60:68, 40:48] = 255
        (tmp_path / name).parent.mkdir(parents=True)
        caelum.save_picture(picture, tmp_path / f"{name}.png")
    finder.save(tmp_path / "part.safetensors")
    ours = finder.evaluate(tmp_path, page=tmp_path / "page.html")
    theirs = program("anomaly", "eval", tmp_path / "part.safetensors", tmp_path, "--json")
    assert ours.pop("ms_per_picture") > 0 and theirs.pop("ms_per_picture") > 0
    assert ours == theirs and set(ours["kinds"]) == {"spot"}
    assert "</html>" in (tmp_path / "page.html").read_text()


def test_errors(good, finder, models, tmp_path):
    for call, words in ((lambda: caelum.Anomaly(models / "best.safetensors"), "no finder of defects"),
                        (lambda: caelum.Anomaly.train(good, size=3), "size: expected 64 to 8192"),
                        (lambda: caelum.Anomaly.train(tmp_path), "expected|no "),
                        (lambda: finder.score(np.zeros((2, 2))), "expected uint8"),
                        (lambda: finder.calibrate(tmp_path / "nowhere"), "nowhere")):
        with pytest.raises(caelum.Error, match=words):
            call()


def test_example(finder, tmp_path):
    finder.save(tmp_path / "part.safetensors")
    done = subprocess.run([sys.executable, ROOT / "examples/judge.py", tmp_path / "part.safetensors"],
                          stdout=subprocess.PIPE, text=True)
    assert done.returncode in (0, 10) and done.stdout.count("frame ") == 6
