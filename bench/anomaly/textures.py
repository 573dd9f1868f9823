"""Textures made of noise at several scales: wood, stone, cloth, brushed metal. Each function draws another piece of the same
material, float, [row][column][channel] with 3 channels or 1, 0 to 255."""
import numpy
from drawing import noise, step


def mixed(amount, dark, light):
    """From one color to another, by an amount of 0 to 1 at each pixel."""
    amount = numpy.clip(amount, 0, 1)[..., None]
    return numpy.array(dark) * (1 - amount) + numpy.array(light) * amount


def lit(picture, rng, uneven=.05):
    """The same under a lamp that is a bit brighter or darker, and brighter on one side."""
    rows, columns = numpy.indices(picture.shape[:2]) / picture.shape[0] - .5
    whole, down, right = rng.normal(0, uneven / 2, 3)
    return picture * (1 + whole + down * rows + right * columns)[..., None]


def wood(size, rng):
    """Rings cut lengthwise, fibers along them, short dark pores."""
    shape = size, size
    across = numpy.arange(size) + rng.uniform(0, 500) + 9 * noise(shape, (70, 14), rng)
    width = 17 + 3 * noise(shape, (200, 30), rng)
    rings = (across / width) % 1
    late = step(rings / .8) * (1 - step((rings - .8) / .2))  # darker slowly, then at once light again
    fibers = .10 * noise(shape, (14, .6), rng) + .06 * noise(shape, (40, 2), rng)
    pores = step((noise(shape, (4, .55), rng) - 2) / .8)
    return lit(mixed(.8 - .55 * late + fibers - .45 * pores, (112, 70, 38), (214, 172, 120)), rng)


def stone(size, rng):
    """Granite: light grains in a grey ground, dark specks, fine dust."""
    shape = size, size
    light = step((noise(shape, 2.6, rng) - .3) / .5)
    dark = step((noise(shape, 1.5, rng) - 1.2) / .3)
    ground = mixed(.5 + .12 * noise(shape, 5, rng) + .1 * noise(shape, .5, rng), (106, 102, 100), (178, 168, 160))
    ground += light[..., None] * (20, 8, 2)
    ground = ground * (1 - .7 * dark[..., None])
    return lit(ground, rng)


def weave(size, rng):
    """Plain weave: threads over and under each other, each a bit lighter or darker, none quite straight."""
    fine, pitch = 2, 8.
    rows, columns = numpy.indices((fine * size, fine * size)) / fine
    down, right = (a + rng.uniform(0, 200) + .7 * numpy.kron(noise((size, size), 14, rng), numpy.ones((fine, fine)))
                   for a in (rows, columns))
    i, j = (down / pitch).astype(int), (right / pitch).astype(int)
    v, u = down / pitch - i - .5, right / pitch - j - .5
    upper = (i + j) % 2 == 0  # the thread across lies on top
    tones = 1 + rng.normal(0, .05, (2, 256))
    side, along = numpy.where(upper, v, u), numpy.where(upper, u, v)
    shade = (.55 + .45 * numpy.cos(numpy.pi * side)) * (.78 + .22 * numpy.cos(numpy.pi * along))
    shade *= numpy.where(upper, tones[0][i % 256], tones[1][j % 256])
    fibers = .06 * numpy.where(upper, noise(rows.shape, (.8, 3), rng), noise(rows.shape, (3, .8), rng))
    picture = mixed(shade + fibers, (22, 30, 44), (128, 146, 168))
    return lit(picture.reshape(size, fine, size, fine, 3).mean((1, 3)), rng)


def metal(size, rng):
    """Brushed metal, grey: streaks of all widths and lengths, and a broad reflection."""
    shape = size, size
    streaks = sum(weight * noise(shape, (wide, long), rng)
                  for weight, wide, long in ((6, .4, 12), (5, .6, 60), (3, 1.5, 150)))
    row = rng.uniform(.2, .8) * size
    gloss = 30 * numpy.exp(-((numpy.arange(size) - row) / (.35 * size)) ** 2)[:, None]
    return lit((128 + streaks + gloss + rng.normal(0, 2, shape))[..., None], rng, .03)


TEXTURES = {draw.__name__: draw for draw in (wood, stone, weave, metal)}
