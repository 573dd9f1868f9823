"""Parts on a conveyor belt, each time with small changes of place, turn and light. A function draws one part: its outline, as a
signed distance, and its colors, in coordinates (u, v, in pixels of a picture of 224 x 224) that turn with it."""
import numpy
from drawing import blur, inside, noise, paint, rectangle, step
from label import label
from textures import lit, mixed


def turned_metal(u, v, rng, tone):
    """Metal off the lathe: rings, and the reflections of a lamp on two sides."""
    around = numpy.arctan2(v, u)
    rings = 4 * numpy.interp(numpy.hypot(u, v), numpy.arange(200), rng.standard_normal(200))
    gloss = 26 * numpy.cos(2 * (around - rng.normal(.8, .1)))
    return mixed((tone + rings + gloss) / 255, (8, 8, 10), (250, 250, 255))


def washer(u, v, rng):
    radius = numpy.hypot(u, v)
    outline = numpy.maximum(radius - 78, 36 - radius)
    bevel = numpy.exp(-((outline + 3) / 2) ** 2)
    return outline, turned_metal(u, v, rng, 150) + 30 * bevel[..., None]


def gear(u, v, rng):
    radius, around = numpy.hypot(u, v), numpy.arctan2(v, u)
    tooth = numpy.clip(2.2 * numpy.cos(20 * around), -1, 1)
    key = rectangle(u - 18, v, 8, 5, 0)
    outline = numpy.maximum(radius - 76 - 8 * tooth, -numpy.minimum(radius - 18, key))
    holes = numpy.hypot(radius - 44, 44 * (numpy.mod(around, numpy.pi / 3) - numpy.pi / 6)) - 9
    outline = numpy.maximum(outline, -holes)
    hub = inside(radius - 30) - inside(radius - 27)
    rim = inside(62 - radius) - inside(65 - radius)
    return outline, paint(turned_metal(u, v, rng, 118), .5 * (hub + rim), (40, 40, 44))


def cap(u, v, rng):
    """A crimped bottle cap with a printed star."""
    radius, around = numpy.hypot(u, v), numpy.arctan2(v, u)
    outline = radius - 76 - 4 * numpy.cos(21 * around)
    folds = .5 + .5 * numpy.cos(21 * around)
    height = .72 + .28 * step((74 - radius) / 12) - .25 * step((radius - 60) / 14) * (1 - folds)
    light = height + .12 * numpy.exp(-(((u + 24) ** 2 + (v + 24) ** 2) / 900))
    colors = numpy.broadcast_to((176., 30, 34), u.shape + (3,))
    star = radius * (1 + .42 * numpy.cos(5 * around)) - 26
    colors = paint(colors, numpy.maximum(inside(star), inside(abs(radius - 50) - 2)), (236, 226, 204))
    return outline, colors * light[..., None] + noise(u.shape, .7, rng)[..., None]


def connector(u, v, rng):
    """A plastic housing with a latch and two rows of gold pins."""
    outline = numpy.minimum(rectangle(u, v, 84, 42, 7), rectangle(u, v + 44, 22, 9, 3))
    colors = numpy.broadcast_to((50., 54, 60), u.shape + (3,)) + 2.5 * noise(u.shape, 1, rng)[..., None]
    well = rectangle(u, v, 74, 31, 3)
    colors = paint(colors, inside(well), (30, 32, 36)) + 34 * numpy.exp(-((outline + 4) / 2) ** 2)[..., None]
    column = numpy.clip(numpy.rint(u / 21), -3, 3)
    pin = rectangle(u - 21 * column, abs(v) - 14, 6, 6, 1.5)
    bright = 1 + .25 * numpy.tanh((u - 21 * column + abs(v) - 14) / 4)
    gold = numpy.array((206., 164, 84)) * bright[..., None]
    return outline, paint(colors, inside(pin), gold) + 18 * inside(abs(pin) - .7)[..., None]


def belt(size, rng):
    """Dark rubber, ribbed across the way it runs."""
    rows = numpy.arange(size)[:, None] + rng.uniform(0, 14)
    ribs = 5 * numpy.cos(2 * numpy.pi * rows / 14) + 2 * noise((size, size), .8, rng) + 2 * noise((size, size), 5, rng)
    return numpy.array((64., 72, 68)) + ribs[..., None]


def photographed(size, outline, colors, rng):
    """A part on the belt: picture, where the part is, and the belt alone, as one camera sees them."""
    cover = inside(outline)
    behind = belt(size, rng)
    shadow = .45 * blur(numpy.roll(cover, (5, 4), (0, 1)), 4)
    picture = paint(behind * (1 - shadow[..., None]), cover, colors)
    light = lit(numpy.ones((size, size, 1)), rng, .08)
    grain = rng.normal(0, 2, (size, size, 1))
    return picture * light + grain, cover > .5, behind * light + grain


def placed(draw, turn):
    def photograph(size, rng):
        rows, columns = (numpy.indices((size, size)) - size / 2 - rng.normal(0, 2.5, 2)[:, None, None]) * 224 / size
        angle, scale = rng.uniform(-turn, turn), 1 + rng.normal(0, .006)
        u = (columns * numpy.cos(angle) + rows * numpy.sin(angle)) * scale
        v = (rows * numpy.cos(angle) - columns * numpy.sin(angle)) * scale
        return photographed(size, *draw(u, v, rng), rng)
    return photograph


# How far each may turn, in radians.
PARTS = {draw.__name__: placed(draw, turn) for draw, turn in (
    (washer, .1), (gear, numpy.pi), (cap, numpy.pi), (connector, .06), (label, .03))}
