"""Pictures in and out, against Pillow and the program."""
import caelum
import numpy as np
import pytest


@pytest.fixture
def image():
    return pytest.importorskip("PIL.Image", reason="no Pillow here")


def test_like_the_program(photo, models, program, tmp_path):
    caelum.save_picture(photo, tmp_path / "in.png")
    program("reconstruct", models / "best.safetensors", tmp_path / "in.png", "-o", tmp_path / "out")
    program("colorize", tmp_path / "in.png", "-o", tmp_path / "colored", "--vivid", 1, "--hint", "9,5,#dc1e1e")
    best = caelum.Model(models / "best.safetensors")
    assert np.array_equal(best.reconstruct(photo), caelum.load_picture(tmp_path / "out/in.png"))
    colored = caelum.colorize(tmp_path / "in.png", vivid=1, hints=[(9, 5, (0xdc, 0x1e, 0x1e))])
    assert np.array_equal(colored, caelum.load_picture(tmp_path / "colored/in.png"))
    assert not np.array_equal(colored, caelum.colorize(photo, vivid=1))


def test_denoise(photo, program, tmp_path):
    """As the program does it; what goes in, bytes, 16 bits or floats, comes out, floats beyond white too."""
    net = tmp_path / "tiny.net"
    net.write_text("input 4\nconv 3\n")
    caelum.train(net, "synthetic:100", task="denoise", epochs=1, out=tmp_path / "run")
    model = caelum.Model(tmp_path / "run/best.safetensors")
    caelum.save_picture(photo, tmp_path / "in.png")
    program("denoise", tmp_path / "in.png", "-m", tmp_path / "run", "-o", tmp_path / "out", "--sigma", 20, "--strength", 0.5)
    made = model.denoise(photo, 20, 0.5)
    assert np.array_equal(made, caelum.load_picture(tmp_path / "out/in.png"))
    assert not np.array_equal(made, caelum.denoise(tmp_path / "in.png", model))
    floats = model.denoise(photo / np.float32(255), 20, 0.5)
    assert floats.dtype == np.float32 and np.abs(floats.clip(0, 1) * 255 - made).max() <= 0.501
    wide = model.denoise(photo.astype(np.uint16) * 257, 20, 0.5)
    assert wide.dtype == np.uint16 and np.abs(wide / 65535 - floats.clip(0, 1)).max() < 1e-5
    grey = model.denoise(2 * floats[..., 0], 20)
    assert grey.shape == photo.shape[:2] and grey.max() > 1
    with pytest.raises(caelum.UsageError, match="sigma: expected 0 to 55"):
        model.denoise(photo, 70)
    with pytest.raises(caelum.UsageError, match=r"expected \[height, width, 3\] or"):
        model.denoise(np.zeros((9, 9, 2), np.float32))


def test_the_shipped_denoiser(photo):
    """Takes most of the noise out of what it has never seen, in color and in grey, its level given or not."""
    x = photo.repeat(2, 0).repeat(2, 1) / np.float32(255)
    y = x + np.random.default_rng(1).normal(0, 25 / 255, x.shape).astype(np.float32)
    for clean, noisy in (x, y), (x[..., 0], y[..., 0]):
        for made in caelum.denoise(noisy, sigma=25), caelum.denoise(noisy):
            assert np.mean((made - clean) ** 2) < 0.25 * np.mean((noisy - clean) ** 2)


def test_pillow(image, photo, tmp_path):
    image.fromarray(photo).save(tmp_path / "theirs.png")
    caelum.save_picture(photo, tmp_path / "ours.png")
    assert np.array_equal(caelum.load_picture(tmp_path / "theirs.png"), photo)
    assert np.array_equal(np.asarray(image.open(tmp_path / "ours.png")), photo)
    colored = caelum.colorize(image.fromarray(photo))
    assert isinstance(colored, image.Image) and np.array_equal(np.asarray(colored), caelum.colorize(photo))


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK"])
def test_modes(image, photo, tmp_path, mode):
    """A picture of each mode is the same as the file that Pillow makes of it."""
    picture = image.fromarray(photo).convert(mode)
    if "A" in mode:
        picture.putalpha(image.fromarray(photo[..., 1]))
    file = tmp_path / ("picture.tif" if mode == "CMYK" else "picture.png")
    picture.save(file)
    if mode == "CMYK":  # by a profile there, by a plain formula here
        assert caelum.pictures.pixels(picture).shape == photo.shape
    else:
        assert np.abs(caelum.pictures.pixels(picture).astype(int) - caelum.load_picture(file)).max() <= 1


def test_grey(photo):
    grey = photo[..., 0]
    three = np.stack([grey] * 3, 2)
    for same in grey, grey[..., None], np.asfortranarray(three):
        assert np.array_equal(caelum.colorize(same), caelum.colorize(three))


def test_errors(photo, tmp_path):
    colorizer = caelum.Model("colorize")
    for picture, words in ((photo / np.float32(255), r"got float32 \[40, 56, 3\]; round 255 times the values"),
                           (photo[..., :2], r"expected uint8 \[height, width, 3\] or .*, got uint8 \[40, 56, 2\]"),
                           (photo[:0], r"got uint8 \[0, 56, 3\]"), (None, "got object"), ([], "got float64"),
                           (photo.astype(np.int64), "got int64")):
        with pytest.raises(caelum.UsageError, match=words):
            colorizer.colorize(picture)
    for hint, words in (((56, 0, (1, 2, 3)), r"\(56, 0\) is outside the picture, 56 x 40"),
                        ((0, 0, (1, 2, 256)), "each from 0 to 255, got"), ((-1, 0, (1, 2, 3)), "outside")):
        with pytest.raises(caelum.UsageError, match=words):
            colorizer.colorize(photo, hints=[hint])
    with pytest.raises(caelum.FileError, match="missing.png"):
        caelum.colorize(tmp_path / "missing.png")
    with pytest.raises(caelum.UsageError, match="vivid"):
        caelum.colorize(photo, vivid=2)


def test_odd_modes(image, photo):
    with pytest.raises(caelum.UsageError, match="of mode I;16; expected one of 1, L, LA"):
        caelum.colorize(image.new("I;16", (9, 9)))


def test_codes(photo, program, tmp_path):
    caelum.save_picture(photo, tmp_path / "photo.png")
    program("encode", tmp_path / "photo.png", "-o", tmp_path / "theirs.clmc", "--price", 0.05)
    caelum.encode([tmp_path / "photo.png"], tmp_path / "ours.clmc", price=0.05)
    assert (tmp_path / "ours.clmc").read_bytes() == (tmp_path / "theirs.clmc").read_bytes()
    model, pictures = caelum.Model("code"), caelum.decode(tmp_path / "theirs.clmc")
    code = model.encode(photo, price=0.05)
    assert list(pictures) == ["photo"] and np.array_equal(pictures["photo"], model.decode(code))
    caelum.encode({"a": photo, "b": photo[:9]}, tmp_path / "two.clmc")
    assert [picture.shape for picture in caelum.decode(tmp_path / "two.clmc").values()] == [(40, 56, 3), (9, 56, 3)]
    for pictures, file, words in (({"a": photo}, "missing/a.clmc", "missing"), ({}, "a.clmc", "no pictures"),
                                  ([tmp_path / "photo.png", "other/photo.png"], "a.clmc", "would have the name of")):
        with pytest.raises(caelum.Error, match=words):
            caelum.encode(pictures, tmp_path / file)
        assert not (tmp_path / file).exists()
    with pytest.raises(caelum.UsageError, match="7"):
        model.encode(photo, price=7)
    (tmp_path / "short.clmc").write_bytes((tmp_path / "two.clmc").read_bytes()[:-1])
    with pytest.raises(caelum.FormatError, match="short.clmc"):
        caelum.decode(tmp_path / "short.clmc")
