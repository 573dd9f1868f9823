"""Crops of photographs of textures that Debian's packages install. A photograph, made smaller, is cut into five bands from left
to right; the second and the fourth are for testing, so that no pixel is trained on and tested."""
import functools
from pathlib import Path
import numpy
from PIL import Image

FILES = {
    "board": "/usr/share/backgrounds/mate/nature/Wood.jpg",
    "leaf": "/usr/share/backgrounds/mate/nature/Blinds.jpg",
    "grass": "/usr/share/backgrounds/mate/nature/GreenMeadow.jpg",
}


@functools.cache
def opened(path, size):
    photograph = Image.open(path).convert("RGB")
    photograph.thumbnail((7 * size, 7 * size))
    return photograph


def crops(path):
    def crop(size, rng, testing):
        photograph = opened(path, size)
        band = rng.choice([1, 3] if testing else [0, 2, 4])
        left = rng.integers(band * photograph.width // 5, (band + 1) * photograph.width // 5 - size + 1)
        top = rng.integers(photograph.height - size + 1)
        return numpy.asarray(photograph.crop((left, top, left + size, top + size)), float)
    return crop


PHOTOGRAPHS = {name: crops(path) for name, path in FILES.items() if Path(path).exists()}
