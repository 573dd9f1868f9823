#!/usr/bin/python3
"""Defects on good pictures, of kinds that the training of `caelum anomaly` never draws, with masks. Needs python3-pil and
python3-numpy.

Draws N pictures of each kind and contrast on pictures of GOOD_DIR, in random order, to OUT/test/KIND-CONTRAST/000.png and on,
with OUT/ground_truth/KIND-CONTRAST/000_mask.png; OUT/manifest.csv has a row each. With --good the pictures of DIR go to
OUT/test/good.

The contrast of a tone (crack, scratch, hole, stain) is how many times the local deviation the picture changes where the
defect is strongest. The local deviation is that of the grey picture within a Gaussian of 2 pixels, the median over the
defect's box and 20 pixels around it, at least 2 levels. The contrast of a displacement (shift, bent, frayed) is how many
pixels things move, in a picture of 256 x 256 (frayed: twice the deviation of the move). What is missing is gone by
contrast/6: worn thin, or replaced by what is behind.

A mask covers what changed noticeably, gaps below 5 pixels filled: a tone by half its contrast; anything else by 0.6
deviations, at least 3 levels, once changes are averaged over a pixel. Masks are 0.02 to 5 % of their pictures; a defect
that is not is drawn again, elsewhere."""
import argparse
import itertools
import shutil
import sys
from pathlib import Path
from typing import NamedTuple
import numpy
from PIL import Image
from drawing import blur, closed, displaced, noise, step, strokes
from layout import Defects, made_whole

CONTRASTS = .75, 1.5, 3, 6
SMALLEST, LARGEST = .0002, .05  # parts of a picture
TRIES = 30


class NoPlace(Exception):
    pass


class Scene(NamedTuple):
    picture: numpy.ndarray  # [row][column][channel], float, 0 to 255
    part: numpy.ndarray     # [row][column], bool: where the part is that is inspected; everywhere for a texture
    behind: numpy.ndarray   # as picture: what there is without the part, or None

    def grey(self):
        return self.picture.mean(2)

    def scale(self):
        """Lengths below are in pixels of 256 x 256 pictures."""
        return numpy.sqrt(self.part.size) / 256


def greatest(changes):
    """Over channels."""
    return abs(changes).max(2)


def deviation(grey, where):
    """That of the grain around `where`; edges, which are few, do not count."""
    rows, columns = numpy.nonzero(where)
    box = tuple(slice(max(0, i.min() - 20), i.max() + 21) for i in (rows, columns))
    return max(2., numpy.sqrt(numpy.median((blur(grey ** 2, 2) - blur(grey, 2) ** 2)[box])))


# --- Where ------------------------------------------------------------------------------------------------------------

def inner(scene):
    """The part without what is close to the picture's border."""
    part, margin = scene.part.copy(), 1 + int(12 * scene.scale())
    for side in (part, part.T):
        side[:margin] = side[-margin:] = False
    if not part.any():
        raise NoPlace("there is no part to draw a defect on, or only at the border")
    return part


def somewhere(scene, rng):
    """A pixel of the part."""
    pixels = numpy.argwhere(inner(scene))
    return pixels[rng.integers(len(pixels))]


def edge(scene, rng):
    """A pixel on one of the strongest edges, and the direction across it."""
    where = inner(scene)
    down, right = numpy.gradient(blur(scene.grey(), 2))
    slope = numpy.hypot(down, right) * where
    strong = numpy.argwhere(slope >= max(1e-9, numpy.quantile(slope[where], .97)))
    if not len(strong):
        raise NoPlace("there is no edge")
    y, x = strong[rng.integers(len(strong))]
    return y, x, numpy.array([down[y, x], right[y, x]]) / slope[y, x]


# --- Tones: what is added, -1 to 1 ------------------------------------------------------------------------------------

def crack(scene, rng):
    """A random walk that narrows, with branches."""
    size = scene.scale()
    walks = [(*somewhere(scene, rng), rng.uniform(0, 2 * numpy.pi), rng.uniform(.9, 2.2), rng.integers(8, 40))]
    paths = []
    while walks:
        y, x, heading, width, steps = walks.pop()
        path = []
        for i in range(steps):
            path.append((y, x, size * max(.8, width * (1 - i / steps))))
            if rng.random() < .05 and len(paths) + len(walks) < 6:
                walks.append((y, x, heading + rng.choice([-1, 1]) * rng.uniform(.5, 1.1), .7 * width, steps // 2))
            heading += rng.normal(0, .35)
            y, x = y + 2.5 * size * numpy.sin(heading), x + 2.5 * size * numpy.cos(heading)
        paths.append(path)
    return -strokes(scene.part.shape, paths)


def scratch(scene, rng):
    """Straight or slightly curved, pressed unevenly, with an edge of the other tone on one side."""
    size = scene.scale()
    start, heading = somewhere(scene, rng), rng.uniform(0, 2 * numpy.pi)
    length, bow = size * rng.uniform(15, 130), rng.choice([0, rng.normal(0, .12)])
    along, across = (numpy.array([numpy.sin(heading + a), numpy.cos(heading + a)]) for a in (0, numpy.pi / 2))
    t = numpy.linspace(0, 1, 30)[:, None]
    line = start + length * (t * along + bow * 4 * t * (1 - t) * across)
    width = size * rng.uniform(.7, 1.6)
    groove, ridge = (strokes(scene.part.shape, [[(y, x, width) for y, x in line + shift * across]])
                     for shift in (0, width + .3))
    pressure = numpy.clip(.9 + .35 * noise(scene.part.shape, 10 * size, rng), .2, 1)
    return rng.choice([-1, 1]) * pressure * (groove - rng.uniform(.2, .8) * ridge * (1 - groove))


def hole(scene, rng):
    """Uneven and round, deepest on the side of the light, with a bright rim on the other."""
    y, x = somewhere(scene, rng)
    rows, columns = numpy.indices(scene.part.shape)
    down, right = rows - y, (columns - x) * rng.uniform(.7, 1.4)
    angle, light = numpy.arctan2(down, right), rng.uniform(0, 2 * numpy.pi)
    radius = scene.scale() * rng.uniform(2.2, 12)
    uneven = sum(rng.normal(0, .12 / k) * numpy.cos(k * angle + rng.uniform(0, 6.3)) for k in (2, 3, 4, 5))
    outside = numpy.hypot(down, right) - radius * (1 + uneven)
    lit = numpy.cos(angle - light)
    floor = step(.5 - outside / 1.5) * (.8 + .2 * lit)
    rim = numpy.exp(-((outside - 1.5) / (.8 + .08 * radius)) ** 2) * numpy.maximum(0, -lit)
    return -floor + rng.uniform(.3, .9) * rim * (1 - floor)


def stain(scene, rng):
    """A smooth tint with an uneven outline, darker at its edge as a dried drop is, or not."""
    y, x = somewhere(scene, rng)
    rows, columns = numpy.indices(scene.part.shape)
    radius = scene.scale() * rng.uniform(6, 26)
    turn, long = rng.uniform(0, numpy.pi), rng.uniform(1, 2)
    down, right = rows - y, columns - x
    u, v = (down * numpy.cos(turn) + right * numpy.sin(turn)) * long, right * numpy.cos(turn) - down * numpy.sin(turn)
    inside = 1 - numpy.hypot(u, v) / radius + .25 * noise(scene.part.shape, radius / 3, rng)
    tint = step(inside / rng.uniform(.15, .7)) * (1 - rng.choice([0, .4]) * step(2 * inside))
    return rng.choice([-1, 1]) * tint / tint.max()


def toned(draw):
    """A tone at its contrast, turned around where there is no room for it; a stain has a color where pictures have."""
    def drawn(scene, contrast, rng):
        profile = draw(scene, rng) * scene.part
        profile /= abs(profile).max() + 1e-9
        where = abs(profile) > .3
        if not where.any():
            return scene.picture, where
        grey = scene.grey()
        change = contrast * deviation(grey, where)
        strongest = profile.flat[abs(profile).argmax()]
        if not 0 <= numpy.median(grey[where]) + .7 * change * strongest <= 255:
            profile = -profile
        color = rng.uniform(.6, 1, scene.picture.shape[2]) if draw is stain else numpy.ones(scene.picture.shape[2])
        made = numpy.clip(scene.picture + change * profile[..., None] * color / color.max(), 0, 255)
        return made, greatest(made - scene.picture) >= max(.5, change / 2)
    return drawn


# --- Displacements and missing parts ----------------------------------------------------------------------------------

def window(scene, y, x, radius):
    rows, columns = numpy.indices(scene.part.shape)
    return numpy.exp(-((rows - y) ** 2 + (columns - x) ** 2) / (2 * (scene.scale() * radius) ** 2))


def shift(scene, rng):
    """A rectangle moved, as by a slip of the press."""
    y, x, _ = edge(scene, rng)
    high, wide = scene.scale() * rng.uniform(9, 28, 2)
    rows, columns = numpy.indices(scene.part.shape)
    return (abs(rows - y) < high) & (abs(columns - x) < wide), rng.choice([[1, 0], [-1, 0], [0, 1], [0, -1]])


def bent(scene, rng):
    """An edge bulges out or in."""
    y, x, across = edge(scene, rng)
    return window(scene, y, x, rng.uniform(6, 16)), across * rng.choice([-1, 1])


def frayed(scene, rng):
    """An edge has teeth."""
    y, x, across = edge(scene, rng)
    teeth = noise(scene.part.shape, scene.scale() * rng.uniform(1.5, 3), rng)
    return teeth / 2 * window(scene, y, x, rng.uniform(8, 16)), across


def noticeable(scene, made):
    """Where edges moved: grain that moved with them is averaged away."""
    changes = made - scene.picture
    changed = greatest(changes) > 3
    if not changed.any():
        return changed
    smooth = numpy.stack([blur(change, 1) for change in changes.transpose(2, 0, 1)], 2)
    return changed & (greatest(smooth) >= max(3, .6 * deviation(scene.grey(), changed)))


def moved(draw):
    """A displacement by as many pixels as its contrast."""
    def drawn(scene, contrast, rng):
        field, direction = draw(scene, rng)
        made = displaced(scene.picture, *(contrast * scene.scale() * field * d for d in direction))
        return made, noticeable(scene, made)
    return drawn


def missing(scene, contrast, rng):
    """A piece at the outline of the part is gone, or worn thin."""
    if scene.behind is None:
        raise ValueError("what is behind the part must be known for a missing piece")
    outline = scene.part & (blur(scene.part.astype(float), 3) < .85)
    y, x = numpy.argwhere(outline)[rng.integers(outline.sum())]
    rows, columns = numpy.indices(scene.part.shape)
    radius = scene.scale() * rng.uniform(6, 18)
    gone = step(radius - numpy.hypot(rows - y, columns - x) + .2 * radius * noise(scene.part.shape, radius / 4, rng))
    gone *= min(1, contrast / 6)
    made = scene.picture + gone[..., None] * (scene.behind - scene.picture)
    return made, noticeable(scene, made)


TONES = {draw.__name__: toned(draw) for draw in (crack, scratch, hole, stain)}
MOVES = {draw.__name__: moved(draw) for draw in (shift, bent, frayed)}
FREE = [*TONES, *MOVES]  # these need no knowledge of the part
KINDS = {**TONES, **MOVES, "missing": missing}


def defective(good, kind, contrast, rng, part=None, behind=None):
    """The picture and the mask (bool, height x width) of one defect on `good`, uint8, height x width or height x width x 3.

    `part` (bool, height x width) is where defects may be, `behind` (as good) what there is without the part. Raises NoPlace
    where no defect of the kind has the size it must have."""
    channels = (lambda a: a[..., None] if a.ndim == 2 else a)
    whole = numpy.ones(good.shape[:2], bool)
    scene = Scene(channels(good).astype(float), whole if part is None else part,
                  None if behind is None else channels(behind).astype(float))
    for _ in range(TRIES):
        made, changed = KINDS[kind](scene, contrast, rng)
        mask = closed(changed)
        if SMALLEST <= mask.mean() <= LARGEST:
            return numpy.rint(made).astype(numpy.uint8).reshape(good.shape), mask
    raise NoPlace("no picture has a place for a %s of contrast %g" % (kind, contrast))


def read(path):
    picture = Image.open(path)
    if picture.mode[0] in "IF":
        raise OSError("%s: more than 8 bits a channel; make it a picture of 8 bits first" % path)
    return numpy.asarray(picture if picture.mode == "L" else picture.convert("RGB"))


def on_some(goods, kind, contrast, rng):
    """defective() on the first of some (name, good, ...) that has a place for it, and the name."""
    for name, *scene in goods:
        try:
            return *defective(scene[0], kind, contrast, rng, *scene[1:]), name
        except NoPlace as error:
            why = error
    raise why


def draw_all(sources, kinds, options, out):
    test = Defects(out)
    for kind in kinds:
        for contrast in CONTRASTS:
            rng = numpy.random.default_rng([options.seed, FREE.index(kind), CONTRASTS.index(contrast)])
            order = itertools.cycle(rng.permutation(len(sources)))
            for _ in range(options.per_kind):
                goods = ((sources[i].name, read(sources[i])) for i in itertools.islice(order, len(sources)))
                test.add(kind, contrast, *on_some(goods, kind, contrast, rng))
    test.write_manifest()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("good_dir", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--per-kind", type=int, required=True, metavar="N")
    parser.add_argument("--seed", type=int, required=True, metavar="S")
    parser.add_argument("--good", type=Path, metavar="DIR")
    parser.add_argument("--kinds", default=",".join(TONES), help="of %s [%%(default)s]" % ", ".join(FREE))
    options = parser.parse_args()
    kinds = options.kinds.split(",")
    for kind in kinds:
        if kind not in FREE:
            parser.error("--kinds: '%s' is none of %s" % (kind, ", ".join(FREE)))
    sources = sorted(path for path in options.good_dir.iterdir() if path.is_file())
    if not sources:
        parser.error("%s: no pictures" % options.good_dir)
    with made_whole(options.out) as out:
        if options.good:
            shutil.copytree(options.good, out / "test/good")
        draw_all(sources, kinds, options, out)


if __name__ == "__main__":
    try:
        main()
    except (OSError, NoPlace) as error:
        sys.exit("defects.py: %s" % error)
